/* Program time, as the probes keep it: what was computing is told from starving also where the
 * switch that brought a thread onto a CPU went unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ebpf/wire.h"

/* What program_time.bpf.h takes from the probes' side, which isn't to be had here. */
#define CLASSIFY_TASK_BPF_H
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
typedef uint64_t u64;
typedef int64_t s64;
typedef uint32_t u32;
typedef uint64_t __u64;
enum task_state { TASK_SEEDING, TASK_ON_CPU, TASK_WOKEN, TASK_PREEMPTED, TASK_BLOCKED };
static u64 observed_from_ns;
#include "ebpf/program_time.bpf.h"

#define BEGIN 1000 /* the instant from which the tests count */

/* One thread that is on a CPU at the beginning. */
static int begin(void **state)
{
	(void)state;
	active_cnt = ON_CPU;
	program_restart(BEGIN);
	return 0;
}

static void shift(s64 delta, u64 at)
{
	program_shift(delta, BEGIN + at);
}

static u64 starved_at(u64 at)
{
	return program_starved_ns(BEGIN + at);
}

/* A thread that has been runnable since @runnable, when the tree had starved for @starved_ns,
 * leaves a CPU at @now, which it entered unseen at @entered. */
static void leave(u64 runnable, u64 starved_ns, u64 entered, u64 now)
{
	u64 told_ns =
		starved_ns == STARVED_UNKNOWN ? STARVED_UNKNOWN : starved_at(now) - starved_ns;

	program_repair(now - entered, now - runnable, told_ns, BEGIN + now);
}

static void assert_times(u64 until, s64 computing, s64 starved, s64 quiet)
{
	s64 sums[WIRE_PROGRAM_STATE_CNT];

	for (int i = 0; i < WIRE_PROGRAM_STATE_CNT; i++)
		sums[i] = (s64)program_ns[i];
	sums[program_state(active_cnt)] += (s64)(BEGIN + until);
	assert_int_equal(sums[WIRE_COMPUTING], computing);
	assert_int_equal(sums[WIRE_STARVED], starved);
	assert_int_equal(sums[WIRE_QUIET], quiet);
}

static void what_is_seen_adds_up(void **state)
{
	(void)state;
	shift(RUNNABLE - ON_CPU, 10); /* preempted */
	shift(ON_CPU - RUNNABLE, 13);
	shift(-ON_CPU, 20); /* waits */
	shift(RUNNABLE, 50);
	shift(ON_CPU - RUNNABLE, 51);
	assert_times(60, 10 + 7 + 9, 3 + 1, 30);
}

static void a_thread_alone_that_came_unseen_computed(void **state)
{
	(void)state;
	shift(RUNNABLE - ON_CPU, 10);
	leave(10, 0, 14, 40);
	shift(-RUNNABLE, 40);
	assert_times(40, 10 + 26, 4, 0);
}

/* Another one's short turns in between must not hide it. */
static void what_others_did_meanwhile_hides_nothing(void **state)
{
	(void)state;
	shift(RUNNABLE - ON_CPU, 10);
	for (u64 at = 20; at < 100; at += 20) {
		shift(RUNNABLE, at);
		shift(ON_CPU - RUNNABLE, at + 1);
		shift(-ON_CPU, at + 2);
	}
	leave(10, 0, 12, 100);
	shift(-RUNNABLE, 100);
	assert_times(100, 10 + 88, 2, 0);
}

static void what_another_computed_is_no_starving_to_repair(void **state)
{
	(void)state;
	shift(RUNNABLE, 5); /* a second thread, which is on a CPU unseen from 7 on */
	leave(5, 0, 7, 20);
	shift(-RUNNABLE, 20);
	assert_times(30, 30, 0, 0);
}

/* Its wakeup was unseen, too: until another one was woken the tree is said to have been quiet. */
static void what_was_told_as_quiet_is_repaired_too(void **state)
{
	(void)state;
	shift(-ON_CPU, 0);
	shift(RUNNABLE, 18); /* another one, in a queue until 20 */
	shift(RUNNABLE, 10); /* as switch_in() does when the first one leaves, at 20 */
	leave(10, STARVED_UNKNOWN, 10, 20);
	shift(-RUNNABLE, 20);
	shift(ON_CPU - RUNNABLE, 20);
	assert_times(30, 10 + 10, 0, 10);
}

/* It came after the quiet, or the quiet had been repaired already. */
static void quiet_of_another_time_stays(void **state)
{
	(void)state;
	shift(-ON_CPU, 0);
	shift(RUNNABLE, 8);
	shift(ON_CPU - RUNNABLE, 8);
	shift(RUNNABLE, 10);
	leave(10, STARVED_UNKNOWN, 10, 20);
	shift(-RUNNABLE, 20);
	shift(RUNNABLE, 4);
	leave(4, STARVED_UNKNOWN, 4, 24);
	shift(-RUNNABLE, 24);
	shift(RUNNABLE, 3);
	leave(3, STARVED_UNKNOWN, 3, 25);
	shift(-RUNNABLE, 25);
	assert_times(30, 4 + 22, 0, 4);
}

static void two_at_once_are_repaired_once(void **state)
{
	(void)state;
	shift(RUNNABLE - ON_CPU, 0);
	shift(RUNNABLE, 0);
	leave(0, 0, 0, 10);
	shift(-RUNNABLE, 10);
	leave(0, 0, 0, 12);
	shift(-RUNNABLE, 12);
	assert_times(12, 12, 0, 0);
}

/* Between two words that another CPU writes. */
static void a_torn_reading_is_left_out(void **state)
{
	(void)state;
	shift(RUNNABLE - ON_CPU, 10);
	shift(ON_CPU, 12);
	program_repair(5, 10, BEGIN + 15, BEGIN + 20);
	assert_times(20, 10 + 8, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_seen_adds_up, begin),
		cmocka_unit_test_setup(a_thread_alone_that_came_unseen_computed, begin),
		cmocka_unit_test_setup(what_others_did_meanwhile_hides_nothing, begin),
		cmocka_unit_test_setup(what_another_computed_is_no_starving_to_repair, begin),
		cmocka_unit_test_setup(what_was_told_as_quiet_is_repaired_too, begin),
		cmocka_unit_test_setup(quiet_of_another_time_stays, begin),
		cmocka_unit_test_setup(two_at_once_are_repaired_once, begin),
		cmocka_unit_test_setup(a_torn_reading_is_left_out, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
