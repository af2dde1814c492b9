/*
 * The files of one thread in /proc, kept open where the limit on descriptors allows: reading one
 * then costs a third, and an open file never shows another thread that got the same id.
 */
#ifndef CLASSIFY_TASK_FILES_H
#define CLASSIFY_TASK_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum task_file { TASK_SCHEDSTAT, TASK_STAT, TASK_SYSCALL, TASK_STATUS, TASK_FILE_CNT };

struct task_files {
	pid_t pid;
	pid_t tid;
	int fd[TASK_FILE_CNT]; /* -1: not open */
};

/* How many descriptors all threads together may keep open. */
struct task_files_budget {
	size_t left;
};

/* Half of what the limit of this process allows. */
void task_files_budget_init(struct task_files_budget *budget);

void task_files_init(struct task_files *files, pid_t pid, pid_t tid);
void task_files_close(struct task_files *files, struct task_files_budget *budget);

/*
 * Reads @file from its start to @buffer, NUL-terminated. Returns the number of bytes or -errno:
 * -ESRCH when the thread is gone, -EACCES when it may not be read.
 */
ssize_t task_files_read(struct task_files *files, struct task_files_budget *budget,
			enum task_file file, char *buffer, size_t size);

#endif
