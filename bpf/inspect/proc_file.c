/* Reads the small files of /proc; see proc_file.h. */
#include "proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void proc_path(char *path, size_t size, pid_t pid, const char *name)
{
	snprintf(path, size, "/proc/%d/%s", (int)pid, name);
}

/* A process that went away shows as a missing directory, or as ESRCH once it is open. */
static int gone_or(int error)
{
	return error == ENOENT ? -ESRCH : -error;
}

ssize_t proc_file_read(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[256];
	size_t used = 0;

	proc_path(path, sizeof(path), pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return gone_or(errno);
	while (used < size - 1) {
		ssize_t got = read(fd, buffer + used, size - 1 - used);

		if (got < 0) {
			int error = errno;

			close(fd);
			return -error;
		}
		if (got == 0)
			break;
		used += (size_t)got;
	}
	close(fd);
	buffer[used] = '\0';
	return (ssize_t)used;
}

FILE *proc_file_open(pid_t pid, const char *name)
{
	char path[256];

	proc_path(path, sizeof(path), pid, name);
	return fopen(path, "re");
}

ssize_t proc_file_readlink(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[256];

	proc_path(path, sizeof(path), pid, name);
	ssize_t len = readlink(path, buffer, size - 1);

	if (len < 0)
		return gone_or(errno);
	buffer[len] = '\0';
	return len;
}

int proc_stat_parse(const char *text, struct proc_stat *stat)
{
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')'); /* nothing after the name holds one */

	memset(stat, 0, sizeof(*stat));
	if (!open || !close || close < open)
		return -EINVAL;

	size_t len = (size_t)(close - open - 1);

	if (len >= sizeof(stat->comm))
		len = sizeof(stat->comm) - 1;
	memcpy(stat->comm, open + 1, len);

	stat->start_stack = 0;

	int got = sscanf(close + 1,
			 " %c %d %d %d %*d %*d %u %*u %*u %*u %*u %lu %lu %lu %lu %*d %*d %ld"
			 " %*d %lu %*u %*d %*u %*u %*u %lu",
			 &stat->state, &stat->ppid, &stat->pgrp, &stat->session, &stat->flags,
			 &stat->utime_ticks, &stat->stime_ticks, &stat->cutime_ticks,
			 &stat->cstime_ticks, &stat->thread_cnt, &stat->starttime_ticks,
			 &stat->start_stack);

	return got >= 11 ? 0 : -EINVAL;
}

int proc_stat_read(pid_t pid, struct proc_stat *stat)
{
	char text[1024];
	ssize_t len = proc_file_read(pid, "stat", text, sizeof(text));

	return len < 0 ? (int)len : proc_stat_parse(text, stat);
}
