/* Sums the threads' own counters; the rows of waits only say on which objects. */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "thread_time.h"

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

/* Equal things together, so that rows of several processes can be merged; within one reason. */
static int by_identity(const void *a, const void *b)
{
	const struct obs_wait *left = *(const struct obs_wait *const *)a;
	const struct obs_wait *right = *(const struct obs_wait *const *)b;

	if (left->reason != right->reason)
		return (int)left->reason - (int)right->reason;
	if (left->kind != right->kind)
		return (int)left->kind - (int)right->kind;
	if (left->direction != right->direction)
		return (int)left->direction - (int)right->direction;
	return strcmp(left->name, right->name);
}

static const char *object_title(struct arena *arena, const struct obs_wait *row)
{
	switch (row->kind) {
	case OBJECT_FILE:
	case OBJECT_DIRECTORY:
	case OBJECT_BLOCK:
	case OBJECT_TTY:
	case OBJECT_DEVICE:
	case OBJECT_ANON:
	case OBJECT_PIPE:
	case OBJECT_NONE: /* these names speak for themselves */
		if (row->name[0])
			return arena_string(arena, row->name);
		break;
	default:
		break;
	}
	if (!row->name[0])
		return arena_string(arena, object_kind_name(row->kind));
	return arena_printf(arena, "%s %s", object_kind_name(row->kind), row->name);
}

static int by_object_size(const void *a, const void *b)
{
	const struct report_object *left = a, *right = b;

	if (left->wait_ns != right->wait_ns)
		return left->wait_ns < right->wait_ns ? 1 : -1;
	return strcmp(left->name, right->name);
}

/* Waits for nothing in particular (a sleep, a fault), or for things not kept apart. */
static bool has_object(const struct obs_wait *row)
{
	return row->kind != OBJECT_NONE || row->name[0];
}

/* Merges the sorted rows of one reason into objects, largest first. Returns how many. */
static size_t merge_rows(const struct obs_wait *const *rows, size_t row_cnt, struct arena *arena,
			 struct report_object *objects)
{
	size_t cnt = 0;

	for (size_t i = 0; i < row_cnt; i++) {
		if (!has_object(rows[i]))
			continue;
		if (!cnt || by_identity(&rows[i - 1], &rows[i]))
			objects[cnt++] = (struct report_object){
				.name = object_title(arena, rows[i]),
				.direction = rows[i]->direction,
			};
		objects[cnt - 1].wait_ns += rows[i]->wait_ns;
		objects[cnt - 1].wait_cnt += rows[i]->wait_cnt;
	}
	qsort(objects, cnt, sizeof(*objects), by_object_size);
	return cnt;
}

/*
 * Makes the largest objects, and after them one for all others, sum to what the threads counted,
 * which is exact where rows may not be: a surplus is taken from the smallest. Returns how many
 * objects are left.
 */
static size_t settle(struct report_object *objects, size_t cnt, const struct report_wait *wait)
{
	uint64_t sum_ns = 0, sum_cnt = 0;

	if (cnt > OBJECTS_KEPT)
		cnt = OBJECTS_KEPT;
	for (size_t i = 0; i < cnt; i++) {
		sum_ns += objects[i].wait_ns;
		sum_cnt += objects[i].wait_cnt;
	}
	if (cnt && sum_ns < wait->wait_ns) {
		objects[cnt++] = (struct report_object){
			.name = "(others)",
			.wait_ns = wait->wait_ns - sum_ns,
			.wait_cnt = wait->wait_cnt > sum_cnt ? wait->wait_cnt - sum_cnt : 0,
		};
	}
	while (sum_ns > wait->wait_ns) {
		uint64_t surplus = sum_ns - wait->wait_ns;
		uint64_t cut =
			objects[cnt - 1].wait_ns < surplus ? objects[cnt - 1].wait_ns : surplus;

		objects[cnt - 1].wait_ns -= cut;
		sum_ns -= cut;
		if (!objects[cnt - 1].wait_ns)
			cnt--;
	}
	return cnt;
}

static void add_objects(const struct obs_wait *const *rows, size_t row_cnt, struct arena *arena,
			struct arena *scratch, struct report_wait *wait)
{
	struct report_object *objects = arena_array(scratch, row_cnt + 1, sizeof(*objects));
	size_t cnt;

	if (!objects)
		return;
	cnt = merge_rows(rows, row_cnt, arena, objects);
	cnt = settle(objects, cnt, wait);
	wait->objects = arena_array(arena, cnt, sizeof(*objects));
	if (!wait->objects)
		return;
	memcpy(wait->objects, objects, cnt * sizeof(*objects));
	wait->object_cnt = cnt;
}

static void add_all_objects(const struct observation *obs, struct arena *arena,
			    struct arena *scratch, struct report_thread_time *time)
{
	const struct obs_wait **rows = arena_array(scratch, obs->wait_cnt, sizeof(*rows));
	size_t first = 0;

	for (size_t i = 0; rows && i < obs->wait_cnt; i++)
		rows[i] = &obs->waits[i];
	if (rows)
		qsort(rows, obs->wait_cnt, sizeof(*rows), by_identity);
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		size_t next = first;

		while (rows && next < obs->wait_cnt && rows[next]->reason == (unsigned)reason)
			next++;
		for (size_t i = 0; i < time->wait_cnt; i++)
			if (time->waits[i].reason == (unsigned)reason)
				add_objects(rows ? rows + first : NULL, next - first, arena,
					    scratch, &time->waits[i]);
		first = next;
	}
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
	time->run_queue_ns += thread->run_queue_ns + thread->preempted_ns;
	time->throttled_ns += thread->throttled_ns;
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		wait_ns[reason] += thread->wait_ns[reason];
		wait_cnt[reason] += thread->wait_cnt[reason];
	}
	wait_ns[WAIT_OTHER] += wall_ns - accounted_ns(thread);
	time->wall_ns += wall_ns;
}

void account_thread_time(const struct observation *obs, struct arena *arena, struct arena *scratch,
			 struct report_thread_time *time)
{
	uint64_t wait_ns[WAIT_REASON_CNT] = { 0 }, wait_cnt[WAIT_REASON_CNT] = { 0 };

	for (size_t i = 0; i < obs->thread_cnt; i++)
		add_thread(&obs->threads[i], time, wait_ns, wait_cnt);
	time->stopped_ns = wait_ns[WAIT_STOPPED];
	time->waits = arena_array(arena, WAIT_REASON_CNT, sizeof(*time->waits));
	if (!time->waits)
		return;
	time->wait_cnt = waits_by_size(wait_ns, wait_cnt, time->wall_ns, time->waits);
	add_all_objects(obs, arena, scratch, time);
}
