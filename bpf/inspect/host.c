/* What the machine offers the target: kernel, CPUs, affinity, quota. */
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroup_quota.h"
#include "inspect.h"
#include "observation/observation.h"

/* The largest Linux builds allow 8192 CPUs; a set too small for the kernel's is an error. */
#define CPUS_MAX 8192

static uint32_t cpus_in_affinity(pid_t pid)
{
	cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	uint32_t cnt = 0;

	if (!set)
		return 0;
	CPU_ZERO_S(size, set);
	if (!sched_getaffinity(pid, size, set))
		cnt = (uint32_t)CPU_COUNT_S(size, set);
	CPU_FREE(set);
	return cnt;
}

void inspect_host(struct observation *obs, pid_t pid)
{
	struct utsname name;
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (!uname(&name))
		obs->host.kernel = observation_intern(obs, name.release, strlen(name.release));
	obs->host.cpus_online = online > 0 ? (uint32_t)online : 1;
	obs->host.cpus_usable = cpus_in_affinity(pid);
	if (obs->host.cpus_usable == 0)
		obs->host.cpus_usable = obs->host.cpus_online;
	obs->host.cpu_quota = cgroup_cpu_quota(pid);
}
