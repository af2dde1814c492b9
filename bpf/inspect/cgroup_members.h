/*
 * The processes of a cgroup and of all below it, in the hierarchies of either version: which cgroup
 * a user means, and who is in it now.
 */
#ifndef CLASSIFY_CGROUP_MEMBERS_H
#define CLASSIFY_CGROUP_MEMBERS_H

#include <stddef.h>
#include <sys/types.h>

#include "cgroup_path.h"

struct cgroup_members {
	char directory[CGROUP_PATH_BYTES_MAX];
	pid_t *pids; /* as of the last look, ascending; of the root cgroup, kernel threads too */
	size_t cnt;
	pid_t *newcomers; /* of these, the ones that the look before did not find */
	size_t newcomer_cnt;
};

/*
 * Finds the cgroup @path: a directory of a mounted hierarchy, or a path below one as
 * /proc/PID/cgroup has it ("system.slice/nginx.service"); where several hierarchies have that, the
 * first in which it has processes. Returns 0, or -errno with one line of cause and remedy in @why.
 * Release @members either way.
 */
int cgroup_members_find(struct cgroup_members *members, const char *path, char *why,
			size_t why_size);

/* Looks who is in it, this process left out; newcomers are programs only. Returns 0, -ENOENT when
 * the cgroup has been removed, -EOPNOTSUPP when it may hold threads only, or -errno. */
int cgroup_members_look(struct cgroup_members *members);

void cgroup_members_release(struct cgroup_members *members);

#endif
