/*
 * How many CPUs the cgroups of a process grant it, from the CPU controller of either version.
 * Private to inspect.
 */
#ifndef CLASSIFY_CGROUP_QUOTA_H
#define CLASSIFY_CGROUP_QUOTA_H

#include <sys/types.h>

/* The tightest quota among the cgroup of @pid (of the cgroup @directory, unless that is NULL or
 * can't have one) and its ancestors that are visible from here, in CPUs; 0 when there is none. */
double cgroup_cpu_quota(pid_t pid, const char *directory);

/* The quota of one cgroup of that @version, in CPUs; 0 when it has none. */
double cgroup_quota_of(const char *directory, int version);

/* "200000 100000", "max 100000" (cpu.max) -> CPUs; 0 for no quota or a malformed text. */
double cgroup_parse_cpu_max(const char *text);

#endif
