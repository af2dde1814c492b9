/* Steps are found where they are, and nothing else is: noise, spikes and cycles are no steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "account/change_points.h"
#include "arena.h"

#define POINTS	 200
#define WIDTH	 2
#define SHORTEST 10
#define MOST	 6

static uint64_t next_random(uint64_t *seed)
{
	/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003) */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* 0..1 */
static double random_share(uint64_t *seed)
{
	return (double)(next_random(seed) % 10001) / 10000;
}

struct found {
	size_t ends[MOST];
	size_t cnt;
};

/* @share is the first number of each point, the second is what it leaves of 1. */
static struct found cut(double (*share)(size_t at, uint64_t *seed), uint64_t seed)
{
	double values[POINTS * WIDTH];
	struct series series = { values, POINTS, WIDTH };
	struct arena *arena = arena_new();
	struct found found;

	assert_non_null(arena);
	for (size_t i = 0; i < POINTS; i++) {
		values[i * WIDTH] = share(i, &seed);
		values[i * WIDTH + 1] = 1 - values[i * WIDTH];
	}
	found.cnt = change_points(&series, SHORTEST, MOST, found.ends, arena);
	assert_in_range(found.cnt, 1, MOST);
	assert_int_equal(found.ends[found.cnt - 1], POINTS);
	for (size_t i = 0; i < found.cnt; i++)
		assert_true(found.ends[i] - (i ? found.ends[i - 1] : 0) >= SHORTEST / 2);
	arena_free(arena);
	return found;
}

static double step_share(size_t at, uint64_t *seed)
{
	(void)seed;
	return at < 60 ? 0.1 : 0.9;
}

static double noisy_steps_share(size_t at, uint64_t *seed)
{
	double level = at < 40 ? 0.2 : at < 130 ? 0.8 : 0.3;

	return level + 0.4 * (random_share(seed) - 0.5);
}

static double flat_share(size_t at, uint64_t *seed)
{
	(void)at;
	(void)seed;
	return 1;
}

static double noise_share(size_t at, uint64_t *seed)
{
	(void)at;
	return random_share(seed);
}

/* Requests of many points: computing for one of eight, at random. */
static double spikes_share(size_t at, uint64_t *seed)
{
	(void)at;
	return random_share(seed) < 0.125 ? 1 : 0;
}

static double cycle_share(size_t at, uint64_t *seed)
{
	(void)seed;
	return at / 10 % 2 ? 1 : 0;
}

static double drift_share(size_t at, uint64_t *seed)
{
	return 0.5 + 0.1 * (double)at / POINTS + 0.2 * (random_share(seed) - 0.5);
}

static double blip_share(size_t at, uint64_t *seed)
{
	(void)seed;
	return at >= 100 && at < 104 ? 1 : 0;
}

static void a_step_is_found_where_it_is(void **state)
{
	struct found found = cut(step_share, 1);

	(void)state;
	assert_int_equal(found.cnt, 2);
	assert_int_equal(found.ends[0], 60);
}

static void steps_are_found_in_noise(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct found found = cut(noisy_steps_share, seed);

		assert_int_equal(found.cnt, 3);
		assert_in_range(found.ends[0], 38, 42);
		assert_in_range(found.ends[1], 128, 132);
	}
}

static void nothing_is_cut_where_nothing_changes(void **state)
{
	static double (*const steady[])(size_t, uint64_t *) = {
		flat_share, noise_share, spikes_share, cycle_share, drift_share, blip_share,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steady) / sizeof(steady[0]); i++)
		for (uint64_t seed = 1; seed <= 50; seed++)
			assert_int_equal(cut(steady[i], seed).cnt, 1);
}

static void few_points_are_one_piece(void **state)
{
	double values[3 * WIDTH] = { 0, 1, 1, 0, 0, 1 };
	struct series series = { values, 3, WIDTH };
	struct arena *arena = arena_new();
	size_t ends[MOST];

	(void)state;
	assert_int_equal(change_points(&series, SHORTEST, MOST, ends, arena), 1);
	assert_int_equal(ends[0], 3);
	series.cnt = 0;
	assert_int_equal(change_points(&series, SHORTEST, MOST, ends, arena), 0);
	arena_free(arena);
}

static void no_more_pieces_than_there_is_room_for(void **state)
{
	double values[POINTS];
	struct series series = { values, POINTS, 1 };
	struct arena *arena = arena_new();
	size_t ends[2];

	(void)state;
	for (size_t i = 0; i < POINTS; i++)
		values[i] = (double)(i / 50);
	assert_int_equal(change_points(&series, SHORTEST, 2, ends, arena), 2);
	assert_int_equal(ends[1], POINTS);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_is_found_where_it_is),
		cmocka_unit_test(steps_are_found_in_noise),
		cmocka_unit_test(nothing_is_cut_where_nothing_changes),
		cmocka_unit_test(few_points_are_one_piece),
		cmocka_unit_test(no_more_pieces_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
