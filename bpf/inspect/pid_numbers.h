/*
 * Numbers of processes in PID namespaces: a process has one in its own (a container's) and one in
 * each above it, and a /proc shows those of the namespace that it was mounted for.
 */
#ifndef CLASSIFY_PID_NUMBERS_H
#define CLASSIFY_PID_NUMBERS_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether /proc has the numbers that this process's own system calls have. */
bool pid_numbers_match_proc(void);

/* The number of @pid in its own namespace when that lies inside ours, so that its own container
 * knows it by another number; 0 when it doesn't, or @pid is gone. */
pid_t pid_number_in_container(pid_t pid);

/* From the text of /proc/PID/status: the last number of its NSpid line when there are several, else
 * 0. */
pid_t pid_numbers_parse_status(const char *status);

#endif
