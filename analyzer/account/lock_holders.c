/* Who held the locks that others waited for; see lock_holders.h. */
#include "account/lock_holders.h"
#include <string.h>
#include "account/thread_time.h"
#include "account/wait_objects.h"
#include "arena.h"

static const char *lock_title(struct arena *arena, const struct obs_lock_holder *holder)
{
	struct obs_wait lock = { .kind = holder->kind, .name = holder->name };

	return wait_object_title(arena, &lock);
}

struct lock_held lock_held_by(const struct observation *obs, const char *title, pid_t pid,
			      struct arena *scratch)
{
	struct lock_held held = { .longest = NULL };
	uint64_t wait_ns = 0;

	for (size_t i = 0; i < obs->lock_holder_cnt; i++) {
		const struct obs_lock_holder *holder = &obs->lock_holders[i];

		if ((pid && holder->pid != pid) || strcmp(lock_title(scratch, holder), title))
			continue;
		held.holder_cnt += holder->tid != 0;
		held.has_others |= holder->tid == 0;
		held.handover_cnt += holder->handover_cnt;
		wait_ns += holder->wait_ns;
		if (holder->tid && (!held.longest || holder->wait_ns > held.longest->wait_ns))
			held.longest = holder;
	}
	if (held.longest)
		held.share = share_of(held.longest->wait_ns, wait_ns);
	return held;
}

static bool is_same_lock(const struct obs_lock_holder *a, const struct obs_lock_holder *b)
{
	return a->pid == b->pid && a->kind == b->kind && !strcmp(a->name, b->name);
}

static uint64_t lock_wait_ns(const struct observation *obs, const struct obs_lock_holder *lock)
{
	uint64_t wait_ns = 0;

	for (size_t i = 0; i < obs->lock_holder_cnt; i++)
		if (is_same_lock(&obs->lock_holders[i], lock))
			wait_ns += obs->lock_holders[i].wait_ns;
	return wait_ns;
}

void account_lock_holders(const struct observation *obs, struct report *report)
{
	report->lock_holders =
		arena_array(report->arena, obs->lock_holder_cnt, sizeof(*report->lock_holders));
	if (!report->lock_holders)
		return;
	report->lock_holder_cnt = obs->lock_holder_cnt;
	for (size_t i = 0; i < obs->lock_holder_cnt; i++) {
		const struct obs_lock_holder *holder = &obs->lock_holders[i];

		report->lock_holders[i] = (struct report_lock_holder){
			.lock = lock_title(report->arena, holder),
			.pid = holder->pid,
			.tid = holder->tid,
			.thread = arena_string(report->arena, holder->comm),
			.wait_ns = holder->wait_ns,
			.share = share_of(holder->wait_ns, lock_wait_ns(obs, holder)),
			.handover_cnt = holder->handover_cnt,
		};
	}
}
