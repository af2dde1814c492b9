/*
 * Runs an operation in every form: one after another, in threads, in forked processes, and on an
 * event loop where the program brings one. A program of this directory says what is done once.
 */
#ifndef PROVING_FORMS_H
#define PROVING_FORMS_H

/* Does operation number @item. Returns 0, or -1 when it failed. */
typedef int (*forms_operation)(unsigned long item);

/* Does @operation_cnt operations, at most @worker_cnt of them in flight. Returns 0 or -1. */
typedef int (*forms_loop)(unsigned long operation_cnt, unsigned long worker_cnt);

/*
 * Reads the options that end @argv (--form F --workers N --operations K), runs, prints how many
 * operations were done. @loop NULL: there is no such form. Returns the program's exit status.
 */
int forms_main(int argc, char **argv, forms_operation operation, forms_loop loop);

/* Memory that forked workers share, zeroed. Never NULL: ends the program instead. */
void *forms_shared(unsigned long size);

/* Computes for about so many milliseconds on the machine of docs/accuracy.md. */
void forms_compute(double milliseconds);

#endif
