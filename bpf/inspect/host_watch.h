/*
 * What the machine offers the target while it runs: programs that set the limits of others
 * (taskset, container runtimes) do so after the observation has begun. It fills obs->host and, in
 * the end, the throttled time and what others computed meanwhile.
 */
#ifndef CLASSIFY_HOST_WATCH_H
#define CLASSIFY_HOST_WATCH_H

#include <stdint.h>
#include <sys/types.h>

#include "cgroup_members.h"
#include "cgroup_throttle.h"
#include "cpu_others.h"
#include "quota_groups.h"

struct observation;

struct host_watch {
	struct observation *obs;
	pid_t pid;
	const char *cgroup; /* a directory; NULL: @pid is watched alone */
	struct cgroup_members members;
	struct cgroup_throttle throttle; /* of @pid, or of @cgroup */
	uint64_t throttled_ns;		 /* by these, when last read */
	struct quota_groups groups;	 /* other processes may have others */
	struct cpu_others others;
	uint64_t next_look_ns;
};

/* Fills obs->host as it is now for @pid, or for the processes of the cgroup @directory if that
 * isn't NULL. @obs and @directory must stay where they are until the end. */
void host_watch_begin(struct host_watch *watch, struct observation *obs, pid_t pid,
		      const char *directory);

/* Looks again if it is time to; @now_ns since the beginning. What a target that is gone had last
 * stays. Before host_watch_begin() it does nothing. */
void host_watch_look(struct host_watch *watch, uint64_t now_ns);

/* Looks whether @pid, another process of the tree, has CPU quotas of its own. */
void host_watch_process(struct host_watch *watch, pid_t pid);

/* Reads all accounts for the last time: to be called when the observation ends. */
void host_watch_end(struct host_watch *watch);

/* Books them, when all threads are in @obs. */
void host_watch_book(const struct host_watch *watch, struct observation *obs);

/* Accepts one that never began, all zero. */
void host_watch_release(struct host_watch *watch);

#endif
