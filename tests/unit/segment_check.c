/* See segment_check.h. */
#include "segment_check.h"
#include "observation/observation.h"
#include "observation/segment_log.h"
#include "observation/slice_log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>

static void add(struct obs_segment *sum, const struct obs_segment *segment)
{
	uint64_t parts_ns = segment->on_cpu_ns + segment->queue_ns;

	assert_int_equal(segment->start_ns, sum->end_ns);
	assert_true(segment->end_ns > segment->start_ns);
	sum->end_ns = segment->end_ns;
	sum->on_cpu_ns += segment->on_cpu_ns;
	sum->queue_ns += segment->queue_ns;
	for (int i = 0; i < WAIT_REASON_CNT; i++) {
		parts_ns += segment->wait_ns[i];
		sum->wait_ns[i] += segment->wait_ns[i];
		sum->wait_cnt[i] += segment->wait_cnt[i];
	}
	assert_int_equal(parts_ns, segment->end_ns - segment->start_ns);
}

/* Those of thread number @index begin at @from. Returns the first one behind them. */
static size_t check_thread(const struct observation *obs, size_t index, size_t from)
{
	const struct obs_thread *thread = &obs->threads[index];
	struct obs_segment sum = { .end_ns = thread->start_ns };

	for (; from < obs->segment_cnt && obs->segments[from].thread == index; from++)
		add(&sum, &obs->segments[from]);
	assert_int_equal(sum.end_ns, thread->end_ns);
	assert_int_equal(sum.on_cpu_ns, thread->on_cpu_ns);
	assert_int_equal(sum.queue_ns,
			 thread->run_queue_ns + thread->preempted_ns + thread->throttled_ns);
	assert_memory_equal(sum.wait_ns, thread->wait_ns, sizeof(sum.wait_ns));
	assert_memory_equal(sum.wait_cnt, thread->wait_cnt, sizeof(sum.wait_cnt));
	return from;
}

size_t segment_check(const struct observation *obs)
{
	size_t next = 0, has_cnt = 0;

	assert_in_range(obs->segment_cnt, 0, SEGMENT_KEPT_MAX);
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		if (next == obs->segment_cnt || obs->segments[next].thread != i)
			continue;
		next = check_thread(obs, i, next);
		has_cnt++;
	}
	assert_int_equal(next, obs->segment_cnt);
	return has_cnt;
}

void segment_check_all(const struct observation *obs)
{
	size_t has_cnt = segment_check(obs), lived_cnt = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		lived_cnt += obs->threads[i].end_ns > obs->threads[i].start_ns;
	if (obs->thread_cnt <= SEGMENT_THREADS_ALL)
		assert_int_equal(has_cnt, lived_cnt);
}

void slice_check(const struct observation *obs)
{
	struct obs_slice sum = { 0 };

	assert_in_range(obs->slice_cnt, 0, SLICE_LOG_ROWS + 1);
	for (size_t i = 0; i < obs->slice_cnt; i++) {
		const struct obs_slice *slice = &obs->slices[i];

		assert_int_equal(slice->start_ns, sum.end_ns);
		assert_in_range(slice->computing_ns + slice->starved_ns, 0,
				slice->end_ns - slice->start_ns);
		sum.end_ns = slice->end_ns;
		sum.computing_ns += slice->computing_ns;
		sum.starved_ns += slice->starved_ns;
	}
	assert_int_equal(sum.end_ns, obs->duration_ns);
	assert_int_equal(sum.computing_ns, obs->program.computing_ns);
	assert_int_equal(sum.starved_ns, obs->program.starved_ns);
}
