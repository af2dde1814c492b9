/* Sums the threads' own counters; the rows of waits only say on which objects. */
#include <stdlib.h>
#include "arena.h"
#include "thread_time.h"
#include "wait_objects.h"
#include "wait_role.h"

double share_of(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

uint64_t scale_ns(uint64_t part_ns, uint64_t numerator, uint64_t denominator)
{
	if (!denominator)
		return 0;
	return (uint64_t)((unsigned __int128)part_ns * numerator / denominator);
}

static int by_size(const void *a, const void *b)
{
	const struct report_wait *left = a, *right = b;

	if (left->wait_ns != right->wait_ns)
		return left->wait_ns < right->wait_ns ? 1 : -1;
	return (int)left->reason - (int)right->reason;
}

size_t waits_by_size(const uint64_t wait_ns[WAIT_REASON_CNT],
		     const uint64_t wait_cnt[WAIT_REASON_CNT], uint64_t wall_ns,
		     struct report_wait *waits)
{
	size_t cnt = 0;

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		if (reason == WAIT_STOPPED || !wait_ns[reason])
			continue;
		waits[cnt++] = (struct report_wait){
			.reason = reason,
			.wait_ns = wait_ns[reason],
			.wait_cnt = wait_cnt ? wait_cnt[reason] : 0,
			.share = share_of(wait_ns[reason], wall_ns),
		};
	}
	qsort(waits, cnt, sizeof(*waits), by_size);
	return cnt;
}

static struct object_part *parts_of_rows(const struct observation *obs,
					 const struct wait_roles *roles, struct arena *scratch)
{
	struct object_part *parts = arena_array(scratch, obs->wait_cnt, sizeof(*parts));

	for (size_t i = 0; parts && i < obs->wait_cnt; i++) {
		const struct obs_wait *row = &obs->waits[i];

		parts[i] = (struct object_part){
			.row = row,
			.reason = row->reason,
			.role = wait_role(roles, row),
			.ns = row->wait_ns,
		};
	}
	return parts;
}

/* What threads could not account for, and of the waits that could be explained by a row those that
 * are not. Rows may tell a little more than threads do. */
static uint64_t unexplained_ns(const struct object_part *parts, size_t cnt,
			       const uint64_t wait_ns[WAIT_REASON_CNT])
{
	uint64_t row_ns = 0;

	for (size_t i = 0; i < cnt; i++)
		if (parts[i].reason != WAIT_OTHER &&
		    is_unexplained(parts[i].reason, parts[i].role, false))
			row_ns += parts[i].ns;
	return wait_ns[WAIT_OTHER] + (row_ns < wait_ns[WAIT_POLL] ? row_ns : wait_ns[WAIT_POLL]);
}

static uint64_t accounted_ns(const struct obs_thread *thread)
{
	return thread->on_cpu_ns + thread->run_queue_ns + thread->preempted_ns +
	       thread->throttled_ns + obs_thread_wait_ns(thread);
}

uint64_t thread_wall_ns(const struct obs_thread *thread)
{
	uint64_t life_ns =
		thread->end_ns > thread->start_ns ? thread->end_ns - thread->start_ns : 0;
	uint64_t known_ns = accounted_ns(thread);

	return life_ns > known_ns ? life_ns : known_ns;
}

static void add_thread(const struct obs_thread *thread, struct report_thread_time *time,
		       uint64_t wait_ns[WAIT_REASON_CNT], uint64_t wait_cnt[WAIT_REASON_CNT])
{
	uint64_t wall_ns = thread_wall_ns(thread);

	time->on_cpu_ns += thread->on_cpu_ns;
	time->queue.wakeup_ns += thread->run_queue_ns;
	time->queue.preempted_ns += thread->preempted_ns;
	time->run_queue_ns += thread->run_queue_ns + thread->preempted_ns;
	time->throttled_ns += thread->throttled_ns;
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		wait_ns[reason] += thread->wait_ns[reason];
		wait_cnt[reason] += thread->wait_cnt[reason];
	}
	wait_ns[WAIT_OTHER] += wall_ns - accounted_ns(thread);
	time->wall_ns += wall_ns;
}

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Throttled time was taken off the time in queues, not off who had the CPUs: they had no more than
 * there is left. */
static void fill_queue(const struct observation *obs, struct arena *arena,
		       struct report_thread_time *time)
{
	struct report_queue *queue = &time->queue;

	queue->is_known = obs->source == SOURCE_EBPF;
	queue->own_ns = min_ns(obs->own_queue_ns, time->run_queue_ns);
	queue->neighbours = arena_array(arena, obs->neighbour_cnt, sizeof(*queue->neighbours));
	if (!queue->neighbours)
		return;
	for (size_t i = 0; i < obs->neighbour_cnt; i++) {
		const struct obs_neighbour *from = &obs->neighbours[i];

		queue->neighbours[queue->neighbour_cnt++] = (struct report_neighbour){
			.name = from->comm[0] ? from->comm : "(others)",
			.queue_ns = min_ns(from->queue_ns, time->run_queue_ns),
			.cnt = from->cnt,
		};
	}
}

void account_thread_time(const struct observation *obs, const struct wait_roles *roles,
			 struct arena *arena, struct arena *scratch,
			 struct report_thread_time *time)
{
	uint64_t wait_ns[WAIT_REASON_CNT] = { 0 }, wait_cnt[WAIT_REASON_CNT] = { 0 };
	struct object_part *parts;
	size_t cnt;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		add_thread(&obs->threads[i], time, wait_ns, wait_cnt);
	fill_queue(obs, arena, time);
	time->stopped_ns = wait_ns[WAIT_STOPPED];
	time->waits = arena_array(arena, WAIT_REASON_CNT, sizeof(*time->waits));
	if (!time->waits)
		return;
	time->wait_cnt = waits_by_size(wait_ns, wait_cnt, time->wall_ns, time->waits);
	parts = parts_of_rows(obs, roles, scratch);
	cnt = parts ? obs->wait_cnt : 0;
	time->unexplained_ns = unexplained_ns(parts, cnt, wait_ns);
	wait_objects_sort(parts, cnt);
	wait_objects_fill(parts, cnt, arena, scratch, time->waits, time->wait_cnt);
}
