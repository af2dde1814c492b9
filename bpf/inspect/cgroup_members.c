/* Finds a cgroup and reads who is in it; see cgroup_members.h. */
#include "cgroup_members.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "proc_file.h"

/* Nobody nests cgroups deeper, and a v2 hierarchy need not allow it. */
#define DEPTH_MAX 32

/* --- who is in it --- */

struct pid_list {
	pid_t *pids;
	size_t cnt;
	size_t capacity;
};

static int add_pid(struct pid_list *list, pid_t pid)
{
	size_t capacity = list->capacity ? 2 * list->capacity : 64;
	pid_t *grown;

	if (list->cnt == list->capacity) {
		grown = realloc(list->pids, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->pids = grown;
		list->capacity = capacity;
	}
	list->pids[list->cnt++] = pid;
	return 0;
}

/* Processes that this PID namespace doesn't know are listed as 0. */
static int read_procs(const char *directory, struct pid_list *list)
{
	char path[CGROUP_PATH_BYTES_MAX + 16];
	int error = 0, pid, got;
	FILE *in;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	in = fopen(path, "re");
	if (!in)
		return -errno;
	errno = 0;
	while (!error && (got = fscanf(in, "%d", &pid)) == 1)
		if (pid > 0 && pid != getpid())
			error = add_pid(list, pid);
	if (!error && ferror(in))
		error = errno ? -errno : -EIO;
	fclose(in);
	return error;
}

/* Those below it that go away meanwhile, or may hold threads only (their processes are listed
 * further up), have nobody to tell of. */
static int read_below(const char *directory, struct pid_list *list, int depth)
{
	char path[CGROUP_PATH_BYTES_MAX];
	struct dirent *entry;
	DIR *dir = opendir(directory);
	int error = 0;

	if (!dir)
		return 0;
	while (!error && depth < DEPTH_MAX && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >=
			    sizeof(path))
			continue;
		if (read_procs(path, list) == -ENOMEM)
			error = -ENOMEM;
		else
			error = read_below(path, list, depth + 1);
	}
	closedir(dir);
	return error;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The root cgroup has the kernel's own threads in it; and classify's own children aren't observed.
 */
static bool is_program(pid_t pid)
{
	struct proc_stat stat;

	return !proc_stat_read(pid, &stat) && !(stat.flags & PF_KTHREAD) && stat.ppid != getpid();
}

static bool was_there(const struct cgroup_members *members, pid_t pid)
{
	return members->cnt &&
	       bsearch(&pid, members->pids, members->cnt, sizeof(pid), compare_pids);
}

/* @list becomes who is there; of those the new ones are noted. */
static int take_over(struct cgroup_members *members, struct pid_list *list)
{
	pid_t *newcomers = calloc(list->cnt + 1, sizeof(*newcomers));
	size_t kept = 0, new_cnt = 0;

	if (!newcomers)
		return -ENOMEM;
	for (size_t i = 0; i < list->cnt; i++) {
		pid_t pid = list->pids[i];

		if (kept && list->pids[kept - 1] == pid)
			continue;
		if (!was_there(members, pid) && is_program(pid))
			newcomers[new_cnt++] = pid;
		list->pids[kept++] = pid;
	}
	cgroup_members_release(members);
	members->pids = list->pids;
	members->cnt = kept;
	members->newcomers = newcomers;
	members->newcomer_cnt = new_cnt;
	return 0;
}

int cgroup_members_look(struct cgroup_members *members)
{
	struct pid_list list = { 0 };
	int error = read_procs(members->directory, &list);

	if (!error)
		error = read_below(members->directory, &list, 0);
	if (list.cnt)
		qsort(list.pids, list.cnt, sizeof(*list.pids), compare_pids);
	if (!error)
		error = take_over(members, &list);
	if (error)
		free(list.pids);
	return error == -ENODEV ? -ENOENT : error;
}

void cgroup_members_release(struct cgroup_members *members)
{
	free(members->pids);
	free(members->newcomers);
	members->pids = members->newcomers = NULL;
	members->cnt = members->newcomer_cnt = 0;
}

/* --- which one is meant --- */

static bool is_directory(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

static bool is_cgroup(const char *path)
{
	struct statfs status;

	return is_directory(path) && !statfs(path, &status) &&
	       (status.f_type == CGROUP2_SUPER_MAGIC || status.f_type == CGROUP_SUPER_MAGIC);
}

struct search {
	const char *path;
	char found[CGROUP_PATH_BYTES_MAX];
	char first_mount[512];
	int mount_cnt;
	bool is_empty; /* the one that was found has no processes */
};

/* The unified hierarchy and systemd's, which list all processes, come first in practice: but a
 * cgroup that exists in several may be in use in one only. */
static void search_mount(struct search *search, const struct cgroup_mount *mount)
{
	struct pid_list list = { 0 };
	char directory[CGROUP_PATH_BYTES_MAX];
	const char *below = search->path + strspn(search->path, "/");
	size_t root_len = strlen(mount->root) - 1;

	/* A container without a cgroup namespace has its own part mounted, and the host's paths. */
	if (root_len && !strncmp(below, mount->root + 1, root_len) &&
	    (below[root_len] == '/' || !below[root_len]))
		below += root_len;
	below += strspn(below, "/");
	if (!search->mount_cnt++)
		snprintf(search->first_mount, sizeof(search->first_mount), "%s", mount->point);
	if (search->found[0] && !search->is_empty)
		return;
	if ((size_t)snprintf(directory, sizeof(directory), "%s%s%s", mount->point,
			     *below ? "/" : "", below) >= sizeof(directory) ||
	    !is_cgroup(directory))
		return;
	if (!read_procs(directory, &list))
		read_below(directory, &list, 0);
	if (!search->found[0] || list.cnt)
		memcpy(search->found, directory, sizeof(directory));
	search->is_empty = !list.cnt;
	free(list.pids);
}

static void search_mounts(struct search *search, int version)
{
	struct cgroup_mount mount;
	char line[4096];
	FILE *in = fopen("/proc/self/mountinfo", "re");

	while (in && fgets(line, sizeof(line), in))
		if (cgroup_parse_mount(line, NULL, &mount) == version)
			search_mount(search, &mount);
	if (in)
		fclose(in);
}

static int explain_unfound(const struct search *search, char *why, size_t why_size)
{
	if (!search->mount_cnt)
		snprintf(why, why_size,
			 "no hierarchy of cgroups is mounted here (mount -t cgroup2 none "
			 "/sys/fs/cgroup)");
	else if (is_directory(search->path))
		snprintf(why, why_size, "'%s' is a directory, but not a cgroup (name one below %s)",
			 search->path, search->first_mount);
	else if (search->mount_cnt == 1)
		snprintf(why, why_size,
			 "no such cgroup: '%s' below %s (/proc/PID/cgroup has that of a process)",
			 search->path, search->first_mount);
	else
		snprintf(why, why_size,
			 "no such cgroup: '%s' below %s or in %d other hierarchies "
			 "(/proc/PID/cgroup has those of a process)",
			 search->path, search->first_mount, search->mount_cnt - 1);
	return -ENOENT;
}

int cgroup_members_find(struct cgroup_members *members, const char *path, char *why,
			size_t why_size)
{
	struct search search = { .path = path };
	char *resolved = NULL;

	memset(members, 0, sizeof(*members));
	if (is_cgroup(path)) {
		snprintf(search.found, sizeof(search.found), "%s", path);
	} else {
		search_mounts(&search, 2);
		search_mounts(&search, 1);
	}
	if (!search.found[0])
		return explain_unfound(&search, why, why_size);
	resolved = realpath(search.found, NULL);
	snprintf(members->directory, sizeof(members->directory), "%s",
		 resolved ? resolved : search.found);
	free(resolved);
	return 0;
}
