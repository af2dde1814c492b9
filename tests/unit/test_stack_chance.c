/* The chance by which waits are chosen: it has no memory, follows the thread's pace, and what is
 * estimated by it has no bias. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "ebpf/stack_chance.h"

#define DRAW_CNT 200000
#define GAP_NS	 10000000ull

/* xorshift64*: the same every time. */
static uint32_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

static void assert_near(double value, double expected, double share)
{
	if (fabs(value - expected) > share * expected)
		fail_msg("%g, not %g", value, expected);
}

static void one_wait_in_the_mean_is_chosen(void **state)
{
	static const uint32_t means[] = { 1, 2, 3, 7, 30, 1000, CHANCE_MEAN_MAX };
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		double sum = 0;

		for (int j = 0; j < DRAW_CNT; j++)
			sum += 1 + chance_draw(means[i], random_next(&seed));
		assert_near(sum / DRAW_CNT, means[i], 0.01);
	}
}

/* However many were passed over, the next one is as likely as any. */
static void the_draw_has_no_memory(void **state)
{
	const uint32_t mean = 4;
	uint32_t over_cnt[8] = { 0 }, is_cnt[8] = { 0 };
	uint64_t seed = 2;

	(void)state;
	for (int j = 0; j < DRAW_CNT; j++) {
		uint32_t drawn = chance_draw(mean, random_next(&seed));

		for (uint32_t k = 0; k < 8; k++) {
			over_cnt[k] += drawn >= k;
			is_cnt[k] += drawn == k;
		}
	}
	for (uint32_t k = 0; k < 8; k++)
		assert_near((double)is_cnt[k] / over_cnt[k], 1.0 / mean, 0.04);
}

static void extremes_are_drawn_and_adapted_to(void **state)
{
	(void)state;
	assert_int_equal(chance_draw(0, 0), 0);
	assert_int_equal(chance_draw(1, 0), 0);
	assert_int_equal(chance_draw(2, UINT32_MAX), 0);
	assert_in_range(chance_draw(CHANCE_MEAN_MAX, 0), 20ull * CHANCE_MEAN_MAX,
			23ull * CHANCE_MEAN_MAX);
	assert_int_equal(chance_adapt(1, 1, 0, GAP_NS), 3);
	assert_int_equal(chance_adapt(1, 1, UINT32_MAX, GAP_NS), 1);
	assert_int_equal(chance_adapt(CHANCE_MEAN_MAX, UINT32_MAX, 0, GAP_NS), CHANCE_MEAN_MAX);
	assert_int_equal(chance_adapt(1000, 1000, 1000 * GAP_NS, GAP_NS), 501);
}

static void the_mean_settles_at_the_pace(void **state)
{
	uint32_t mean = 1;
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		mean = chance_adapt(mean, mean, (uint64_t)mean * 2000, GAP_NS);
	assert_in_range(mean, 4990, 5010);
}

/* A thread whose waits take 0.1 ms for a while, and then 1 and 9 ms in turn. */
static uint64_t wait_of(uint64_t i)
{
	if (i / 1000 % 3)
		return 100000;
	return i % 2 ? 9000000 : 1000000;
}

static void estimates_have_no_bias(void **state)
{
	double estimated[3] = { 0 }, true_ns[3] = { 0 };
	uint64_t seed = 3, now_ns = 0, last_ns = 0, last = 0;
	uint32_t mean = 1, left = 0;
	size_t chosen_cnt = 0;

	(void)state;
	for (uint64_t i = 0; i < 6000000; i++) {
		uint64_t wait_ns = wait_of(i);
		int kind = wait_ns == 9000000 ? 2 : wait_ns == 1000000;

		true_ns[kind] += (double)wait_ns;
		if (left) {
			left--;
		} else {
			chosen_cnt++;
			estimated[kind] += (double)wait_ns * mean;
			mean = chance_adapt(mean, i - last, now_ns - last_ns, GAP_NS);
			left = chance_draw(mean, random_next(&seed));
			last = i;
			last_ns = now_ns;
		}
		now_ns += wait_ns + 1000;
	}
	for (int kind = 0; kind < 3; kind++)
		assert_near(estimated[kind], true_ns[kind], 0.03);
	assert_in_range(chosen_cnt, 1000, now_ns / GAP_NS * 11 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wait_in_the_mean_is_chosen),
		cmocka_unit_test(the_draw_has_no_memory),
		cmocka_unit_test(extremes_are_drawn_and_adapted_to),
		cmocka_unit_test(the_mean_settles_at_the_pace),
		cmocka_unit_test(estimates_have_no_bias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
