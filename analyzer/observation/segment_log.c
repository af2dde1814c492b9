/* See segment_log.h. */
#include "observation/segment_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observation/parts.h"

/* Segments in which no result was waited for may get so many times as long as the others. */
#define OTHER_TIMES_MAX 16
/* Results were waited for, if for this part of a segment or more. */
#define RESULT_PART 8
/* Of too many threads, so many keep their segments. */
#define THREADS_KEPT (SEGMENT_LOG_THREADS / 2)
#define NO_ROW	     SIZE_MAX

void segment_log_init(struct segment_log *log)
{
	log->result_least_ns = log->other_least_ns = SEGMENT_LEAST_NS;
}

uint64_t segment_log_least_ns(const struct segment_log *log)
{
	return log->result_least_ns;
}

/* --- which thread --- */

/* Where the thread of @key is in the table, or would be. */
static uint16_t *find_slot(struct segment_log *log, struct segment_key key)
{
	uint64_t hash = (key.a * 0x9e3779b97f4a7c15ull ^ key.b) * 0xbf58476d1ce4e5b9ull >> 32;
	uint16_t *slot;

	for (;; hash++) {
		const struct segment_key *other;

		slot = &log->slots[hash % SEGMENT_LOG_SLOTS];
		if (!*slot)
			return slot;
		other = &log->threads[*slot - 1].key;
		if (other->a == key.a && other->b == key.b)
			return slot;
	}
}

static int compare_on_cpu(const void *a, const void *b)
{
	const struct segment_thread *x = *(const struct segment_thread *const *)a;
	const struct segment_thread *y = *(const struct segment_thread *const *)b;
	uint64_t x_ns = x->told.part_ns[PART_ON_CPU], y_ns = y->told.part_ns[PART_ON_CPU];

	if (x_ns != y_ns)
		return x_ns < y_ns ? 1 : -1;
	return x < y ? -1 : x > y;
}

/* Numbers the threads anew: those whose @new_numbers isn't 0 stay, with the rows they have. */
static void renumber(struct segment_log *log, const uint16_t *new_numbers)
{
	size_t cnt = 0, row_cnt = 0;

	for (size_t i = 0; i < log->row_cnt; i++) {
		const struct segment_row *row = &log->rows[i];
		uint16_t number = new_numbers[row->thread];

		if (!number)
			continue;
		log->threads[row->thread].last = row_cnt;
		log->rows[row_cnt] = *row;
		log->rows[row_cnt++].thread = number - 1u;
	}
	memset(log->slots, 0, sizeof(log->slots));
	for (size_t i = 0; i < log->thread_cnt; i++) {
		if (!new_numbers[i])
			continue;
		log->threads[cnt++] = log->threads[i];
		*find_slot(log, log->threads[cnt - 1].key) = (uint16_t)cnt;
	}
	log->thread_cnt = cnt;
	log->row_cnt = row_cnt;
}

/* The threads that computed least lose their segments: their totals tell them. */
static void drop_idlest(struct segment_log *log)
{
	const struct segment_thread *by_time[SEGMENT_LOG_THREADS];
	uint16_t new_numbers[SEGMENT_LOG_THREADS] = { 0 };
	uint16_t cnt = 0;

	for (size_t i = 0; i < log->thread_cnt; i++)
		by_time[i] = &log->threads[i];
	qsort(by_time, log->thread_cnt, sizeof(by_time[0]), compare_on_cpu);
	log->on_cpu_least_ns = by_time[THREADS_KEPT - 1]->told.part_ns[PART_ON_CPU];
	for (size_t i = 0; i < THREADS_KEPT; i++)
		new_numbers[by_time[i] - log->threads] = 1;
	for (size_t i = 0; i < log->thread_cnt; i++)
		if (new_numbers[i])
			new_numbers[i] = ++cnt;
	renumber(log, new_numbers);
}

/* Returns the thread of @key, which gets segments from now on, or NULL. */
static struct segment_thread *thread_of(struct segment_log *log, struct segment_key key,
					const struct segment_reading *reading)
{
	uint16_t *slot = find_slot(log, key);
	struct segment_thread *thread;

	if (*slot)
		return &log->threads[*slot - 1];
	if (reading->part_ns[PART_ON_CPU] < log->on_cpu_least_ns ||
	    reading->at_ns < reading->start_ns + log->result_least_ns)
		return NULL;
	if (log->thread_cnt == SEGMENT_LOG_THREADS) {
		drop_idlest(log);
		slot = find_slot(log, key);
	}
	thread = &log->threads[log->thread_cnt++];
	*slot = (uint16_t)log->thread_cnt;
	*thread = (struct segment_thread){ .key = key, .last = NO_ROW };
	thread->told.start_ns = thread->told.at_ns = reading->start_ns;
	return thread;
}

/* --- the rows --- */

static bool is_short(const struct segment_log *log, const struct segment_row *row)
{
	static const enum wait_reason results[] = { WAIT_NETWORK, WAIT_DISK, WAIT_IPC, WAIT_DEVICE,
						    WAIT_TIMER };
	uint64_t length_ns = row->end_ns - row->start_ns, result_ns = 0;

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		result_ns += row->part_ns[results[i]];
	if (result_ns >= length_ns / RESULT_PART)
		return length_ns < log->result_least_ns;
	return length_ns < log->other_least_ns;
}

static void absorb(struct segment_row *row, const struct segment_row *next)
{
	row->end_ns = next->end_ns;
	for (size_t i = 0; i < PART_CNT; i++)
		row->part_ns[i] += next->part_ns[i];
	for (size_t i = 0; i < WAIT_REASON_CNT; i++)
		row->wait_cnt[i] += next->wait_cnt[i];
}

/* Puts @row behind all, or into its thread's last while that one is short. */
static void append(struct segment_log *log, const struct segment_row *row)
{
	struct segment_thread *thread = &log->threads[row->thread];

	if (thread->last != NO_ROW && is_short(log, &log->rows[thread->last])) {
		absorb(&log->rows[thread->last], row);
		return;
	}
	thread->last = log->row_cnt;
	log->rows[log->row_cnt++] = *row;
}

/* Merges neighbours until there are at most @cnt_max, or one of each thread. */
static void reduce(struct segment_log *log, size_t cnt_max)
{
	while (log->row_cnt > cnt_max && log->row_cnt > log->thread_cnt) {
		size_t cnt = log->row_cnt;

		if (log->other_least_ns < OTHER_TIMES_MAX * log->result_least_ns)
			log->other_least_ns *= 2;
		else
			log->result_least_ns *= 2;
		for (size_t i = 0; i < log->thread_cnt; i++)
			log->threads[i].last = NO_ROW;
		log->row_cnt = 0;
		for (size_t i = 0; i < cnt; i++) {
			const struct segment_row row = log->rows[i];

			append(log, &row);
		}
	}
}

void segment_log_add(struct segment_log *log, struct segment_key key,
		     const struct segment_reading *reading)
{
	struct segment_thread *thread = thread_of(log, key, reading);
	struct segment_row row = { .end_ns = reading->at_ns };
	struct segment_reading *told;

	if (!thread)
		return;
	told = &thread->told;
	row.thread = (uint32_t)(thread - log->threads);
	row.start_ns = told->at_ns;
	if (row.end_ns <= row.start_ns || !parts_step(told->part_ns, reading->part_ns, PART_CNT,
						      row.end_ns - row.start_ns, row.part_ns))
		return;
	told->at_ns = row.end_ns;
	for (size_t i = 0; i < WAIT_REASON_CNT; i++) {
		row.wait_cnt[i] = reading->wait_cnt[i] - told->wait_cnt[i];
		told->wait_cnt[i] = reading->wait_cnt[i];
	}
	if (log->row_cnt == SEGMENT_LOG_ROWS)
		reduce(log, SEGMENT_LOG_ROWS * 3 / 4);
	append(log, &row);
}

/* --- the end --- */

static int compare_rows(const void *a, const void *b)
{
	const struct segment_row *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Puts the rows of each thread beside each other: `last` becomes the number of its first. */
static void sort_rows(struct segment_log *log)
{
	qsort(log->rows, log->row_cnt, sizeof(log->rows[0]), compare_rows);
	for (size_t i = log->row_cnt; i-- > 0;) {
		log->threads[log->rows[i].thread].last = i;
		log->threads[log->rows[i].thread].row_cnt++;
	}
}

static void totals_of(const struct obs_thread *thread, uint64_t *part_ns)
{
	memcpy(part_ns, thread->wait_ns, sizeof(thread->wait_ns));
	part_ns[PART_ON_CPU] = thread->on_cpu_ns;
	part_ns[PART_QUEUE] = thread->run_queue_ns + thread->preempted_ns + thread->throttled_ns;
}

/* Completes the @cnt rows of @thread with a last one, so that they sum to its totals. */
static bool complete(struct segment_row *rows, size_t cnt, const struct obs_thread *thread)
{
	struct part_rows times = { rows[0].part_ns, sizeof(rows[0]), cnt + 1, PART_CNT };
	struct part_rows counts = { rows[0].wait_cnt, sizeof(rows[0]), cnt + 1, WAIT_REASON_CNT };
	uint64_t part_ns[PART_CNT], sum_ns = 0;

	totals_of(thread, part_ns);
	for (size_t i = 0; i < PART_CNT; i++)
		sum_ns += part_ns[i];
	return sum_ns == thread->end_ns - thread->start_ns && parts_complete(&times, part_ns) &&
	       parts_complete(&counts, thread->wait_cnt);
}

static int tell(struct observation *obs, size_t thread, const struct segment_row *row)
{
	struct obs_segment *segment = observation_add_segment(obs);

	if (!segment)
		return -ENOMEM;
	segment->thread = (uint32_t)thread;
	segment->start_ns = row->start_ns;
	segment->end_ns = row->end_ns;
	segment->on_cpu_ns = row->part_ns[PART_ON_CPU];
	segment->queue_ns = row->part_ns[PART_QUEUE];
	memcpy(segment->wait_ns, row->part_ns, sizeof(segment->wait_ns));
	memcpy(segment->wait_cnt, row->wait_cnt, sizeof(segment->wait_cnt));
	return 0;
}

/* Tells the @cnt rows of thread number @index and what came after them. */
static int tell_thread(struct observation *obs, size_t index, const struct segment_row *rows,
		       size_t cnt, uint64_t begin_ns)
{
	const struct obs_thread *thread = &obs->threads[index];
	struct segment_row *all = malloc((cnt + 1) * sizeof(*all));
	int error = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		all[i] = rows[i];
		all[i].start_ns -= begin_ns;
		all[i].end_ns -= begin_ns;
	}
	/* A reading may have been under way when the observation ended. */
	while (cnt && all[cnt - 1].end_ns > thread->end_ns)
		cnt--;
	all[cnt] = (struct segment_row){
		.start_ns = cnt ? all[cnt - 1].end_ns : thread->start_ns,
		.end_ns = thread->end_ns,
	};
	if (complete(all, cnt, thread))
		for (size_t i = 0; i <= cnt && !error; i++)
			if (all[i].end_ns > all[i].start_ns)
				error = tell(obs, index, &all[i]);
	free(all);
	return error;
}

/* @log, a copy: what it holds becomes the segments of @obs. */
static int tell_all(struct segment_log *log, struct observation *obs, uint64_t begin_ns,
		    segment_key_of *key_of, const void *context)
{
	bool all_have = obs->thread_cnt <= SEGMENT_THREADS_ALL;
	int error = 0;

	/* Each thread gets a last one. */
	reduce(log, SEGMENT_KEPT_MAX - (all_have ? obs->thread_cnt : log->thread_cnt));
	sort_rows(log);
	for (size_t i = 0; i < obs->thread_cnt && !error; i++) {
		uint16_t number = *find_slot(log, key_of(obs, &obs->threads[i], context));
		const struct segment_thread *known = number ? &log->threads[number - 1] : NULL;

		if (known)
			error = tell_thread(obs, i, &log->rows[known->last], known->row_cnt,
					    begin_ns);
		else if (all_have)
			error = tell_thread(obs, i, NULL, 0, begin_ns);
	}
	return error;
}

int segment_log_sum(const struct segment_log *log, struct observation *obs, uint64_t begin_ns,
		    segment_key_of *key_of, const void *context)
{
	struct segment_log *copy = malloc(sizeof(*copy));
	int error;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, log, sizeof(*copy));
	error = tell_all(copy, obs, begin_ns, key_of, context);
	free(copy);
	return error;
}
