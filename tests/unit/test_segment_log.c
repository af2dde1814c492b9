/* Segments and slices gathered without bound, and kept within one; see segment_log.h, slice_log.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "observation/segment_log.h"
#include "observation/slice_log.h"
#include "segment_check.h"

#define MS	 1000000ull
#define BEGIN_NS (5000 * MS)

/* --- a tree that works --- */

struct tree {
	struct segment_log log;
	struct observation obs;
	struct segment_reading *at; /* of each thread of obs */
};

static struct tree *tree_new(size_t thread_cnt)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	segment_log_init(&tree->log);
	observation_init(&tree->obs);
	tree->at = calloc(thread_cnt, sizeof(*tree->at));
	assert_non_null(tree->at);
	for (size_t i = 0; i < thread_cnt; i++) {
		struct obs_thread *thread = observation_add_thread(&tree->obs);

		assert_non_null(thread);
		thread->tid = (pid_t)(1000 + i);
		thread->start_ns = i;
		tree->at[i].start_ns = tree->at[i].at_ns = BEGIN_NS + i;
	}
	return tree;
}

static void tree_free(struct tree *tree)
{
	observation_release(&tree->obs);
	free(tree->at);
	free(tree);
}

/* Thread number @thread computes for @on_cpu_ns and then waits for @wait_ns, which is not told. */
static void work(struct tree *tree, size_t thread, uint64_t on_cpu_ns, enum wait_reason reason,
		 uint64_t wait_ns)
{
	struct segment_reading *at = &tree->at[thread];

	at->part_ns[PART_ON_CPU] += on_cpu_ns;
	at->part_ns[reason] += wait_ns;
	at->wait_cnt[reason] += wait_ns > 0;
	at->at_ns += on_cpu_ns + wait_ns;
}

static void tell(struct tree *tree, size_t thread)
{
	segment_log_add(&tree->log, (struct segment_key){ 7, tree->at[thread].start_ns },
			&tree->at[thread]);
}

static struct segment_key key_of(const struct observation *obs, const struct obs_thread *thread,
				 const void *context)
{
	(void)obs;
	(void)context;
	return (struct segment_key){ 7, thread->start_ns + BEGIN_NS };
}

/* Ends each thread's life where it is, with what it has done. */
static void tree_end(struct tree *tree)
{
	for (size_t i = 0; i < tree->obs.thread_cnt; i++) {
		struct obs_thread *thread = &tree->obs.threads[i];

		thread->end_ns = tree->at[i].at_ns - BEGIN_NS;
		thread->on_cpu_ns = tree->at[i].part_ns[PART_ON_CPU];
		thread->run_queue_ns = tree->at[i].part_ns[PART_QUEUE];
		memcpy(thread->wait_ns, tree->at[i].part_ns, sizeof(thread->wait_ns));
		memcpy(thread->wait_cnt, tree->at[i].wait_cnt, sizeof(thread->wait_cnt));
	}
}

static size_t sum_up(struct tree *tree)
{
	free(tree->obs.segments);
	tree->obs.segments = NULL;
	tree->obs.segment_cnt = 0;
	assert_int_equal(segment_log_sum(&tree->log, &tree->obs, BEGIN_NS, key_of, NULL), 0);
	return segment_check(&tree->obs);
}

/* --- segments --- */

static void single_operations_stay_apart(void **state)
{
	struct tree *tree = tree_new(1);

	(void)state;
	for (int i = 0; i < 100; i++) {
		work(tree, 0, MS, WAIT_NETWORK, 5 * MS + (unsigned)i);
		tell(tree, 0);
	}
	work(tree, 0, MS, WAIT_NETWORK, 0);
	tree_end(tree);
	assert_int_equal(sum_up(tree), 1);
	assert_int_equal(tree->obs.segment_cnt, 101);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(tree->obs.segments[i].wait_ns[WAIT_NETWORK], 5 * MS + i);
	tree_free(tree);
}

static void long_runs_are_merged(void **state)
{
	struct tree *tree = tree_new(1);

	(void)state;
	for (int i = 0; i < 100000; i++) {
		work(tree, 0, MS, WAIT_NETWORK, 5 * MS);
		tell(tree, 0);
	}
	tree_end(tree);
	assert_int_equal(sum_up(tree), 1);
	/* Of about the same length, and not fewer than needed. */
	assert_in_range(tree->obs.segment_cnt, SEGMENT_KEPT_MAX / 4, SEGMENT_KEPT_MAX);
	for (size_t i = 0; i + 1 < tree->obs.segment_cnt; i++)
		assert_in_range(tree->obs.segments[i].wait_cnt[WAIT_NETWORK], 50, 800);
	assert_true(segment_log_least_ns(&tree->log) > SEGMENT_LEAST_NS);
	tree_free(tree);
}

static void computing_is_merged_before_operations(void **state)
{
	struct tree *tree = tree_new(2);
	size_t single_cnt = 0;

	(void)state;
	for (int i = 0; i < 500; i++) {
		work(tree, 0, MS, WAIT_DISK, 9 * MS);
		tell(tree, 0);
	}
	for (int i = 0; i < 5000; i++) {
		work(tree, 1, MS, WAIT_LOCK, MS);
		tell(tree, 1);
	}
	tree_end(tree);
	assert_int_equal(sum_up(tree), 2);
	for (size_t i = 0; i < tree->obs.segment_cnt; i++)
		single_cnt += tree->obs.segments[i].wait_cnt[WAIT_DISK] == 1;
	assert_int_equal(single_cnt, 500);
	tree_free(tree);
}

static void fast_waits_share_one(void **state)
{
	struct tree *tree = tree_new(1);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		work(tree, 0, MS / 20, WAIT_IPC, MS / 20);
		tell(tree, 0);
	}
	tree_end(tree);
	assert_int_equal(sum_up(tree), 1);
	assert_in_range(tree->obs.segment_cnt, 90, 110);
	tree_free(tree);
}

static void few_threads_have_one_each_at_least(void **state)
{
	struct tree *tree = tree_new(SEGMENT_THREADS_ALL);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		work(tree, 3, MS, WAIT_TIMER, MS);
		tell(tree, 3);
	}
	for (size_t i = 0; i < SEGMENT_THREADS_ALL; i++)
		work(tree, i, 100, WAIT_TIMER, MS);
	tree_end(tree);
	assert_int_equal(sum_up(tree), SEGMENT_THREADS_ALL);
	tree_free(tree);
}

/* Of ten thousand that sleep, the few that compute are told in detail. */
static void of_many_threads_the_busy_ones_have_segments(void **state)
{
	const size_t thread_cnt = 10000, busy_cnt = 20;
	struct tree *tree = tree_new(thread_cnt);
	size_t busy_segment_cnt = 0;

	(void)state;
	for (int round = 0; round < 30; round++) {
		for (size_t i = 0; i < thread_cnt; i++) {
			bool is_busy = i % (thread_cnt / busy_cnt) == 0;

			work(tree, i, is_busy ? 50 * MS : MS / 10 + i, WAIT_SYNC, 50 * MS);
			tell(tree, i);
		}
	}
	tree_end(tree);
	assert_in_range(sum_up(tree), busy_cnt, SEGMENT_LOG_THREADS);
	for (size_t i = 0; i < tree->obs.segment_cnt; i++)
		busy_segment_cnt += tree->obs.segments[i].thread % (thread_cnt / busy_cnt) == 0;
	assert_true(busy_segment_cnt > 2 * busy_cnt);
	tree_free(tree);
}

/* The GIL is known late: what was taken for other waits becomes waits for it. */
static void totals_put_right_show_in_segments(void **state)
{
	struct tree *tree = tree_new(1);
	struct obs_thread *thread = &tree->obs.threads[0];

	(void)state;
	for (int i = 0; i < 10; i++) {
		work(tree, 0, MS, i < 5 ? WAIT_SYNC : WAIT_GIL, 5 * MS);
		tell(tree, 0);
	}
	tree_end(tree);
	thread->wait_ns[WAIT_SYNC] -= 15 * MS;
	thread->wait_ns[WAIT_GIL] += 15 * MS;
	thread->wait_cnt[WAIT_SYNC] -= 3;
	thread->wait_cnt[WAIT_GIL] += 3;
	assert_int_equal(sum_up(tree), 1);
	assert_int_equal(tree->obs.segments[2].wait_ns[WAIT_GIL], 5 * MS);
	assert_int_equal(tree->obs.segments[3].wait_ns[WAIT_SYNC], 5 * MS);
	tree_free(tree);
}

/* The kernel's account of CPU time takes some back from the run queue. */
static void what_shrinks_is_made_up(void **state)
{
	struct tree *tree = tree_new(1);
	struct segment_reading *at = &tree->at[0];

	(void)state;
	at->part_ns[PART_QUEUE] = 1000;
	at->at_ns += 1000;
	for (int i = 0; i < 20; i++) {
		work(tree, 0, 2 * MS, WAIT_DISK, MS);
		at->part_ns[PART_QUEUE] -= 50;
		at->part_ns[PART_ON_CPU] += 50;
		tell(tree, 0);
	}
	tree_end(tree);
	assert_int_equal(sum_up(tree), 1);
	assert_int_equal(tree->obs.segment_cnt, 20);
	tree_free(tree);
}

static void readings_that_do_not_add_up_are_left_out(void **state)
{
	struct tree *tree = tree_new(1);
	struct segment_reading wrong;

	(void)state;
	work(tree, 0, MS, WAIT_DISK, MS);
	tell(tree, 0);
	wrong = tree->at[0];
	wrong.at_ns += 10 * MS;
	segment_log_add(&tree->log, (struct segment_key){ 7, wrong.start_ns }, &wrong);
	work(tree, 0, MS, WAIT_DISK, MS);
	tell(tree, 0);
	tell(tree, 0); /* no time has passed */
	tree_end(tree);
	assert_int_equal(sum_up(tree), 1);
	assert_int_equal(tree->obs.segment_cnt, 2);
	tree_free(tree);
}

static void readings_beyond_the_end_are_dropped(void **state)
{
	struct tree *tree = tree_new(1);

	(void)state;
	work(tree, 0, MS, WAIT_DISK, MS);
	tell(tree, 0);
	tree_end(tree);
	work(tree, 0, MS, WAIT_DISK, MS);
	tell(tree, 0);
	assert_int_equal(sum_up(tree), 1);
	assert_int_equal(tree->obs.segment_cnt, 1);
	tree_free(tree);
}

static void summing_up_changes_nothing(void **state)
{
	struct tree *tree = tree_new(1);
	struct segment_log *before = malloc(sizeof(*before));

	(void)state;
	assert_non_null(before);
	for (int i = 0; i < 2000; i++) {
		work(tree, 0, MS, WAIT_DISK, MS);
		tell(tree, 0);
	}
	tree_end(tree);
	memcpy(before, &tree->log, sizeof(*before));
	assert_int_equal(sum_up(tree), 1);
	assert_memory_equal(before, &tree->log, sizeof(*before));
	free(before);
	tree_free(tree);
}

/* A thread whose totals stand for others': they are not those of one life. */
static void totals_of_several_lives_have_no_segments(void **state)
{
	struct tree *tree = tree_new(2);

	(void)state;
	work(tree, 0, MS, WAIT_DISK, MS);
	work(tree, 1, MS, WAIT_DISK, MS);
	tree_end(tree);
	tree->obs.threads[1].on_cpu_ns *= 3;
	assert_int_equal(sum_up(tree), 1);
	assert_int_equal(tree->obs.segment_cnt, 1);
	tree_free(tree);
}

/* --- slices --- */

static void slice_at(struct slice_log *log, uint64_t at_ns)
{
	const uint64_t part_ns[SLICE_PART_CNT] = { at_ns / 2, at_ns / 4,
						   at_ns - at_ns / 2 - at_ns / 4 };

	slice_log_add(log, at_ns, part_ns);
}

static void sum_slices(const struct slice_log *log, struct observation *obs, uint64_t duration_ns)
{
	observation_init(obs);
	obs->duration_ns = duration_ns;
	obs->program.computing_ns = duration_ns / 2 + 10;
	obs->program.starved_ns = duration_ns / 4 - 20;
	obs->program.quiet_ns = duration_ns - obs->program.computing_ns - obs->program.starved_ns;
	assert_int_equal(slice_log_sum(log, obs), 0);
	slice_check(obs);
}

static void slices_sum_to_program_time(void **state)
{
	struct slice_log log = { 0 };
	struct observation obs;

	(void)state;
	for (uint64_t i = 1; i <= 50; i++)
		slice_at(&log, i * 20 * MS);
	sum_slices(&log, &obs, 1005 * MS);
	assert_int_equal(obs.slice_cnt, 51);
	observation_release(&obs);
	/* A tree that died before the last looks. */
	sum_slices(&log, &obs, 905 * MS);
	assert_int_equal(obs.slice_cnt, 46);
	observation_release(&obs);
}

static void slices_of_a_long_run_are_merged(void **state)
{
	struct slice_log log = { 0 };
	struct observation obs;

	(void)state;
	for (uint64_t i = 1; i <= 200000; i++)
		slice_at(&log, i * 20 * MS);
	sum_slices(&log, &obs, 4000000 * MS);
	assert_in_range(obs.slice_cnt, 64, SLICE_LOG_ROWS);
	for (size_t i = 0; i + 1 < obs.slice_cnt; i++)
		assert_in_range(obs.slices[i].end_ns - obs.slices[i].start_ns, 4000000 * MS / 1024,
				4000000 * MS / 32);
	observation_release(&obs);
}

static void without_looks_there_is_one_slice(void **state)
{
	const struct slice_log log = { 0 };
	struct observation obs;

	(void)state;
	sum_slices(&log, &obs, 100 * MS);
	assert_int_equal(obs.slice_cnt, 1);
	observation_release(&obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_operations_stay_apart),
		cmocka_unit_test(long_runs_are_merged),
		cmocka_unit_test(computing_is_merged_before_operations),
		cmocka_unit_test(fast_waits_share_one),
		cmocka_unit_test(few_threads_have_one_each_at_least),
		cmocka_unit_test(of_many_threads_the_busy_ones_have_segments),
		cmocka_unit_test(totals_put_right_show_in_segments),
		cmocka_unit_test(what_shrinks_is_made_up),
		cmocka_unit_test(readings_that_do_not_add_up_are_left_out),
		cmocka_unit_test(readings_beyond_the_end_are_dropped),
		cmocka_unit_test(summing_up_changes_nothing),
		cmocka_unit_test(totals_of_several_lives_have_no_segments),
		cmocka_unit_test(slices_sum_to_program_time),
		cmocka_unit_test(slices_of_a_long_run_are_merged),
		cmocka_unit_test(without_looks_there_is_one_slice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
