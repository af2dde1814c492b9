/* Reads CPU quotas of cgroups; see cgroup_quota.h. */
#include "cgroup_quota.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc_file.h"

#define PATH_BYTES_MAX 2048

double cgroup_parse_cpu_max(const char *text)
{
	double quota_us, period_us;

	if (sscanf(text, "%lf %lf", &quota_us, &period_us) != 2 || quota_us <= 0 || period_us <= 0)
		return 0;
	return quota_us / period_us;
}

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
	return !strcmp(type, "cgroup") && has_word(options, controller) ? 1 : 0;
}

static bool read_line(const char *directory, const char *name, char *text, int size)
{
	char path[PATH_BYTES_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *in = fopen(path, "re");

	if (!in)
		return false;
	bool is_read = fgets(text, size, in) != NULL;

	fclose(in);
	return is_read;
}

static double quota_of(const char *directory, int version)
{
	char text[64], quota[24], period[24];

	if (version == 2)
		return read_line(directory, "cpu.max", text, sizeof(text))
			       ? cgroup_parse_cpu_max(text)
			       : 0;
	if (!read_line(directory, "cpu.cfs_quota_us", quota, sizeof(quota)) ||
	    !read_line(directory, "cpu.cfs_period_us", period, sizeof(period)))
		return 0;
	snprintf(text, sizeof(text), "%s %s", quota, period);
	return cgroup_parse_cpu_max(text);
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

static double tightest_quota(const struct cgroup_mount *mount, const char *path, int version)
{
	char directory[PATH_BYTES_MAX];
	size_t point_len = strlen(mount->point);
	double tightest = 0;

	if ((size_t)snprintf(directory, sizeof(directory), "%s%s", mount->point,
			     below_root(path, mount->root)) >= sizeof(directory))
		return 0;
	for (;;) {
		double quota = quota_of(directory, version);
		char *slash = strrchr(directory, '/');

		if (quota > 0 && (tightest == 0 || quota < tightest))
			tightest = quota;
		if (!slash || (size_t)(slash - directory) < point_len)
			return tightest;
		*slash = '\0';
	}
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

static double quota_in_hierarchy(pid_t pid, int version)
{
	char line[PATH_BYTES_MAX];
	struct cgroup_mount mount;
	double quota = 0;

	if (!find_mount(version, &mount))
		return 0;
	FILE *in = proc_file_open(pid, "cgroup");

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in)) {
		const char *path = cgroup_parse_membership(line, version == 1 ? "cpu" : NULL);

		if (path)
			quota = tightest_quota(&mount, path, version);
	}
	fclose(in);
	return quota;
}

double cgroup_cpu_quota(pid_t pid)
{
	double of_v1 = quota_in_hierarchy(pid, 1);
	double of_v2 = quota_in_hierarchy(pid, 2);

	return of_v1 > 0 && (of_v2 == 0 || of_v1 < of_v2) ? of_v1 : of_v2;
}
