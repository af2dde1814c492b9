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
#include "inspect.h"
#include "observation/observation.h"
#include "proc_file.h"

/* The largest Linux builds allow 8192 CPUs; a set too small for the kernel's is an error. */
#define CPUS_MAX 8192
/* Threads that are asked: programs that pin each thread to its CPU have few more than CPUs. */
#define THREADS_MAX 256

static void add_affinity(pid_t tid, cpu_set_t *all, cpu_set_t *one)
{
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);

	CPU_ZERO_S(size, one);
	if (!sched_getaffinity(tid, size, one))
		CPU_OR_S(size, all, all, one);
}

/* Those of all its threads: a main thread may have pinned itself to one CPU, others to others. */
static void add_affinities(pid_t pid, cpu_set_t *all, cpu_set_t *one)
{
	char path[32];
	struct dirent *entry;
	int cnt = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);

	if (!dir)
		return;
	while (cnt < THREADS_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		add_affinity(atoi(entry->d_name), all, one);
		cnt++;
	}
	closedir(dir);
}

/* Returns 0 when it isn't known. */
static uint32_t cpus_in_affinity(pid_t pid)
{
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	cpu_set_t *all = CPU_ALLOC(CPUS_MAX), *one = CPU_ALLOC(CPUS_MAX);
	uint32_t cnt = 0;

	if (all && one) {
		CPU_ZERO_S(size, all);
		add_affinities(pid, all, one);
		cnt = (uint32_t)CPU_COUNT_S(size, all);
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

void inspect_host(struct observation *obs, pid_t pid)
{
	struct utsname name;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t usable = cpus_in_affinity(pid);
	double quota = cgroup_cpu_quota(pid);

	if (!uname(&name))
		obs->host.kernel = observation_intern(obs, name.release, strlen(name.release));
	obs->host.cpus_online = online > 0 ? (uint32_t)online : 1;
	if (usable && is_alive(pid)) {
		obs->host.cpus_usable = usable;
		obs->host.cpu_quota = quota;
	}
	if (obs->host.cpus_usable == 0)
		obs->host.cpus_usable = obs->host.cpus_online;
}
