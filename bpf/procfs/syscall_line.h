/*
 * /proc/PID/task/TID/syscall: the system call that a blocked thread is in, and its arguments.
 */
#ifndef CLASSIFY_SYSCALL_LINE_H
#define CLASSIFY_SYSCALL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define SYSCALL_ARG_CNT 6

struct syscall_line {
	bool is_running; /* it is not blocked: nothing else is known */
	long number;	 /* -1: blocked, but not in a system call */
	uint64_t arg[SYSCALL_ARG_CNT];
};

/* Returns false when @text is malformed. */
bool syscall_line_parse(const char *text, struct syscall_line *line);

#endif
