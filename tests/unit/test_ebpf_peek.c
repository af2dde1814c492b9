/* Looking at an observation that goes on: what is told of it so far, and what it costs. That
 * looking disturbs nothing every live test shows: each is looked at while it runs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"

#define MS	   1000000ull
#define WATCHED_NS (60 * MS)
#define THREAD_CNT 100

static void *sleep_long(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

static int many_sleep(void *arg)
{
	pthread_t threads[THREAD_CNT];

	(void)arg;
	for (int i = 1; i < THREAD_CNT; i++)
		if (pthread_create(&threads[i], NULL, sleep_long, NULL))
			return 1;
	sleep_long(NULL);
	return 0;
}

static int many_nap(void *arg)
{
	(void)arg;
	for (;;)
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	return 0;
}

static int compute(void *arg)
{
	(void)arg;
	for (volatile uint64_t i = 0;; i++)
		;
	return 0;
}

/* Looks until it succeeds. */
static struct observation peek(struct live *live)
{
	struct observation obs;

	while (!live_peek(live, &obs))
		;
	return obs;
}

static uint64_t program_ns(const struct observation *obs)
{
	return obs->program.computing_ns + obs->program.starved_ns + obs->program.quiet_ns;
}

static uint64_t quiet_of_rows(const struct observation *obs)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < obs->wait_cnt; i++)
		sum_ns += obs->waits[i].quiet_ns;
	return sum_ns;
}

/* Nothing happens: each look tells the same, and as much more as time has passed. */
static void waits_that_go_on_are_told(void **state)
{
	struct live *live = *state;
	struct observation first, second;

	live_attach(live, many_sleep, NULL, SYS_pause, THREAD_CNT);
	live_run_for(live, WATCHED_NS);
	first = peek(live);
	second = peek(live);
	assert_int_equal(first.thread_cnt, THREAD_CNT);
	assert_int_equal(second.thread_cnt, THREAD_CNT);
	assert_int_equal(first.process_cnt, 1);
	assert_int_equal(first.wait_cnt, second.wait_cnt);
	assert_true(first.duration_ns >= WATCHED_NS && second.duration_ns > first.duration_ns);
	assert_int_equal(program_ns(&first), first.duration_ns);
	assert_int_equal(first.program.quiet_ns, first.duration_ns);
	assert_int_equal(quiet_of_rows(&second), second.program.quiet_ns);
	for (size_t i = 0; i < THREAD_CNT; i++)
		assert_int_equal(obs_thread_wait_ns(&first.threads[i]),
				 first.threads[i].end_ns - first.threads[i].start_ns);
	observation_release(&first);
	observation_release(&second);
	live_cut(live);
	assert_int_equal(live->obs.thread_cnt, THREAD_CNT);
}

/* Between two looks the program has done what it does, and no look takes it away from the next. */
static void sums_grow_from_look_to_look(void **state)
{
	struct live *live = *state;
	uint64_t wait_cnt = 0;

	live_begin(live, many_nap, NULL);
	for (int i = 0; i < 10; i++) {
		struct observation obs;

		live_run_for(live, 10 * MS);
		obs = peek(live);
		assert_int_equal(obs.thread_cnt, 1);
		assert_true(obs.threads[0].wait_cnt[WAIT_TIMER] > wait_cnt);
		wait_cnt = obs.threads[0].wait_cnt[WAIT_TIMER];
		assert_int_equal(program_ns(&obs), obs.duration_ns);
		assert_true(quiet_of_rows(&obs) <= obs.program.quiet_ns);
		observation_release(&obs);
	}
	live_cut(live);
	assert_true(live->obs.threads[0].wait_cnt[WAIT_TIMER] >= wait_cnt);
}

static void computing_that_goes_on_is_told(void **state)
{
	struct live *live = *state;
	struct observation obs;

	live_begin(live, compute, NULL);
	live_run_for(live, WATCHED_NS);
	obs = peek(live);
	assert_int_equal(obs.program.computing_ns + obs.program.starved_ns + obs.program.quiet_ns,
			 obs.duration_ns);
	assert_true(obs.program.quiet_ns < obs.duration_ns / 2);
	assert_true(obs.threads[0].on_cpu_ns > 0);
	observation_release(&obs);
	live_cut(live);
}

/* The CPU time of this thread, which the target doesn't get. */
static uint64_t cpu_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* A few milliseconds are meant; a look at 100 threads was measured to take one. */
static void a_look_is_cheap(void **state)
{
	struct live *live = *state;
	uint64_t least_ns = UINT64_MAX;

	live_attach(live, many_sleep, NULL, SYS_pause, THREAD_CNT);
	for (int i = 0; i < 10; i++) {
		uint64_t before_ns = cpu_now_ns(), cost_ns;
		struct observation obs = peek(live);

		cost_ns = cpu_now_ns() - before_ns;
		observation_release(&obs);
		least_ns = cost_ns < least_ns ? cost_ns : least_ns;
	}
	print_message("a look at %d threads: %.2f ms\n", THREAD_CNT, (double)least_ns / 1e6);
	assert_true(least_ns < 10 * MS);
	live_cut(live);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(waits_that_go_on_are_told),
		LIVE_TEST(sums_grow_from_look_to_look),
		LIVE_TEST(computing_that_goes_on_is_told),
		LIVE_TEST(a_look_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
