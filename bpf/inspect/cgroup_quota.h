/*
 * How many CPUs the cgroups of a process grant it, from the CPU controller of either version.
 * Private to inspect.
 */
#ifndef CLASSIFY_CGROUP_QUOTA_H
#define CLASSIFY_CGROUP_QUOTA_H

#include <stddef.h>
#include <sys/types.h>

/* The tightest quota among the cgroup of @pid and its ancestors that are visible from here, in
 * CPUs; 0 when there is none. */
double cgroup_cpu_quota(pid_t pid);

/* "200000 100000", "max 100000" (cpu.max) -> CPUs; 0 for no quota or a malformed text. */
double cgroup_parse_cpu_max(const char *text);

/*
 * From one line of /proc/PID/cgroup: the path of the cgroup when the line is of the version 2
 * hierarchy (@controller NULL) or of the version 1 hierarchy with @controller, else NULL. The path
 * points into @line, which is cut.
 */
char *cgroup_parse_membership(char *line, const char *controller);

struct cgroup_mount {
	char point[512]; /* where it is mounted */
	char root[512];	 /* which cgroup is mounted there, "/" for all of them */
};

/* Takes a line of mountinfo apart; returns 2 or 1 for a cgroup mount of that version (of
 * version 1: with @controller among its options), else 0. */
int cgroup_parse_mount(const char *line, const char *controller, struct cgroup_mount *mount);

#endif
