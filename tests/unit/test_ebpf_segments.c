/* What threads did from one instant to another, seen live. That segments tile each thread's life
 * and sum to its totals is checked for every program that is watched: see ebpf_live.c. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"
#include "observation/segment_log.h"

#define MS	      1000000ull
#define OPERATION_CNT 20
#define OPERATION_MS  10
#define THREAD_CNT    2000

static void nap(unsigned ms)
{
	struct timespec left = { .tv_nsec = (long)(ms * MS) };

	while (nanosleep(&left, &left))
		;
}

/* Of the thread number @thread, those in which it waited for @reason for an operation's length. On
 * a loaded machine there may be short ones beside that: for a lock of the kernel's. */
static int count_operations(const struct observation *obs, size_t thread, enum wait_reason reason)
{
	int cnt = 0;

	for (size_t i = 0; i < obs->segment_cnt; i++) {
		const struct obs_segment *segment = &obs->segments[i];

		cnt += segment->thread == thread && segment->wait_cnt[reason] &&
		       segment->wait_ns[reason] >= OPERATION_MS * MS * 9 / 10;
	}
	return cnt;
}

static int count_segments(const struct observation *obs, size_t thread)
{
	int cnt = 0;

	for (size_t i = 0; i < obs->segment_cnt; i++)
		cnt += obs->segments[i].thread == thread;
	return cnt;
}

static int sleep_often(void *none)
{
	(void)none;
	for (int i = 0; i < OPERATION_CNT; i++)
		nap(OPERATION_MS);
	return 0;
}

static void each_sleep_ends_one(void **state)
{
	struct live *live = *state;

	live_begin(live, sleep_often, NULL);
	live_end(live);
	assert_int_equal(count_operations(&live->obs, 0, WAIT_TIMER), OPERATION_CNT);
	assert_in_range(count_segments(&live->obs, 0), OPERATION_CNT, OPERATION_CNT + 4);
	assert_true(live->obs.slice_cnt > 3);
}

/* A far end that thinks for a while about each request. */
static int ask_often(void *none)
{
	int ends[2];
	char byte;

	(void)none;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 1;
	if (!fork()) {
		close(ends[0]);
		while (read(ends[1], &byte, 1) == 1) {
			nap(OPERATION_MS);
			if (write(ends[1], &byte, 1) != 1)
				break;
		}
		_exit(0);
	}
	close(ends[1]);
	for (int i = 0; i < OPERATION_CNT; i++)
		if (write(ends[0], "", 1) != 1 || read(ends[0], &byte, 1) != 1)
			return 1;
	close(ends[0]);
	wait(NULL);
	return 0;
}

static void each_request_ends_one(void **state)
{
	struct live *live = *state;
	size_t client;

	live_begin(live, ask_often, NULL);
	live_end(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
	assert_int_equal(live->obs.thread_cnt, 2);
	client = live->obs.threads[0].start_ns < live->obs.threads[1].start_ns ? 0 : 1;
	/* More if a far end was preempted as it held the pair's lock. */
	assert_in_range(count_operations(&live->obs, client, WAIT_IPC), OPERATION_CNT,
			OPERATION_CNT + 2);
}

#define FAST_CNT 20000

/* Two threads of the tree that wake each other as fast as they can. */
static int ping_pong(void *none)
{
	int there[2], back[2];
	char byte;

	(void)none;
	if (pipe(there) || pipe(back))
		return 1;
	if (!fork()) {
		for (int i = 0; i < FAST_CNT; i++)
			if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
				break;
		_exit(0);
	}
	for (int i = 0; i < FAST_CNT; i++)
		if (write(there[1], "", 1) != 1 || read(back[0], &byte, 1) != 1)
			return 1;
	wait(NULL);
	return 0;
}

static void fast_waits_share_one(void **state)
{
	struct live *live = *state;
	uint64_t most_cnt;

	live_begin(live, ping_pong, NULL);
	live_end(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
	/* Of each thread one a millisecond, and the first and last ones. */
	most_cnt = 2 * (live->obs.duration_ns / SEGMENT_LEAST_NS + 2);
	assert_in_range(live->obs.segment_cnt, 4, most_cnt);
}

static int compute(void *none)
{
	struct timespec used;

	(void)none;
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while (used.tv_sec == 0 && used.tv_nsec < 200 * (long)MS);
	return 0;
}

static void computing_is_cut_by_samples(void **state)
{
	static const struct observer_options options = { .sample_hz = 99 };
	struct live *live = *state;

	live_prepare(live, &options, compute, NULL);
	live_release(live);
	live_end(live);
	assert_in_range(count_segments(&live->obs, 0), 10, 50);
}

static void *sleep_thrice(void *none)
{
	(void)none;
	for (int i = 0; i < 3; i++)
		nap(5);
	return NULL;
}

static int run_threads(void *none)
{
	static pthread_t threads[THREAD_CNT];
	pthread_attr_t attributes;
	int cnt = 0;

	(void)none;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	while (cnt < THREAD_CNT && !pthread_create(&threads[cnt], &attributes, sleep_thrice, NULL))
		cnt++;
	for (int i = 0; i < cnt; i++)
		pthread_join(threads[i], NULL);
	sleep_often(NULL);
	return cnt < THREAD_CNT;
}

static void many_threads_are_bounded(void **state)
{
	struct live *live = *state;
	size_t has_cnt = 0, main_thread = 0;

	/* What a thread computes on its way out is in no account that its parent gets. */
	live->cpu_slack_ns = THREAD_CNT * 10000ull;
	live_begin(live, run_threads, NULL);
	live_end(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
	assert_int_equal(live->obs.thread_cnt, THREAD_CNT + 1);
	for (size_t i = 0; i < live->obs.segment_cnt; i++)
		has_cnt += !i || live->obs.segments[i].thread != live->obs.segments[i - 1].thread;
	while (live->obs.threads[main_thread].tid != live->obs.threads[main_thread].pid)
		main_thread++;
	/* It has computed most. */
	assert_true(count_segments(&live->obs, main_thread) > 1);
	assert_in_range(has_cnt, SEGMENT_LOG_THREADS / 2, SEGMENT_LOG_THREADS);
}

static void *sleep_and_exec(void *none)
{
	(void)none;
	for (int i = 0; i < 3; i++)
		nap(OPERATION_MS);
	execl("/bin/sleep", "sleep", "0.03", NULL);
	return NULL;
}

static int exec_of_a_thread(void *none)
{
	pthread_t thread;

	(void)none;
	if (pthread_create(&thread, NULL, sleep_and_exec, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 1;
}

/* It becomes its process's first thread, and has done what it had done before. */
static void a_thread_that_runs_exec_stays_one(void **state)
{
	struct live *live = *state;
	const struct observation *obs = &live->obs;
	size_t thread = 0;

	live_begin(live, exec_of_a_thread, NULL);
	live_end(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
	while (thread < obs->thread_cnt && !obs->threads[thread].wait_cnt[WAIT_TIMER])
		thread++;
	assert_true(thread < obs->thread_cnt);
	assert_int_equal(obs->threads[thread].tid, obs->threads[thread].pid);
	assert_int_equal(count_operations(obs, thread, WAIT_TIMER), 4);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(each_sleep_ends_one),	     LIVE_TEST(each_request_ends_one),
		LIVE_TEST(fast_waits_share_one),     LIVE_TEST(computing_is_cut_by_samples),
		LIVE_TEST(many_threads_are_bounded), LIVE_TEST(a_thread_that_runs_exec_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
