/* Groups threads by name; the class of a group comes from its threads' time alone. */
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/roles.h"
#include "decide/thresholds.h"

struct group {
	const char *name;
	uint32_t thread_cnt;
	uint64_t life_ns;
	uint64_t on_cpu_ns;
	uint64_t runnable_ns;
	uint64_t outside_ns;
	uint64_t idle_ns;
	uint64_t timer_ns;
	uint64_t wait_ns[WAIT_REASON_CNT];
	uint64_t wait_cnt[WAIT_REASON_CNT];
};

static bool is_main(const struct thread_facts *thread)
{
	return thread->thread->tid == thread->thread->pid;
}

static const char *process_name(const struct thread_facts *thread)
{
	return thread->process ? thread->process->process->comm : "";
}

static int by_role(const void *a, const void *b)
{
	const struct thread_facts *left = *(const struct thread_facts *const *)a;
	const struct thread_facts *right = *(const struct thread_facts *const *)b;
	int order = strcmp(process_name(left), process_name(right));

	if (!order)
		order = (int)is_main(right) - (int)is_main(left);
	return order ? order : strcmp(left->thread->comm, right->thread->comm);
}

static int by_life(const void *a, const void *b)
{
	const struct group *left = a, *right = b;

	if (left->life_ns != right->life_ns)
		return left->life_ns < right->life_ns ? 1 : -1;
	return strcmp(left->name, right->name);
}

static const char *group_name(const struct facts *facts, const struct thread_facts *thread)
{
	const char *process = process_name(thread), *comm = thread->thread->comm;

	if (is_main(thread))
		return arena_printf(facts->arena, "%s (main)", process[0] ? process : comm);
	if (!process[0] || !strcmp(process, comm))
		return arena_printf(facts->arena, "%s (other threads)", comm);
	return arena_printf(facts->arena, "%s: %s", process, comm);
}

static struct group group_of(const struct thread_facts *thread)
{
	struct group group = {
		.thread_cnt = 1,
		.life_ns = thread->life_ns,
		.on_cpu_ns = thread->thread->on_cpu_ns,
		.runnable_ns = thread->runnable_ns,
		.outside_ns = thread->outside_ns,
		.idle_ns = thread->idle_ns,
		.timer_ns = thread->timer_ns,
	};

	memcpy(group.wait_ns, thread->thread->wait_ns, sizeof(group.wait_ns));
	memcpy(group.wait_cnt, thread->thread->wait_cnt, sizeof(group.wait_cnt));
	return group;
}

static void add_group(struct group *to, const struct group *group)
{
	to->thread_cnt += group->thread_cnt;
	to->life_ns += group->life_ns;
	to->on_cpu_ns += group->on_cpu_ns;
	to->runnable_ns += group->runnable_ns;
	to->outside_ns += group->outside_ns;
	to->idle_ns += group->idle_ns;
	to->timer_ns += group->timer_ns;
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		to->wait_ns[reason] += group->wait_ns[reason];
		to->wait_cnt[reason] += group->wait_cnt[reason];
	}
}

/* The rules of docs/rules.md, on thread time: what a thread spends idle is no part of it. */
static enum verdict_class class_of(const struct group *group)
{
	uint64_t lock_ns = group->wait_ns[WAIT_LOCK] + group->wait_ns[WAIT_GIL];
	uint64_t served_ns = group->runnable_ns + group->outside_ns + group->timer_ns + lock_ns;

	if (share_of(group->idle_ns, group->life_ns) >= IDLE_SHARE)
		return CLASS_IDLE;
	if (!served_ns)
		return CLASS_INCONCLUSIVE;
	if (share_of(group->wait_ns[WAIT_LOCK], served_ns) >= LOCK_SHARE)
		return CLASS_LOCK_BOUND;
	/* Waiting for the GIL or a CPU is wanting to compute. */
	if (share_of(group->runnable_ns + group->wait_ns[WAIT_GIL], served_ns) >= CPU_SHARE)
		return CLASS_CPU_BOUND;
	if (share_of(group->outside_ns, served_ns) >= IO_SHARE)
		return CLASS_IO_BOUND;
	if (share_of(group->timer_ns, served_ns) >= TIMER_SHARE)
		return CLASS_TIMER_BOUND;
	return CLASS_MIXED;
}

static void fill_role(const struct facts *facts, const struct group *group,
		      struct report_role *role)
{
	role->name = group->name;
	role->thread_cnt = group->thread_cnt;
	role->verdict_class = class_of(group);
	role->on_cpu_ns = group->on_cpu_ns;
	role->waits = arena_array(facts->arena, WAIT_REASON_CNT, sizeof(*role->waits));
	if (role->waits)
		role->wait_cnt =
			waits_by_size(group->wait_ns, group->wait_cnt, group->life_ns, role->waits);
}

static size_t group_threads(const struct facts *facts, struct group *groups)
{
	size_t cnt = facts->obs->thread_cnt, group_cnt = 0;
	const struct thread_facts **sorted = arena_array(facts->scratch, cnt, sizeof(*sorted));

	if (!sorted)
		return 0;
	for (size_t i = 0; i < cnt; i++)
		sorted[i] = &facts->threads[i];
	qsort(sorted, cnt, sizeof(*sorted), by_role);
	for (size_t i = 0; i < cnt; i++) {
		struct group alone = group_of(sorted[i]);

		if (!i || by_role(&sorted[i - 1], &sorted[i]))
			groups[group_cnt++].name = group_name(facts, sorted[i]);
		add_group(&groups[group_cnt - 1], &alone);
	}
	qsort(groups, group_cnt, sizeof(*groups), by_life);
	return group_cnt;
}

void roles_report(const struct facts *facts, struct report *report)
{
	struct group *groups = arena_array(facts->scratch, facts->obs->thread_cnt, sizeof(*groups));
	size_t cnt = groups ? group_threads(facts, groups) : 0;

	if (cnt > ROLES_KEPT) {
		for (size_t i = ROLES_KEPT; i < cnt; i++)
			add_group(&groups[ROLES_KEPT - 1], &groups[i]);
		groups[ROLES_KEPT - 1].name = "(others)";
		cnt = ROLES_KEPT;
	}
	report->roles = arena_array(facts->arena, cnt, sizeof(*report->roles));
	report->role_cnt = report->roles ? cnt : 0;
	for (size_t i = 0; i < report->role_cnt; i++)
		fill_role(facts, &groups[i], &report->roles[i]);
}
