/* Reads CPU quotas of cgroups; see cgroup_quota.h. */
#include "cgroup_quota.h"

#include <stdbool.h>
#include <stdio.h>

#include "cgroup_path.h"

double cgroup_parse_cpu_max(const char *text)
{
	double quota_us, period_us;

	if (sscanf(text, "%lf %lf", &quota_us, &period_us) != 2 || quota_us <= 0 || period_us <= 0)
		return 0;
	return quota_us / period_us;
}

static bool read_line(const char *directory, const char *name, char *text, int size)
{
	char path[CGROUP_PATH_BYTES_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *in = fopen(path, "re");

	if (!in)
		return false;
	bool is_read = fgets(text, size, in) != NULL;

	fclose(in);
	return is_read;
}

double cgroup_quota_of(const char *directory, int version)
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

static void take_tighter(void *context, const char *directory, int version)
{
	double *tightest = context;
	double quota = cgroup_quota_of(directory, version);

	if (quota > 0 && (*tightest == 0 || quota < *tightest))
		*tightest = quota;
}

double cgroup_cpu_quota(pid_t pid, const char *directory)
{
	double tightest = 0;
	const struct cgroup_visitor visitor = { take_tighter, &tightest };

	if (!directory || !cgroup_visit_directory(directory, &visitor))
		cgroup_visit(pid, &visitor);
	return tightest;
}
