/* Thread time and program time from counters that lag behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "program_clock.h"
#include "thread_clock.h"

#define MS 1000000ULL

static struct thread_share advance(struct thread_clock *clock, uint64_t now_ms, uint64_t on_cpu_ms,
				   uint64_t run_queue_ms, uint64_t run_cnt, bool is_runnable)
{
	const struct thread_reading reading = {
		.now_ns = now_ms * MS,
		.on_cpu_ns = on_cpu_ms * MS,
		.run_queue_ns = run_queue_ms * MS,
		.run_cnt = run_cnt,
		.is_runnable = is_runnable,
	};
	struct thread_share share;

	thread_clock_advance(clock, &reading, &share);
	return share;
}

static void rest_of_a_sleeper_is_its_wait(void **state)
{
	struct thread_clock clock;
	struct thread_share share;

	(void)state;
	thread_clock_init(&clock, 0, NULL);
	share = advance(&clock, 10, 3, 1, 5, false);
	assert_int_equal(share.on_cpu_ns, 3 * MS);
	assert_int_equal(share.run_queue_ns, 1 * MS);
	assert_int_equal(share.wait_ns, 6 * MS);
	assert_true(share.has_run);
	share = advance(&clock, 20, 3, 1, 5, false);
	assert_int_equal(share.wait_ns, 10 * MS);
	assert_false(share.has_run);
}

static void what_was_before_the_observation_does_not_count(void **state)
{
	const struct thread_reading base = { .on_cpu_ns = 500 * MS,
					     .run_queue_ns = 70 * MS,
					     .run_cnt = 9 };
	struct thread_clock clock;
	struct thread_share share;

	(void)state;
	thread_clock_init(&clock, 0, &base);
	share = advance(&clock, 10, 504, 71, 10, false);
	assert_int_equal(share.on_cpu_ns, 4 * MS);
	assert_int_equal(share.run_queue_ns, 1 * MS);
	assert_int_equal(share.wait_ns, 5 * MS);
}

/* Between two ticks the counter of a running thread stands still; that is no wait. */
static void lag_of_a_running_thread_is_made_up_later(void **state)
{
	struct thread_clock clock;
	struct thread_share share;

	(void)state;
	thread_clock_init(&clock, 0, NULL);
	share = advance(&clock, 3, 0, 0, 1, true);
	assert_int_equal(share.on_cpu_ns + share.run_queue_ns + share.wait_ns + share.old_wait_ns,
			 0);
	assert_int_equal(clock.open_ns, 3 * MS);
	share = advance(&clock, 6, 4, 0, 1, true);
	assert_int_equal(share.on_cpu_ns, 4 * MS);
	assert_int_equal(share.old_wait_ns, 0);
	assert_int_equal(clock.open_ns, 2 * MS);
	share = advance(&clock, 8, 8, 0, 1, true);
	assert_int_equal(share.on_cpu_ns, 4 * MS);
	assert_int_equal(clock.open_ns, 0);
}

/* The kernel adds run-queue time when the thread gets its CPU, however long that took. */
static void long_queueing_is_no_wait(void **state)
{
	struct thread_clock clock;
	struct thread_share share;

	(void)state;
	thread_clock_init(&clock, 0, NULL);
	for (uint64_t now_ms = 10; now_ms <= 90; now_ms += 10) {
		share = advance(&clock, now_ms, 0, 0, 1, true);
		assert_int_equal(share.wait_ns + share.old_wait_ns, 0);
	}
	share = advance(&clock, 100, 2, 97, 2, false);
	assert_int_equal(share.on_cpu_ns, 2 * MS);
	assert_int_equal(share.run_queue_ns, 97 * MS);
	assert_int_equal(share.wait_ns, 1 * MS);
}

/* A thread that is runnable at every look has slept all the same if it was rescheduled. */
static void waits_between_two_runs_are_found(void **state)
{
	struct thread_clock clock;
	struct thread_share share;

	(void)state;
	thread_clock_init(&clock, 0, NULL);
	advance(&clock, 10, 1, 0, 1, true); /* open: 9 */
	share = advance(&clock, 20, 2, 0, 4, true);
	assert_int_equal(share.on_cpu_ns, 1 * MS);
	assert_int_equal(share.old_wait_ns, 8 * MS);
	assert_int_equal(clock.open_ns, 10 * MS);
}

/* A thread that runs exec takes over its leader's id, and its own counters come with it. */
static void foreign_counters_start_anew(void **state)
{
	struct thread_clock clock;
	struct thread_share share;

	(void)state;
	thread_clock_init(&clock, 0, NULL);
	advance(&clock, 10, 2, 0, 1, false);
	share = advance(&clock, 20, 5000, 100, 900, false);
	assert_int_equal(share.on_cpu_ns, 0);
	assert_int_equal(share.wait_ns, 10 * MS);
	share = advance(&clock, 30, 5004, 100, 901, false);
	assert_int_equal(share.on_cpu_ns, 4 * MS);
	share = advance(&clock, 40, 1, 0, 902, false); /* and back again */
	assert_int_equal(share.on_cpu_ns, 0);
	share = advance(&clock, 50, 3, 0, 903, false);
	assert_int_equal(share.on_cpu_ns, 2 * MS);
}

/* Whatever the counters say, shares and what is open add up to the time that passed. */
static void shares_always_sum_to_wall(void **state)
{
	struct thread_clock clock;
	uint64_t sum_ns = 0, random = 12345, on_cpu_ms = 0, run_queue_ms = 0, now_ms = 0;

	(void)state;
	thread_clock_init(&clock, 0, NULL);
	for (uint64_t i = 0; i < 10000; i++) {
		struct thread_share share;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		now_ms += random >> 60;
		on_cpu_ms += random >> 56 & 7;
		run_queue_ms += random >> 52 & 7;
		share = advance(&clock, now_ms, on_cpu_ms, run_queue_ms, i / (1 + (random >> 62)),
				random >> 50 & 1);
		sum_ns += share.on_cpu_ns + share.run_queue_ns + share.wait_ns + share.old_wait_ns;
		assert_int_equal(sum_ns + clock.open_ns, now_ms * MS);
	}
}

static uint64_t program(struct program_clock *clock, uint64_t elapsed_ms, uint64_t on_cpu_ms,
			uint64_t run_queue_ms, uint64_t open_ms)
{
	const struct program_interval interval = {
		.elapsed_ns = elapsed_ms * MS,
		.on_cpu_ns = on_cpu_ms * MS,
		.run_queue_ns = run_queue_ms * MS,
		.open_ns = open_ms * MS,
	};

	return program_clock_advance(clock, &interval);
}

static void program_time_is_split_in_three(void **state)
{
	struct program_clock clock = { 0 };

	(void)state;
	assert_int_equal(program(&clock, 10, 3, 2, 0), 5 * MS);
	assert_int_equal(clock.computing_ns, 3 * MS);
	assert_int_equal(clock.starved_ns, 2 * MS);
	assert_int_equal(clock.quiet_ns, 5 * MS);
	/* Two threads at once can't compute for longer than the interval, nor starve then. */
	assert_int_equal(program(&clock, 10, 19, 8, 0), 0);
	assert_int_equal(clock.computing_ns, 13 * MS);
	assert_int_equal(clock.starved_ns, 2 * MS);
}

static void program_is_not_quiet_while_a_thread_is_open(void **state)
{
	struct program_clock clock = { 0 };

	(void)state;
	assert_int_equal(program(&clock, 10, 0, 0, 10), 0);
	assert_int_equal(program(&clock, 10, 1, 18, 0), 1 * MS);
	assert_int_equal(clock.starved_ns, 18 * MS);
	assert_int_equal(clock.open_ns, 0);
}

static void unseen_children_count_when_there_is_room(void **state)
{
	struct program_clock clock = { 0 };
	const struct program_interval lump = { .elapsed_ns = 5 * MS, .unseen_ns = 12 * MS };

	(void)state;
	assert_int_equal(program_clock_advance(&clock, &lump), 0);
	assert_int_equal(program(&clock, 5, 0, 0, 0), 0);
	assert_int_equal(program(&clock, 5, 1, 0, 0), 2 * MS);
	assert_int_equal(clock.computing_ns, 13 * MS);
}

/* The clocks are read a moment after the interval ends: what is too much for it is of the next. */
static void time_read_late_is_not_lost(void **state)
{
	struct program_clock clock = { 0 };
	const struct program_interval late = { .elapsed_ns = 10 * MS,
					       .on_cpu_ns = 11 * MS,
					       .late_ns = 1 * MS };

	(void)state;
	assert_int_equal(program_clock_advance(&clock, &late), 0);
	assert_int_equal(program(&clock, 10, 9, 0, 0), 0);
	assert_int_equal(clock.computing_ns, 20 * MS);
	/* What was at the same time is not made up for. */
	assert_int_equal(program(&clock, 10, 20, 0, 0), 0);
	assert_int_equal(program(&clock, 10, 0, 0, 0), 10 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_of_a_sleeper_is_its_wait),
		cmocka_unit_test(what_was_before_the_observation_does_not_count),
		cmocka_unit_test(lag_of_a_running_thread_is_made_up_later),
		cmocka_unit_test(long_queueing_is_no_wait),
		cmocka_unit_test(waits_between_two_runs_are_found),
		cmocka_unit_test(foreign_counters_start_anew),
		cmocka_unit_test(shares_always_sum_to_wall),
		cmocka_unit_test(program_time_is_split_in_three),
		cmocka_unit_test(program_is_not_quiet_while_a_thread_is_open),
		cmocka_unit_test(time_read_late_is_not_lost),
		cmocka_unit_test(unseen_children_count_when_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
