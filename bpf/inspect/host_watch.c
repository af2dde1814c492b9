/* Keeps what the machine offers the target up to date; see host_watch.h. */
#include "host_watch.h"

#include <stdio.h>

#include "inspect.h"
#include "observation/observation.h"

#define LOOK_SOONEST_NS 5000000ULL
#define LOOK_LATEST_NS	500000000ULL

static void look_at_host(struct host_watch *watch)
{
	if (!watch->cgroup) {
		inspect_host(watch->obs, watch->pid, watch->others.usable);
		return;
	}
	if (cgroup_members_look(&watch->members) || !watch->members.cnt)
		return; /* what it had last stays */
	watch->pid = watch->members.pids[0];
	inspect_host_of_cgroup(watch->obs, watch->cgroup, watch->members.pids, watch->members.cnt,
			       watch->others.usable);
}

static void watch_quota(struct host_watch *watch)
{
	if (watch->obs->host.cpu_quota > 0 && !watch->throttle.cnt)
		cgroup_throttle_open(&watch->throttle, watch->pid, watch->cgroup);
}

void host_watch_begin(struct host_watch *watch, struct observation *obs, pid_t pid,
		      const char *directory)
{
	*watch = (struct host_watch){ .obs = obs, .pid = pid, .next_look_ns = LOOK_SOONEST_NS };
	watch->cgroup = directory;
	if (directory)
		snprintf(watch->members.directory, sizeof(watch->members.directory), "%s",
			 directory);
	cpu_others_begin(&watch->others);
	look_at_host(watch);
	watch_quota(watch);
}

void host_watch_look(struct host_watch *watch, uint64_t now_ns)
{
	uint64_t step_ns = now_ns / 2;

	if (!watch->obs || now_ns < watch->next_look_ns)
		return;
	/* Limits are set early in a program's life, if at all. */
	if (step_ns < LOOK_SOONEST_NS)
		step_ns = LOOK_SOONEST_NS;
	if (step_ns > LOOK_LATEST_NS)
		step_ns = LOOK_LATEST_NS;
	watch->next_look_ns = now_ns + step_ns;
	look_at_host(watch);
	watch_quota(watch);
	/* For the case that the cgroup goes away with the program. */
	cgroup_throttle_read_ns(&watch->throttle);
	quota_groups_read(&watch->groups);
}

void host_watch_process(struct host_watch *watch, pid_t pid)
{
	if (watch->obs && !watch->cgroup)
		quota_groups_note(&watch->groups, pid, watch->pid);
}

void host_watch_end(struct host_watch *watch)
{
	watch->throttled_ns = cgroup_throttle_read_ns(&watch->throttle);
	quota_groups_read(&watch->groups);
	if (watch->obs)
		cpu_others_end(&watch->others);
}

void host_watch_book(const struct host_watch *watch, struct observation *obs)
{
	quota_groups_book(&watch->groups, obs, watch->throttled_ns);
	cpu_others_book(&watch->others, obs);
}

void host_watch_release(struct host_watch *watch)
{
	cgroup_throttle_close(&watch->throttle);
	quota_groups_release(&watch->groups);
	cgroup_members_release(&watch->members);
	cpu_others_release(&watch->others);
}
