/* Finds the directories of a process's CPU cgroups; see cgroup_path.h. */
#include "cgroup_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proc_file.h"

/* Is @word one of the comma-separated @list? */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

char *cgroup_parse_membership(char *line, const char *controller)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return NULL;
	*controllers++ = '\0';
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (!controller)
		return !strcmp(line, "0") && *controllers == '\0' ? path : NULL;
	return has_word(controllers, controller) ? path : NULL;
}

int cgroup_parse_mount(const char *line, const char *controller, struct cgroup_mount *mount)
{
	char type[32], options[256];
	const char *tail = strstr(line, " - ");

	if (!tail || sscanf(line, "%*d %*d %*s %511s %511s", mount->root, mount->point) != 2 ||
	    sscanf(tail, " - %31s %*s %255s", type, options) != 2)
		return 0;
	if (!strcmp(type, "cgroup2"))
		return 2;
	if (strcmp(type, "cgroup"))
		return 0;
	return !controller || has_word(options, controller) ? 1 : 0;
}

const char *cgroup_below_root(const char *path, const char *root)
{
	size_t len = strcmp(root, "/") ? strlen(root) : 0;

	if (strncmp(path, root, len) || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	/* "/.." is above the root, and what is below that has no name here. */
	return !strncmp(path + len, "/..", 3) ? NULL : path + len;
}

/* The mounts are those that @pid sees, 0 for this process. */
static bool find_mount(pid_t pid, int version, struct cgroup_mount *mount)
{
	char path[32] = "/proc/self/mountinfo", line[4096];
	bool is_found = false;
	FILE *in;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	in = fopen(path, "re");
	if (!in)
		return false;
	while (!is_found && fgets(line, sizeof(line), in))
		is_found = cgroup_parse_mount(line, "cpu", mount) == version;
	fclose(in);
	return is_found;
}

/* From the cgroup @directory up to where its hierarchy is mounted. */
static void visit_upwards(char *directory, size_t point_len, const struct cgroup_visitor *visitor,
			  int version)
{
	for (;;) {
		char *slash = strrchr(directory, '/');

		visitor->visit(visitor->context, directory, version);
		if (!slash || (size_t)(slash - directory) < point_len)
			return;
		*slash = '\0';
	}
}

/*
 * Where the cgroup @path of @pid is to be seen: below our own mount of the hierarchy, or, when that
 * has only our container's part of it, below the one that the process has for itself.
 */
static void visit_path(pid_t pid, const char *path, const struct cgroup_visitor *visitor,
		       int version)
{
	char directory[CGROUP_PATH_BYTES_MAX], prefix[32] = "";
	struct cgroup_mount mount;
	const char *below = NULL;

	if (find_mount(0, version, &mount))
		below = cgroup_below_root(path, mount.root);
	if (!below && find_mount(pid, version, &mount)) {
		snprintf(prefix, sizeof(prefix), "/proc/%d/root", (int)pid);
		below = cgroup_below_root(path, mount.root);
	}
	if (!below || (size_t)snprintf(directory, sizeof(directory), "%s%s%s", prefix, mount.point,
				       below) >= sizeof(directory))
		return;
	visit_upwards(directory, strlen(prefix) + strlen(mount.point), visitor, version);
}

static void visit_hierarchy(pid_t pid, const struct cgroup_visitor *visitor, int version)
{
	char line[CGROUP_PATH_BYTES_MAX];
	FILE *in = proc_file_open(pid, "cgroup");

	if (!in)
		return;
	while (fgets(line, sizeof(line), in)) {
		const char *path = cgroup_parse_membership(line, version == 1 ? "cpu" : NULL);

		if (path)
			visit_path(pid, path, visitor, version);
	}
	fclose(in);
}

void cgroup_visit(pid_t pid, const struct cgroup_visitor *visitor)
{
	visit_hierarchy(pid, visitor, 1);
	visit_hierarchy(pid, visitor, 2);
}

/* Beside a version 1 hierarchy with the CPU controller, the one of version 2 hasn't got it. */
static bool limits_cpus(const struct cgroup_mount *mount, int version)
{
	char path[sizeof(mount->point) + 32], controllers[512] = "";
	FILE *in;

	if (version == 1)
		return true;
	snprintf(path, sizeof(path), "%s/cgroup.controllers", mount->point);
	in = fopen(path, "re");
	if (!in)
		return false;
	if (!fgets(controllers, sizeof(controllers), in))
		controllers[0] = '\0';
	fclose(in);
	controllers[strcspn(controllers, "\n")] = '\0';
	for (char *blank = controllers; (blank = strchr(blank, ' '));)
		*blank = ',';
	return has_word(controllers, "cpu");
}

static bool visit_in(const char *path, const struct cgroup_visitor *visitor, int version)
{
	char directory[CGROUP_PATH_BYTES_MAX];
	struct cgroup_mount mount;
	size_t len;

	if (!find_mount(0, version, &mount) || !limits_cpus(&mount, version))
		return false;
	len = strlen(mount.point);
	if (strncmp(path, mount.point, len) || (path[len] != '/' && path[len] != '\0') ||
	    (size_t)snprintf(directory, sizeof(directory), "%s", path) >= sizeof(directory))
		return false;
	visit_upwards(directory, len, visitor, version);
	return true;
}

bool cgroup_visit_directory(const char *directory, const struct cgroup_visitor *visitor)
{
	return visit_in(directory, visitor, 1) || visit_in(directory, visitor, 2);
}
