/* When CPU time is said not to be work: threads that poll or spin, just below and above each
 * threshold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

/* One thread that computes for all of a second beside one of 100 ms, and what samples saw of it. */
struct sampled {
	const char *exe; /* NULL: native */
	uint64_t samples;
	uint64_t polls;
	uint64_t io;
	uint64_t spins;
	uint64_t other_cpu_ms; /* of the second thread; 0: 100 */
	bool has_event_loop;
};

static struct report report_of(struct sampled sampled)
{
	uint64_t other_ms = sampled.other_cpu_ms ? sampled.other_cpu_ms : 100;
	struct observation obs;
	struct report report;
	struct obs_process *process;
	struct obs_thread *thread;

	build_observation(&obs, 1000, 1000, 0, 2);
	process = build_process(&obs, 10, sampled.exe ? sampled.exe : "/bin/a");
	process->has_event_loop = sampled.has_event_loop;
	build_thread(&obs, 10, 11, other_ms)->end_ns = other_ms * MS;
	thread = build_thread(&obs, 10, 10, 1000);
	thread->sample_cnt = sampled.samples;
	thread->poll_sample_cnt = sampled.polls;
	thread->io_sample_cnt = sampled.io;
	thread->spin_sample_cnt = sampled.spins;
	thread->poll_call = "recvfrom";
	build_report(&obs, &report);
	return report;
}

static void assert_polling(bool expected, struct sampled sampled)
{
	struct report report = report_of(sampled);

	assert_int_equal(has_finding(&report, "busy-polling"), expected);
	if (expected)
		assert_string_equal(report.verdict.subclass, "polling");
	report_release(&report);
}

static void assert_spinning(bool expected, struct sampled sampled)
{
	struct report report = report_of(sampled);

	assert_int_equal(has_finding(&report, "spinning-lock"), expected);
	report_release(&report);
}

#define POLLS(expected, ...) assert_polling(expected, (struct sampled){ __VA_ARGS__ })
#define SPINS(expected, ...) assert_spinning(expected, (struct sampled){ __VA_ARGS__ })

static void a_fifth_of_samples_in_vain_is_polling(void **state)
{
	(void)state;
	POLLS(true, .samples = 100, .polls = 20);
	POLLS(false, .samples = 100, .polls = 19);
}

static void few_samples_tell_nothing(void **state)
{
	(void)state;
	POLLS(true, .samples = 50, .polls = 50);
	POLLS(false, .samples = 49, .polls = 49);
}

/* A loaded server looks often and finds something each time. */
static void input_that_comes_is_no_polling(void **state)
{
	(void)state;
	POLLS(true, .samples = 100, .polls = 30, .io = 10);
	POLLS(false, .samples = 100, .polls = 30, .io = 11);
}

static void interpreters_poll_slowly(void **state)
{
	(void)state;
	POLLS(true, .exe = PYTHON, .samples = 250, .polls = 10, .io = 1);
	POLLS(false, .exe = PYTHON, .samples = 251, .polls = 10);
	POLLS(false, .exe = PYTHON, .samples = 100, .polls = 9);
	POLLS(false, .exe = PYTHON, .samples = 200, .polls = 18, .io = 3);
	POLLS(false, .samples = 200, .polls = 10);
}

static void looks_between_callbacks_are_no_polling(void **state)
{
	(void)state;
	POLLS(false, .exe = PYTHON, .samples = 200, .polls = 15, .has_event_loop = true);
}

static void polling_beside_work_leaves_the_class_alone(void **state)
{
	struct report report =
		report_of((struct sampled){ .samples = 100, .polls = 50, .other_cpu_ms = 1000 });

	(void)state;
	assert_string_equal(report.verdict.subclass, "polling"); /* half of the CPU time */
	report_release(&report);
	report = report_of((struct sampled){ .samples = 100, .polls = 50, .other_cpu_ms = 1001 });
	assert_true(!report.verdict.subclass || strcmp(report.verdict.subclass, "polling"));
	assert_true(has_finding(&report, "busy-polling"));
	report_release(&report);
}

static void the_advice_is_to_block(void **state)
{
	struct report report = report_of((struct sampled){ .samples = 100, .polls = 50 });

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_CPU_BOUND);
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	assert_non_null(strstr(report.recommendation.summary, "block"));
	assert_non_null(strstr(report.recommendation.summary, "recvfrom"));
	assert_non_null(strstr(report.verdict.summary, "recvfrom"));
	report_release(&report);
}

static void a_third_of_samples_in_pauses_is_spinning(void **state)
{
	(void)state;
	SPINS(true, .samples = 100, .spins = 30);
	SPINS(false, .samples = 100, .spins = 29);
	SPINS(false, .samples = 29, .spins = 29);
}

static void no_samples_no_claim(void **state)
{
	(void)state;
	POLLS(false, .samples = 0);
	SPINS(false, .samples = 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fifth_of_samples_in_vain_is_polling),
		cmocka_unit_test(few_samples_tell_nothing),
		cmocka_unit_test(input_that_comes_is_no_polling),
		cmocka_unit_test(interpreters_poll_slowly),
		cmocka_unit_test(looks_between_callbacks_are_no_polling),
		cmocka_unit_test(polling_beside_work_leaves_the_class_alone),
		cmocka_unit_test(the_advice_is_to_block),
		cmocka_unit_test(a_third_of_samples_in_pauses_is_spinning),
		cmocka_unit_test(no_samples_no_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
