/* What the machine offers the target: kernel, CPUs, affinity, quota. */
#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroup_quota.h"
#include "cpu_others.h"
#include "inspect.h"
#include "observation/observation.h"
#include "proc_file.h"

/* Threads that are asked: programs that pin each thread to its CPU have few more than CPUs. */
#define THREADS_MAX 256

static void add_affinity(pid_t tid, cpu_set_t *all, cpu_set_t *one)
{
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);

	CPU_ZERO_S(size, one);
	if (!sched_getaffinity(tid, size, one))
		CPU_OR_S(size, all, all, one);
}

/* Those of all its threads, at most @max: a main thread may have pinned itself to one CPU, others
 * to others. Returns how many were asked. */
static int add_affinities(pid_t pid, int max, cpu_set_t *all, cpu_set_t *one)
{
	char path[32];
	struct dirent *entry;
	int cnt = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);

	if (!dir)
		return 0;
	while (cnt < max && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		add_affinity(atoi(entry->d_name), all, one);
		cnt++;
	}
	closedir(dir);
	return cnt;
}

/* Returns 0 when it isn't known, and leaves @usable (or NULL) as it was. */
static uint32_t cpus_in_affinities(const pid_t *pids, size_t pid_cnt, cpu_set_t *usable)
{
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	cpu_set_t *all = CPU_ALLOC(CPUS_MAX), *one = CPU_ALLOC(CPUS_MAX);
	int left = THREADS_MAX;
	uint32_t cnt = 0;

	if (all && one) {
		CPU_ZERO_S(size, all);
		for (size_t i = 0; i < pid_cnt && left > 0; i++)
			left -= add_affinities(pids[i], left, all, one);
		cnt = (uint32_t)CPU_COUNT_S(size, all);
		if (cnt && usable)
			memcpy(usable, all, size);
	}
	CPU_FREE(all);
	CPU_FREE(one);
	return cnt;
}

/* What is read of a process that has ended is nobody's: a zombie is in the root cgroup. */
static bool is_alive(pid_t pid)
{
	struct proc_stat stat;

	return !proc_stat_read(pid, &stat) && stat.state != 'Z' && stat.state != 'X';
}

static void describe_machine(struct observation *obs)
{
	struct utsname name;
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (!uname(&name))
		obs->host.kernel = observation_intern(obs, name.release, strlen(name.release));
	obs->host.cpus_online = online > 0 ? (uint32_t)online : 1;
	if (obs->host.cpus_usable == 0)
		obs->host.cpus_usable = obs->host.cpus_online;
}

void inspect_host(struct observation *obs, pid_t pid, cpu_set_t *cpus)
{
	uint32_t usable = cpus_in_affinities(&pid, 1, cpus);
	double quota = cgroup_cpu_quota(pid, NULL);

	if (usable && is_alive(pid)) {
		obs->host.cpus_usable = usable;
		obs->host.cpu_quota = quota;
	}
	describe_machine(obs);
}

void inspect_host_of_cgroup(struct observation *obs, const char *directory, const pid_t *pids,
			    size_t pid_cnt, cpu_set_t *cpus)
{
	uint32_t usable = cpus_in_affinities(pids, pid_cnt, cpus);
	double quota = cgroup_cpu_quota(pid_cnt ? pids[0] : 0, directory);

	if (usable) {
		obs->host.cpus_usable = usable;
		obs->host.cpu_quota = quota;
	}
	describe_machine(obs);
}
