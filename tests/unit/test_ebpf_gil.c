/* Whether threads of Python compute with the GIL or without it, seen live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"

#define PYTHON "/usr/bin/python3"

/* So that 0.3 s of CPU time have enough samples; and how many of those the GIL was known in that
 * make a test: before the interpreter has started and been found, it isn't. */
#define SAMPLE_HZ   997
#define SAMPLES_MIN 50

/* `pure` holds the GIL, `native` lets go of it; for 0.3 s of CPU time of its thread each. */
#define WORK                                                                               \
	"import hashlib, threading, time\n"                                                \
	"def repeat(work):\n"                                                              \
	"    until = time.thread_time() + 0.3\n"                                           \
	"    while time.thread_time() < until: work()\n"                                   \
	"def pure(): repeat(lambda: sum(range(5000)))\n"                                   \
	"def native(data=bytes(1 << 20)): repeat(lambda: hashlib.sha256(data).digest())\n" \
	"def run(*works):\n"                                                               \
	"    threads = [threading.Thread(target=work) for work in works]\n"                \
	"    for thread in threads: thread.start()\n"                                      \
	"    for thread in threads: thread.join()\n"

static int run_python(void *code)
{
	execl(PYTHON, PYTHON, "-c", (const char *)code, NULL);
	return 1;
}

static void watch(struct live *live, const char *code)
{
	static const struct observer_options options = { .follow_children = true,
							 .sample_hz = SAMPLE_HZ };

	if (access(PYTHON, X_OK)) {
		print_message("SKIPPED: there is no " PYTHON "\n");
		skip();
	}
	live_prepare(live, &options, run_python, (void *)code);
	live_release(live);
	live_wait(live);
	live_finish(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

/* The share of @thread's samples in which it held the GIL. */
static double held_share(const struct obs_thread *thread)
{
	assert_in_range(thread->gil_sample_cnt, SAMPLES_MIN, thread->sample_cnt);
	assert_in_range(thread->gil_held_sample_cnt, 0, thread->gil_sample_cnt);
	return (double)thread->gil_held_sample_cnt / (double)thread->gil_sample_cnt;
}

static void pure_python_holds_it(void **state)
{
	struct live *live = *state;

	watch(live, WORK "pure()\n");
	assert_true(held_share(&live->obs.threads[0]) > 0.95);
}

static void native_code_lets_go_of_it(void **state)
{
	struct live *live = *state;

	watch(live, WORK "native()\n");
	assert_true(held_share(&live->obs.threads[0]) < 0.2);
}

/* While another thread holds it, too: what counts is who does. */
static void threads_are_told_apart(void **state)
{
	struct live *live = *state;
	size_t pure_cnt = 0, native_cnt = 0;

	watch(live, WORK "run(pure, native)\n");
	for (size_t i = 0; i < live->obs.thread_cnt; i++) {
		const struct obs_thread *thread = &live->obs.threads[i];

		if (thread->sample_cnt < SAMPLES_MIN)
			continue;
		pure_cnt += held_share(thread) > 0.9;
		native_cnt += held_share(thread) < 0.3;
	}
	assert_int_equal(pure_cnt, 1);
	assert_int_equal(native_cnt, 1);
}

static int compute(void *none)
{
	(void)none;
	for (volatile int i = 0; i < 50000000; i++)
		;
	return 0;
}

static void others_have_none(void **state)
{
	static const struct observer_options options = { .sample_hz = SAMPLE_HZ };
	struct live *live = *state;

	live_prepare(live, &options, compute, NULL);
	live_release(live);
	live_end(live);
	assert_true(live->obs.threads[0].sample_cnt > 0);
	assert_int_equal(live->obs.threads[0].gil_sample_cnt, 0);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(pure_python_holds_it),
		LIVE_TEST(native_code_lets_go_of_it),
		LIVE_TEST(threads_are_told_apart),
		LIVE_TEST(others_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
