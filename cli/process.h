/* The process to attach to: whether it can be observed, and what it was started as. */
#ifndef CLASSIFY_PROCESS_H
#define CLASSIFY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Opens @pid for waiting on its end. Returns a pidfd, or -errno with one line of cause and remedy
 * in @why: it is gone, dead, a thread, of the kernel, classify itself, or of another user.
 */
int process_open(pid_t pid, char *why, size_t why_size);

/* Returns whether this user may read of @pid what observing needs. */
bool process_may_be_inspected(pid_t pid);

/* Returns the command line of @pid as a NULL-terminated vector in one block that the caller frees;
 * its name in brackets when it shows none. NULL when out of memory. */
char **process_read_command(pid_t pid);

/* Writes the name of @pid (untrusted bytes) to @comm; "?" when it can't be read. */
void process_read_comm(pid_t pid, char *comm, size_t comm_size);

/* Returns whether @pid is @ancestor or a descendant of it. */
bool process_descends_from(pid_t pid, pid_t ancestor);

#endif
