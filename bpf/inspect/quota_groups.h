/*
 * Quotas that hold back a part of the tree only: processes that were moved to a cgroup of their own
 * with a quota, as by a container runtime or a shell script in the tree. Private to inspect.
 */
#ifndef CLASSIFY_QUOTA_GROUPS_H
#define CLASSIFY_QUOTA_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup_throttle.h"

struct observation;

/* Sets of quotas beyond these, and processes, are not told apart: they count as the root's. */
#define QUOTA_GROUPS_MAX     8
#define QUOTA_GROUP_PIDS_MAX 1024

/* The processes that the same cgroups with quotas hold back. */
struct quota_group {
	uint64_t id; /* of these cgroups; 0: none has a quota */
	double cpu_quota;
	uint64_t throttled_ns;
	struct cgroup_throttle throttle;
	pid_t *pids;
	size_t pid_cnt;
};

/* All zero: none. */
struct quota_groups {
	struct quota_group groups[QUOTA_GROUPS_MAX];
	size_t cnt;
};

/* Notes which quotas hold @pid back, unless they are those of @root too. What can't be read or kept
 * changes nothing. */
void quota_groups_note(struct quota_groups *groups, pid_t pid, pid_t root);

/* Reads the throttled time of each. */
void quota_groups_read(struct quota_groups *groups);

/*
 * Books the throttled time that was read last: that of a group for its processes, and
 * @root_throttled_ns for all others. A quota that most of the tree's time is under is the tree's,
 * if that has none of its own.
 */
void quota_groups_book(const struct quota_groups *groups, struct observation *obs,
		       uint64_t root_throttled_ns);

void quota_groups_release(struct quota_groups *groups);

#endif
