/*
 * Who holds the other end of a pipe. A wait on a pipe within the tree is no wait for the outside:
 * what the process at the other end waits for is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sampler.h"

#define DESCRIPTORS_MAX 1024
#define MEMO_LIFE_NS	500000000ULL

/* Does descriptor @fd of @dir lead to the pipe @name, open in the way that @mode_bit says? */
static bool is_end(int dir, const char *fd, const char *name, mode_t mode_bit)
{
	char link[4096];
	struct stat status;
	ssize_t len = readlinkat(dir, fd, link, sizeof(link) - 1);

	if (len <= 0)
		return false;
	link[len] = '\0';
	return !strcmp(link, name) && !fstatat(dir, fd, &status, AT_SYMLINK_NOFOLLOW) &&
	       (status.st_mode & mode_bit);
}

static bool process_holds(pid_t pid, const char *name, mode_t mode_bit)
{
	char path[64];
	struct dirent *entry;
	bool is_found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);

	if (!dir)
		return false;
	for (int seen = 0; !is_found && seen < DESCRIPTORS_MAX && (entry = readdir(dir)); seen++)
		is_found = is_end(dirfd(dir), entry->d_name, name, mode_bit);
	closedir(dir);
	return is_found;
}

bool pipe_ends_in_tree(struct sampler *sampler, const struct wait_cause *cause)
{
	size_t at = ((size_t)(uintptr_t)cause->name / 16 + cause->is_write) % PIPE_MEMOS;
	struct pipe_memo *memo = &sampler->pipes[at];
	uint64_t now_ns = sampler->last_sample_ns;
	/* The links of /proc/PID/fd may be read or written as their files may. */
	mode_t wanted = cause->is_write ? S_IRUSR : S_IWUSR;

	if (memo->name == cause->name && memo->is_write == cause->is_write &&
	    now_ns < memo->expires_ns)
		return memo->is_in_tree;
	*memo = (struct pipe_memo){ cause->name, cause->is_write, false, now_ns + MEMO_LIFE_NS };
	for (size_t i = 0; !memo->is_in_tree && i < sampler->process_cnt; i++)
		if (!sampler->processes[i]->is_gone)
			memo->is_in_tree =
				process_holds(sampler->processes[i]->pid, cause->name, wanted);
	return memo->is_in_tree;
}
