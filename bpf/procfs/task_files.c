/* Reads a thread's files in /proc; see task_files.h. */
#include "task_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* With no limit at all, still leave room for everybody else. */
#define KEPT_OPEN_MAX 65536

void task_files_budget_init(struct task_files_budget *budget)
{
	struct rlimit limit;

	budget->left = 0;
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		budget->left =
			limit.rlim_cur / 2 < KEPT_OPEN_MAX ? limit.rlim_cur / 2 : KEPT_OPEN_MAX;
}

void task_files_init(struct task_files *files, pid_t pid, pid_t tid)
{
	files->pid = pid;
	files->tid = tid;
	for (int i = 0; i < TASK_FILE_CNT; i++)
		files->fd[i] = -1;
}

void task_files_close(struct task_files *files, struct task_files_budget *budget)
{
	for (int i = 0; i < TASK_FILE_CNT; i++) {
		if (files->fd[i] < 0)
			continue;
		close(files->fd[i]);
		files->fd[i] = -1;
		budget->left++;
	}
}

static int open_file(const struct task_files *files, enum task_file file)
{
	static const char *const names[TASK_FILE_CNT] = { "schedstat", "stat", "syscall",
							  "status" };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)files->pid, (int)files->tid,
		 names[file]);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

ssize_t task_files_read(struct task_files *files, struct task_files_budget *budget,
			enum task_file file, char *buffer, size_t size)
{
	int fd = files->fd[file];
	bool is_kept = fd >= 0;

	if (!is_kept)
		fd = open_file(files, file);
	if (fd < 0)
		return fd == -ENOENT ? -ESRCH : fd;

	ssize_t len = pread(fd, buffer, size - 1, 0);
	int error = errno;

	if (len >= 0)
		buffer[len] = '\0';
	if (!is_kept && len >= 0 && budget->left > 0) {
		files->fd[file] = fd;
		budget->left--;
	} else if (!is_kept) {
		close(fd);
	}
	return len < 0 ? -error : len;
}
