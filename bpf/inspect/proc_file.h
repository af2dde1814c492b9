/*
 * Small files of /proc: reading them whole, and the one line of /proc/PID/stat. Shared by the
 * layers that read /proc; everything read is untrusted.
 */
#ifndef CLASSIFY_PROC_FILE_H
#define CLASSIFY_PROC_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What is used of /proc/PID/stat (or of /proc/PID/task/TID/stat). Times are in clock ticks. */
/* From the kernel's linux/sched.h: stable since 2.6, and shown in /proc/PID/stat. */
#define PF_KTHREAD 0x00200000u

struct proc_stat {
	char comm[64];
	char state; /* R, S, D, T, t, Z, X, I */
	pid_t ppid;
	pid_t pgrp;
	pid_t session;
	unsigned int flags; /* PF_KTHREAD and others */
	uint64_t utime_ticks;
	uint64_t stime_ticks;
	uint64_t cutime_ticks; /* of children that were waited for */
	uint64_t cstime_ticks;
	long thread_cnt;
	uint64_t starttime_ticks; /* since boot: with the pid it names a process for good */
	uint64_t start_stack; /* where its first thread's stack began: by chance, at each exec anew;
			       * 0: not told, for want of rights */
};

/*
 * Reads /proc/@pid/@name into @buffer, at most @size - 1 bytes, and adds a NUL. Returns the number
 * of bytes, or -errno: -ESRCH when the process is gone, -EACCES when it may not be read.
 */
ssize_t proc_file_read(pid_t pid, const char *name, char *buffer, size_t size);

/* Opens /proc/@pid/@name for reading line by line; NULL with errno set. The caller closes it. */
FILE *proc_file_open(pid_t pid, const char *name);

/* Reads the target of the link /proc/@pid/@name as proc_file_read() does. */
ssize_t proc_file_readlink(pid_t pid, const char *name, char *buffer, size_t size);

/*
 * Takes /proc/PID/stat apart. The name in it may hold anything, blanks, parentheses and newlines
 * too. Returns 0, or -EINVAL when a field is missing.
 */
int proc_stat_parse(const char *text, struct proc_stat *stat);

/* Reads and parses /proc/@pid/stat. Returns 0 or -errno. */
int proc_stat_read(pid_t pid, struct proc_stat *stat);

#endif
