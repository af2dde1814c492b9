/* Tells apart which quotas hold which processes back; see quota_groups.h. */
#include "quota_groups.h"

#include <stdlib.h>
#include <string.h>

#include "cgroup_path.h"
#include "cgroup_quota.h"
#include "observation/observation.h"

/* FNV-1a over the names of the cgroups with a quota, from the process's own upwards. */
static void add_to_id(void *context, const char *directory, int version)
{
	uint64_t *id = context;

	if (cgroup_quota_of(directory, version) <= 0)
		return;
	if (!*id)
		*id = 14695981039346656037ull;
	for (const char *at = directory; *at; at++)
		*id = (*id ^ (unsigned char)*at) * 1099511628211ull;
}

static uint64_t quotas_of(pid_t pid)
{
	uint64_t id = 0;

	cgroup_visit(pid, &(struct cgroup_visitor){ add_to_id, &id });
	return id;
}

static bool has_member(const struct quota_group *group, pid_t pid)
{
	for (size_t i = 0; i < group->pid_cnt; i++)
		if (group->pids[i] == pid)
			return true;
	return false;
}

static void remove_member(struct quota_groups *groups, pid_t pid)
{
	for (size_t g = 0; g < groups->cnt; g++) {
		struct quota_group *group = &groups->groups[g];

		for (size_t i = 0; i < group->pid_cnt; i++)
			if (group->pids[i] == pid)
				group->pids[i--] = group->pids[--group->pid_cnt];
	}
}

static struct quota_group *find_group(struct quota_groups *groups, uint64_t id, pid_t pid)
{
	struct quota_group *group;

	for (size_t i = 0; i < groups->cnt; i++)
		if (groups->groups[i].id == id)
			return &groups->groups[i];
	if (groups->cnt == QUOTA_GROUPS_MAX)
		return NULL;
	group = &groups->groups[groups->cnt++];
	*group = (struct quota_group){ .id = id, .cpu_quota = cgroup_cpu_quota(pid, NULL) };
	cgroup_throttle_open(&group->throttle, pid, NULL);
	return group;
}

void quota_groups_note(struct quota_groups *groups, pid_t pid, pid_t root)
{
	uint64_t id = pid == root ? 0 : quotas_of(pid);
	struct quota_group *group;
	pid_t *grown;

	/* Without a quota it may just have ended, and where it was stands. */
	if (!id)
		return;
	if (id == quotas_of(root)) {
		remove_member(groups, pid);
		return;
	}
	group = find_group(groups, id, pid);
	if (!group || group->pid_cnt == QUOTA_GROUP_PIDS_MAX || has_member(group, pid))
		return;
	remove_member(groups, pid);
	grown = realloc(group->pids, (group->pid_cnt + 1) * sizeof(pid_t));
	if (!grown)
		return;
	group->pids = grown;
	group->pids[group->pid_cnt++] = pid;
}

void quota_groups_read(struct quota_groups *groups)
{
	for (size_t i = 0; i < groups->cnt; i++)
		groups->groups[i].throttled_ns =
			cgroup_throttle_read_ns(&groups->groups[i].throttle);
}

static bool is_in(const void *context, pid_t pid)
{
	return has_member(context, pid);
}

static bool is_in_none(const void *context, pid_t pid)
{
	const struct quota_groups *groups = context;

	for (size_t i = 0; i < groups->cnt; i++)
		if (has_member(&groups->groups[i], pid))
			return false;
	return true;
}

static uint64_t wanted_cpu_ns(const struct obs_thread *thread)
{
	return thread->on_cpu_ns + thread->run_queue_ns + thread->preempted_ns +
	       thread->throttled_ns;
}

static bool is_most_of_tree(const struct quota_group *group, const struct observation *obs)
{
	uint64_t all_ns = 0, group_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++) {
		all_ns += wanted_cpu_ns(&obs->threads[i]);
		if (has_member(group, obs->threads[i].pid))
			group_ns += wanted_cpu_ns(&obs->threads[i]);
	}
	return group_ns > all_ns / 2;
}

void quota_groups_book(const struct quota_groups *groups, struct observation *obs,
		       uint64_t root_throttled_ns)
{
	cgroup_throttle_book_part(obs, root_throttled_ns, is_in_none, groups);
	for (size_t i = 0; i < groups->cnt; i++) {
		const struct quota_group *group = &groups->groups[i];

		cgroup_throttle_book_part(obs, group->throttled_ns, is_in, group);
		if (obs->host.cpu_quota <= 0 && is_most_of_tree(group, obs))
			obs->host.cpu_quota = group->cpu_quota;
	}
}

void quota_groups_release(struct quota_groups *groups)
{
	for (size_t i = 0; i < groups->cnt; i++) {
		cgroup_throttle_close(&groups->groups[i].throttle);
		free(groups->groups[i].pids);
	}
	memset(groups, 0, sizeof(*groups));
}
