/* Time that a cgroup's CPU quota held its threads back, from cpu.stat (v1 and v2). */
#include "throttle.h"
#include "observation/observation.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The directories where distributions mount the cpu controller. */
static const char *const v1_roots[] = { "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct" };
static const char *const v2_roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

/* Returns the value of @field in the cpu.stat of @group below @root, times @unit_ns. */
static uint64_t stat_field_ns(const char *root, const char *group, const char *field,
			      uint64_t unit_ns)
{
	char path[PATH_MAX + 64], line[128];
	unsigned long long value;
	size_t len = strlen(field);
	uint64_t found_ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s%s/cpu.stat", root, group);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, field, len) && line[len] == ' ' &&
		    sscanf(line + len, "%llu", &value) == 1)
			found_ns = value * unit_ns;
	fclose(file);
	return found_ns;
}

/* @line: "4:cpu,cpuacct:/path" or, for v2, "0::/path". */
static uint64_t line_throttled_ns(char *line)
{
	char *controllers = strchr(line, ':');
	char *group = controllers ? strchr(controllers + 1, ':') : NULL;
	uint64_t found_ns = 0;

	if (!group)
		return 0;
	*group++ = 0;
	group[strcspn(group, "\n")] = 0;
	if (!controllers[1])
		for (size_t i = 0; i < 2 && !found_ns; i++)
			found_ns = stat_field_ns(v2_roots[i], group, "throttled_usec", 1000);
	else if (!strncmp(controllers + 1, "cpu", 3) && strncmp(controllers + 1, "cpuset", 6))
		for (size_t i = 0; i < 2 && !found_ns; i++)
			found_ns = stat_field_ns(v1_roots[i], group, "throttled_time", 1);
	return found_ns;
}

uint64_t throttle_read_ns(pid_t pid)
{
	char path[64], line[PATH_MAX + 64];
	uint64_t found_ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && !found_ns)
		found_ns = line_throttled_ns(line);
	fclose(file);
	return found_ns;
}

void throttle_book(struct observation *obs, uint64_t throttled_ns)
{
	uint64_t preempted_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		preempted_ns += obs->threads[i].preempted_ns;
	if (!preempted_ns || !throttled_ns)
		return;
	if (throttled_ns > preempted_ns)
		throttled_ns = preempted_ns;
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		struct obs_thread *thread = &obs->threads[i];
		double share = (double)throttled_ns / (double)preempted_ns;
		uint64_t part_ns = (uint64_t)((double)thread->preempted_ns * share);

		thread->throttled_ns = part_ns;
		thread->preempted_ns -= part_ns;
	}
}
