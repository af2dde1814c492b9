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

/* How to tell what a call waits for. */
enum syscall_kind {
	CALL_UNKNOWN = 0,
	CALL_FD_READ,	/* on the descriptor in the first argument */
	CALL_FD_WRITE,	/* the same, to get rid of data */
	CALL_FILE_LOCK, /* for a lock on that descriptor */
	CALL_FUTEX,
	CALL_SYNC, /* futex_waitv, semaphores: somebody will signal */
	CALL_SLEEP,
	CALL_CHILD,
	CALL_POLL,
	CALL_SELECT,
	CALL_EPOLL,
	CALL_RING, /* io_uring, asynchronous I/O */
	CALL_IPC,  /* message queues */
	CALL_SIGNAL,
	CALL_MEMORY,
	CALL_RESTART, /* goes on with the call that a signal interrupted */
};

enum syscall_kind syscall_kind_of(long number);

/* The name of a call that has a kind, else NULL. */
const char *syscall_name_of(long number);

#endif
