/* Medians and the interval of a speedup, against numbers from tables and by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "verification/speedup.h"

static void medians(void **state)
{
	const uint64_t times[] = { 9, 1, 5, 4 };

	(void)state;
	assert_int_equal(run_spread_of(times, 1).median_ns, 9);
	assert_int_equal(run_spread_of(times, 2).median_ns, 5);
	assert_int_equal(run_spread_of(times, 3).median_ns, 5);
	assert_int_equal(run_spread_of(times, 4).median_ns, 4); /* (4 + 5) / 2, rounded down */
	assert_int_equal(run_spread_of(times, 4).min_ns, 1);
	assert_int_equal(run_spread_of(times, 4).max_ns, 9);
	assert_int_equal(run_spread_of((uint64_t[]){ UINT64_MAX, UINT64_MAX }, 2).median_ns,
			 UINT64_MAX);
}

static void assert_near(double value, double expected)
{
	if (fabs(value - expected) > 1e-9)
		fail_msg("%.12g, not %.12g", value, expected);
}

static void three_runs_give_the_extremes(void **state)
{
	const uint64_t before[] = { 100, 110, 120 }, after[] = { 50, 55, 40 };
	struct speedup speedup = speedup_between(before, 3, after, 3);

	(void)state;
	assert_near(speedup.measured, 110.0 / 50);
	assert_near(speedup.low, 100.0 / 55);
	assert_near(speedup.high, 120.0 / 40);
	assert_near(speedup.confidence, 0.9); /* 1 - 2/20 orders of three and three */
}

/* Tables of the rank sum test: U at most 2 of 25 is significant at 5% for 5 and 5 (P = 0.032), at
 * most 23 of 100 for 10 and 10 (P = 0.043). */
static void more_runs_leave_out_what_is_unlikely(void **state)
{
	const uint64_t ones[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	uint64_t before[10];
	struct speedup speedup;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		before[i] = 100 + i;
	speedup = speedup_between(before, 5, ones, 5);
	assert_near(speedup.low, 100);
	assert_near(speedup.high, 104);
	assert_near(speedup.confidence, 1 - 2.0 * 4 / 252); /* 1 + 1 + 2 orders with U up to 2 */
	/* Ten ratios of each kind: the 23 lowest are all of 100 and 101 and three of 102. */
	speedup = speedup_between(before, 10, ones, 10);
	assert_near(speedup.low, 102);
	assert_near(speedup.high, 107);
	assert_true(speedup.confidence > 0.95 && speedup.confidence < 0.96);
}

static void one_odd_run_does_not_carry_it_off(void **state)
{
	uint64_t before[10], after[10];
	struct speedup speedup;

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		before[i] = 200 + i;
		after[i] = 100 + i;
	}
	before[9] = 100000;
	speedup = speedup_between(before, 10, after, 10);
	assert_true(speedup.low > 1.8 && speedup.high < 2.1);
}

static void few_runs_leave_more_open(void **state)
{
	const uint64_t before[] = { 100, 101, 102 }, after[] = { 50, 50, 50 };

	(void)state;
	for (size_t cnt = 1; cnt <= 2; cnt++) {
		struct speedup speedup = speedup_between(before, cnt, after, 3);

		assert_true(speedup.confidence == 0);
		assert_near(speedup.low, speedup.measured * 0.95);
		assert_near(speedup.high, speedup.measured * 1.05);
	}
	assert_true(speedup_between(before, 3, after, 3).confidence > 0);
}

static void the_most_runs(void **state)
{
	uint64_t before[VERIFIED_RUN_MAX], after[VERIFIED_RUN_MAX];
	struct speedup speedup;

	(void)state;
	for (size_t i = 0; i < VERIFIED_RUN_MAX; i++) {
		before[i] = 3000 + i * 37 % 100;
		after[i] = 1000 + i * 61 % 100;
	}
	speedup = speedup_between(before, VERIFIED_RUN_MAX, after, VERIFIED_RUN_MAX);
	assert_true(speedup.low > 2.8 && speedup.low < speedup.measured);
	assert_true(speedup.high < 3.0 && speedup.high > speedup.measured);
	assert_true(speedup.confidence > 0.95 && speedup.confidence < 0.951);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(medians),
		cmocka_unit_test(three_runs_give_the_extremes),
		cmocka_unit_test(more_runs_leave_out_what_is_unlikely),
		cmocka_unit_test(one_odd_run_does_not_carry_it_off),
		cmocka_unit_test(few_runs_leave_more_open),
		cmocka_unit_test(the_most_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
