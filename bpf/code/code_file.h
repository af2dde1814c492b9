/*
 * The files that processes have mapped to run code from, each once, however many processes map it.
 * They are opened while a process that maps them lives, so that they can be read when it is gone:
 * files that were deleted or replaced and files of other mount namespaces too.
 */
#ifndef CLASSIFY_CODE_FILE_H
#define CLASSIFY_CODE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct code_files;

/* One file, by device, inode and time of change. Its contents are untrusted. */
struct code_file {
	const char *path; /* as the process names it; "[vdso]" */
	pid_t pid;	  /* a process that mapped it, through whose /proc/PID/root paths lead */
	int fd;		  /* for reading; -1: it can't be */
	const char *why;  /* it can't be read, or its frames not be found; NULL: nothing is wrong */
	uint32_t number;  /* its place among all: 0 and up */
	void *unwinding;  /* of the unwinder */
	void *symbols;	  /* of the symbols */
};

/* Returns an empty set, or NULL when out of memory. */
struct code_files *code_files_new(void);

/* Closes all files; what hangs off them has to be gone already. Accepts NULL. */
void code_files_free(struct code_files *files);

size_t code_files_cnt(const struct code_files *files);
struct code_file *code_files_at(const struct code_files *files, uint32_t number);

#endif
