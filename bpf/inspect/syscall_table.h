/*
 * System calls by number: how to tell what each waits for, and its name. The one table of both
 * observers.
 */
#ifndef CLASSIFY_SYSCALL_TABLE_H
#define CLASSIFY_SYSCALL_TABLE_H

#include "observation/observation.h"

/* The same numbers as enum wire_syscall, which the probes have (bpf/ebpf/syscalls.c asserts it). */
enum syscall_wait {
	CALL_UNKNOWN = 0,
	CALL_FD,	/* on the descriptor in its first argument */
	CALL_FD_WRITE,	/* the same, to get rid of data */
	CALL_FILE_LOCK, /* flock, fcntl: for a lock on that descriptor */
	CALL_FUTEX,
	CALL_FUTEX_WAITV,
	CALL_SLEEP,
	CALL_CHILD,
	CALL_CLONE, /* for the child only with CLONE_VFORK in its first argument */
	CALL_POLL,
	CALL_SELECT,
	CALL_EVENT_LOOP, /* epoll, io_uring, asynchronous I/O */
	CALL_IPC,	 /* on the System V queue or semaphores in its first argument */
	CALL_SIGNAL,
	CALL_PATH,    /* looks up or changes names: metadata; the path is its first argument */
	CALL_MEMORY,  /* mmap and friends */
	CALL_RESTART, /* goes on with the call that a signal interrupted */
	CALL_PATH_AT, /* as CALL_PATH, with (directory, path) */
	CALL_STORAGE, /* waits for storage, and no argument says for what */
	CALL_QUEUE,   /* on the POSIX queue whose descriptor is its first argument */
};

/* CALL_UNKNOWN for one that isn't listed. */
enum syscall_wait syscall_wait_of(long number);

/* What system call @number does with a file that it waits for: OPERATION_READ, _WRITE, _SYNC,
 * _METADATA, or _NONE where that isn't known. */
enum wait_operation syscall_operation(long number);

/* The name of system call @number, or NULL for one that isn't listed. */
const char *syscall_name(long number);

#endif
