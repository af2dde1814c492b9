/* What classify says on stderr besides the report: one line each, safe for a terminal. */
#ifndef CLASSIFY_MESSAGE_H
#define CLASSIFY_MESSAGE_H

/* Room for one line of cause and remedy. */
#define REASON_SIZE 1024

/* Exit code when classify itself fails, as env, nohup and timeout have it. */
#define EXIT_CLASSIFY_FAILED 125

/* Exit code when all went well but what was expected is not so: beside the codes in which wrappers
 * speak of themselves (124 to 127), and not one that programs commonly use. */
#define EXIT_NOT_AS_EXPECTED 123

/* Writes "classify: <text>\n" to stderr, with whatever could act on a terminal escaped. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same of what is true for a moment: the next one takes its place on the screen, and whatever
 * say() says. For terminals only; what is printed past these two calls erase_progress() first. */
void say_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void erase_progress(void);

#endif
