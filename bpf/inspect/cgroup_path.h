/*
 * Where the CPU cgroups of a process lie, in the hierarchies of either version. Private to inspect.
 */
#ifndef CLASSIFY_CGROUP_PATH_H
#define CLASSIFY_CGROUP_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#define CGROUP_PATH_BYTES_MAX 2048

struct cgroup_visitor {
	/* @directory: of a cgroup in the CPU hierarchy of @version, 1 or 2. */
	void (*visit)(void *context, const char *directory, int version);
	void *context;
};

/* Visits the CPU cgroup of @pid and then those of its ancestors that are visible from here, in each
 * hierarchy; none when @pid is gone. */
void cgroup_visit(pid_t pid, const struct cgroup_visitor *visitor);

/* Visits the cgroup @directory and then its ancestors. Returns false, without a visit, when it is
 * in no hierarchy that could limit CPUs. */
bool cgroup_visit_directory(const char *directory, const struct cgroup_visitor *visitor);

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

/* The part of a cgroup's @path that is below the cgroup @root, which is mounted somewhere; NULL
 * when it is not below it. */
const char *cgroup_below_root(const char *path, const char *root);

/* Takes a line of mountinfo apart; returns 2 or 1 for a cgroup mount of that version (of
 * version 1: with @controller among its options, NULL for any), else 0. */
int cgroup_parse_mount(const char *line, const char *controller, struct cgroup_mount *mount);

#endif
