/* The 95% intervals of shares of program time: that they hold the truth as often as they say, on
 * runs whose truth is known, steady and not; and what is not known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "account/spread.h"
#include "account/windows.h"
#include "observation_builder.h"

#define SLICE_MS 20
#define RUN_CNT	 400

static const struct quiet_mix all_results = { .results = 1 };

/* Numbers in 0..1 that are the same in each run of the test (Park and Miller's generator). */
struct chance {
	uint64_t state;
};

static double draw(struct chance *chance)
{
	chance->state = chance->state * 48271 % 2147483647;
	return (double)chance->state / 2147483647;
}

/* A program that computes and waits by turns, each for a time of exponential or even distribution,
 * seen from some instant in the middle of its life. */
struct turns {
	double computing_ms, waiting_ms; /* in the mean */
	bool is_even;			 /* from half of the mean to one and a half */
};

static double draw_length(struct chance *chance, double mean_ms, bool is_even)
{
	return is_even ? mean_ms * (0.5 + draw(chance)) : -mean_ms * log(1 - draw(chance));
}

static void compute(struct observation *obs, double from_ms, double to_ms)
{
	while (from_ms < to_ms) {
		size_t at = (size_t)(from_ms / SLICE_MS);
		double until_ms = fmin(to_ms, (double)(at + 1) * SLICE_MS);

		if (at >= obs->slice_cnt)
			return;
		obs->slices[at].computing_ns += (uint64_t)((until_ms - from_ms) * 1e6);
		/* Never stands still for want of digits. */
		from_ms = until_ms > from_ms ? until_ms : nextafter(to_ms, INFINITY);
	}
}

static void build_slices(struct observation *obs, uint64_t ms)
{
	for (uint64_t at = 0; at < ms; at += SLICE_MS) {
		struct obs_slice *slice = observation_add_slice(obs);

		slice->start_ns = at * MS;
		slice->end_ns = (at + SLICE_MS) * MS;
	}
}

static void build_turns(struct observation *obs, uint64_t ms, const struct turns *turns,
			struct chance *chance)
{
	double now_ms = -20 * draw(chance) * (turns->computing_ms + turns->waiting_ms);

	observation_init(obs);
	build_slices(obs, ms);
	while (now_ms < (double)ms) {
		double length_ms = draw_length(chance, turns->computing_ms, turns->is_even);

		compute(obs, fmax(now_ms, 0), now_ms + length_ms);
		now_ms += length_ms + draw_length(chance, turns->waiting_ms, turns->is_even);
	}
}

static struct report_program_time time_of(const struct observation *obs)
{
	struct report_program_time time = { 0 };

	for (size_t i = 0; i < obs->slice_cnt; i++) {
		const struct obs_slice *slice = &obs->slices[i];

		time.wall_ns += slice->end_ns - slice->start_ns;
		time.computing_ns += slice->computing_ns;
		time.starved_ns += slice->starved_ns;
	}
	time.quiet_ns = time.wall_ns - time.computing_ns - time.starved_ns;
	return time;
}

/* In how many of the runs the interval holds the truth; @mean_width becomes how wide it is. */
static double coverage(uint64_t ms, const struct turns *turns, double *mean_width)
{
	double truth = turns->computing_ms / (turns->computing_ms + turns->waiting_ms);
	struct chance chance = { 1 };
	int held_cnt = 0;

	*mean_width = 0;
	for (int i = 0; i < RUN_CNT; i++) {
		struct report_program_time time;
		struct observation obs;
		struct spread spread;
		double cpu;

		build_turns(&obs, ms, turns, &chance);
		time = time_of(&obs);
		account_spread(&obs, NULL, &all_results, &spread);
		cpu = (double)time.computing_ns / (double)time.wall_ns;
		held_cnt += fabs(cpu - truth) <= spread.cpu;
		*mean_width += 2 * spread.cpu / RUN_CNT;
		observation_release(&obs);
	}
	return (double)held_cnt / RUN_CNT;
}

/* 95% of 400 draws lie between 93 and 97%; turns that are more even than chance are held more
 * often, and those that last as long as a batch somewhat less. */
static void intervals_hold_the_truth_as_often_as_they_say(void **state)
{
	static const struct {
		uint64_t ms;
		struct turns turns;
		double least;
		double widest;
	} cases[] = {
		{ 2000, { 2, 20, false }, 0.93, 0.08 },
		{ 2000, { 20, 20, false }, 0.93, 0.30 },
		{ 2000, { 50, 50, true }, 0.93, 0.16 },
		{ 2000, { 100, 100, false }, 0.90, 0.60 },
		{ 10000, { 20, 20, false }, 0.93, 0.15 },
		{ 10000, { 100, 100, false }, 0.93, 0.30 },
		{ 10000, { 200, 200, false }, 0.92, 0.45 },
		{ 10000, { 300, 100, true }, 0.93, 0.12 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double width, part = coverage(cases[i].ms, &cases[i].turns, &width);

		print_message(
			"%5ju ms, %g ms computing, %g ms waiting: held by %.1f%%, width %.3f\n",
			(uintmax_t)cases[i].ms, cases[i].turns.computing_ms,
			cases[i].turns.waiting_ms, 100 * part, width);
		assert_true(part >= cases[i].least);
		assert_true(width <= cases[i].widest);
	}
}

/* Turns as long as a batch, kept to the beat: batches that look alike every other time mustn't pass
 * for a steady program. */
static void slow_turns_are_not_steady(void **state)
{
	(void)state;
	for (double turn_ms = 100; turn_ms <= 500; turn_ms += 100) {
		struct observation obs;
		struct spread spread;

		observation_init(&obs);
		build_slices(&obs, 2000);
		for (double from_ms = 0; from_ms < 2000; from_ms += 2 * turn_ms)
			compute(&obs, from_ms, from_ms + turn_ms);
		account_spread(&obs, NULL, &all_results, &spread);
		assert_true(spread.cpu > 0.15);
		observation_release(&obs);
	}
}

static struct spread spread_of(const struct observation *obs, double idle_share)
{
	const struct quiet_mix mix = { .idle = idle_share, .results = 1 - idle_share };
	struct spread spread;

	account_spread(obs, NULL, &mix, &spread);
	return spread;
}

static void a_steady_program_has_narrow_intervals(void **state)
{
	struct observation obs;
	struct spread spread;

	(void)state;
	observation_init(&obs);
	build_slices(&obs, 1000);
	for (size_t i = 0; i < obs.slice_cnt; i++)
		obs.slices[i].computing_ns = (SLICE_MS / 2 - i % 3) * MS;
	spread = spread_of(&obs, 0);
	assert_true(spread.cpu >= 0 && spread.cpu < 0.02);
	assert_true(fabs(spread.cpu - spread.wait) < 1e-9);
	assert_true(fabs(spread.cpu - spread.unstarved) < 1e-9);
	assert_true(spread.starved < 1e-9 && spread.idle < 1e-9);
	observation_release(&obs);
}

/* A server that does the same for each request is steady, however unevenly they come. */
static void idle_time_is_left_out(void **state)
{
	struct chance chance = { 7 };
	struct observation obs;
	struct spread spread;

	(void)state;
	observation_init(&obs);
	build_slices(&obs, 2000);
	for (size_t i = 0; i < obs.slice_cnt; i++)
		obs.slices[i].computing_ns = (uint64_t)(draw(&chance) * SLICE_MS) * MS;
	spread = spread_of(&obs, 1);
	assert_true(spread.cpu >= 0 && spread.cpu < 1e-9);
	assert_true(spread.idle > 0.01);
	observation_release(&obs);
}

/* Requests come by chance, but each takes as much computing and as much waiting. Where it is known
 * what quiet was for, that is steady; from slices alone it can't be told from turns. */
static void windows_tell_idle_from_waiting(void **state)
{
	struct window all[100] = { 0 };
	const struct windows windows = { .windows = all, .cnt = 100 };
	struct quiet_mix mix = { 0 };
	struct chance chance = { 3 };
	struct spread by_windows, by_slices;
	double quiet_ns = 0, idle_ns = 0;
	struct observation obs;

	(void)state;
	observation_init(&obs);
	build_slices(&obs, 2000);
	for (size_t i = 0; i < 100; i++) {
		double request_cnt = floor(3 * draw(&chance));

		all[i].start_ns = obs.slices[i].start_ns;
		all[i].end_ns = obs.slices[i].end_ns;
		all[i].computing_ns = (uint64_t)(2 * request_cnt) * MS;
		all[i].quiet_ns[QUIET_RESULT] = 5 * request_cnt * (double)MS;
		all[i].quiet_ns[QUIET_WORK] = (SLICE_MS - 7 * request_cnt) * (double)MS;
		obs.slices[i].computing_ns = all[i].computing_ns;
		idle_ns += all[i].quiet_ns[QUIET_WORK];
		quiet_ns += all[i].quiet_ns[QUIET_WORK] + all[i].quiet_ns[QUIET_RESULT];
	}
	mix.idle = idle_ns / quiet_ns;
	mix.results = 1 - mix.idle;
	account_spread(&obs, &windows, &mix, &by_windows);
	account_spread(&obs, NULL, &mix, &by_slices);
	assert_true(by_windows.cpu >= 0 && by_windows.cpu < 1e-9);
	assert_true(by_windows.results >= 0 && by_windows.results < 1e-9);
	assert_true(by_windows.idle > 0.01);
	assert_true(by_slices.cpu > 0.01);
	observation_release(&obs);
}

static void too_little_is_not_known(void **state)
{
	struct observation obs;

	(void)state;
	observation_init(&obs);
	assert_true(spread_of(&obs, 0).cpu == -1);
	build_slices(&obs, 4 * SLICE_MS);
	assert_true(spread_of(&obs, 0).cpu == -1);
	build_slices(&obs, SLICE_MS);
	observation_release(&obs);
	observation_init(&obs);
	build_slices(&obs, 5 * SLICE_MS);
	assert_true(spread_of(&obs, 0).cpu >= 0);
	/* All of it idle: there is no busy time to have a share of. */
	assert_true(spread_of(&obs, 1).cpu == -1);
	assert_true(spread_of(&obs, 1).idle >= 0);
	observation_release(&obs);
}

static void intervals_stay_within_bounds(void **state)
{
	const struct spread known = { .cpu = 0.1, .wait = 0.2 },
			    unknown = { .cpu = -1, .wait = -1 };
	struct report_ratios ratios = { .cpu = 0.95, .wait = 0.05 };

	(void)state;
	account_intervals(&known, &ratios);
	assert_true(fabs(ratios.cpu_low - 0.85) < 1e-9 && ratios.cpu_high == 1);
	assert_true(ratios.wait_low == 0 && fabs(ratios.wait_high - 0.25) < 1e-9);
	account_intervals(&unknown, &ratios);
	assert_true(ratios.cpu_low == -1 && ratios.cpu_high == -1 && ratios.wait_low == -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_hold_the_truth_as_often_as_they_say),
		cmocka_unit_test(slow_turns_are_not_steady),
		cmocka_unit_test(a_steady_program_has_narrow_intervals),
		cmocka_unit_test(idle_time_is_left_out),
		cmocka_unit_test(windows_tell_idle_from_waiting),
		cmocka_unit_test(too_little_is_not_known),
		cmocka_unit_test(intervals_stay_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
