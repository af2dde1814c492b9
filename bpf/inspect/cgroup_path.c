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

/* A container without a cgroup namespace sees the host's path, but has only its own part of the
 * hierarchy mounted; a process outside the namespace shows as "/..": the mount's root stands in. */
static const char *below_root(const char *path, const char *root)
{
	size_t len = strcmp(root, "/") ? strlen(root) : 0;

	if (strstr(path, "/.."))
		return "";
	if (strncmp(path, root, len) || (path[len] != '/' && path[len] != '\0'))
		return len == 0 ? path : "";
	return path + len;
}

static bool find_mount(int version, struct cgroup_mount *mount)
{
	char line[4096];
	bool is_found = false;
	FILE *in = fopen("/proc/self/mountinfo", "re");

	if (!in)
		return false;
	while (!is_found && fgets(line, sizeof(line), in))
		is_found = cgroup_parse_mount(line, "cpu", mount) == version;
	fclose(in);
	return is_found;
}

/* From the cgroup at @path, below the mount's point, up to that. */
static void visit_upwards(const struct cgroup_mount *mount, const char *path,
			  const struct cgroup_visitor *visitor, int version)
{
	char directory[CGROUP_PATH_BYTES_MAX];
	size_t point_len = strlen(mount->point);

	if ((size_t)snprintf(directory, sizeof(directory), "%s%s", mount->point, path) >=
	    sizeof(directory))
		return;
	for (;;) {
		char *slash = strrchr(directory, '/');

		visitor->visit(visitor->context, directory, version);
		if (!slash || (size_t)(slash - directory) < point_len)
			return;
		*slash = '\0';
	}
}

static void visit_hierarchy(pid_t pid, const struct cgroup_visitor *visitor, int version)
{
	char line[CGROUP_PATH_BYTES_MAX];
	struct cgroup_mount mount;

	if (!find_mount(version, &mount))
		return;
	FILE *in = proc_file_open(pid, "cgroup");

	if (!in)
		return;
	while (fgets(line, sizeof(line), in)) {
		const char *path = cgroup_parse_membership(line, version == 1 ? "cpu" : NULL);

		if (path)
			visit_upwards(&mount, below_root(path, mount.root), visitor, version);
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

static bool visit_in(const char *directory, const struct cgroup_visitor *visitor, int version)
{
	struct cgroup_mount mount;
	size_t len;

	if (!find_mount(version, &mount))
		return false;
	len = strlen(mount.point);
	if (strncmp(directory, mount.point, len) || !limits_cpus(&mount, version) ||
	    (directory[len] != '/' && directory[len] != '\0'))
		return false;
	visit_upwards(&mount, directory + len, visitor, version);
	return true;
}

bool cgroup_visit_directory(const char *directory, const struct cgroup_visitor *visitor)
{
	return visit_in(directory, visitor, 1) || visit_in(directory, visitor, 2);
}
