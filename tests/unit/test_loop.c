/* What the analyzer makes of event loops: the calls that hold one up, how late it was, and whether
 * its operations run together. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define SERVER .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443"

/* A loop's thread that computes 100 ms of 1000 and waits through the loop for @loop_ms. */
static struct obs_thread *build_loop(struct observation *obs, const char *exe, uint64_t loop_ms)
{
	build_observation(obs, 1000, 100, 0, 4);
	build_process(obs, 10, exe)->has_event_loop = true;
	build_thread(obs, 10, 10, 100);
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = loop_ms, .cnt = 20, .quiet_ms = loop_ms,
	       .via_event_loop = true, SERVER);
	return &obs->threads[0];
}

/* The same, blocked in recvfrom for the rest. */
static struct obs_thread *build_blocked_loop(struct observation *obs, const char *exe)
{
	struct obs_thread *thread = build_loop(obs, exe, 500);
	struct obs_wait *row;

	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = 400, .cnt = 12, .quiet_ms = 400,
	       .call = "recvfrom", SERVER);
	row = &obs->waits[obs->wait_cnt - 1];
	row->on_loop = true;
	row->max_ns = 120 * MS;
	return thread;
}

static void build_flight(struct observation *obs, double mean, double active_share, uint32_t peak,
			 uint32_t connection_cnt)
{
	obs->flight = (struct obs_flight){ .sample_cnt = 50,
					   .mean = mean,
					   .active_share = active_share,
					   .peak = peak,
					   .connection_cnt = connection_cnt };
}

static const struct report_finding *finding(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->finding_cnt; i++)
		if (!strcmp(report->findings[i].id, id))
			return &report->findings[i];
	fail_msg("no finding %s", id);
	return NULL;
}

static bool says(const char *text, const char *part)
{
	return strstr(text, part);
}

static void the_blocking_call_is_named(void **state)
{
	struct observation obs;
	struct report report;
	const char *summary;

	(void)state;
	build_blocked_loop(&obs, PYTHON);
	build_report(&obs, &report);
	summary = finding(&report, "blocking-call-on-event-loop")->summary;
	assert_true(says(summary, "recvfrom on tcp 10.0.0.5:443 (12 times, longest 120 ms)"));
	assert_false(says(summary, "other sockets"));
	report_release(&report);
}

static void who_waited_meanwhile_is_told(void **state)
{
	struct observation obs;
	struct report report;
	struct obs_thread *loop;

	(void)state;
	loop = build_blocked_loop(&obs, PYTHON);
	loop->loop_late_cnt = 9;
	loop->loop_late_ns = 310 * MS;
	loop->loop_late_max_ns = 90 * MS;
	build_report(&obs, &report);
	assert_true(says(finding(&report, "blocking-call-on-event-loop")->summary,
			 "ready in 9 of its calls and waited 310 ms in all, up to 90 ms"));
	report_release(&report);
}

/* Another thread of the process, a pool's, may wait as it likes. */
static void only_the_loop_s_own_waits_block_it(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_loop(&obs, PYTHON, 895);
	WAITED(&obs, 10, .reason = WAIT_SYNC, .ms = 5, .call = "futex");
	obs.waits[obs.wait_cnt - 1].on_loop = true;
	build_thread(&obs, 10, 11, 0);
	WAITED(&obs, 11, .reason = WAIT_DISK, .ms = 1000, .cnt = 50, .kind = OBJECT_FILE,
	       .name = "/srv/data");
	build_report(&obs, &report);
	assert_false(has_finding(&report, "blocking-call-on-event-loop"));
	report_release(&report);
}

static void a_lock_blocks_a_loop_too(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_loop(&obs, PYTHON, 500);
	WAITED(&obs, 10, .reason = WAIT_LOCK, .ms = 400, .cnt = 4, .quiet_ms = 400,
	       .kind = OBJECT_MUTEX, .name = "0x5000", .call = "futex", .by_tree = true);
	obs.waits[obs.wait_cnt - 1].on_loop = true;
	build_report(&obs, &report);
	assert_true(says(finding(&report, "blocking-call-on-event-loop")->summary, "futex on"));
	report_release(&report);
}

/* Others than interpreters and Node wait by epoll for one thing at a time, too. */
static void a_native_loop_must_have_been_late(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_blocked_loop(&obs, "/usr/sbin/serve");
	build_report(&obs, &report);
	assert_false(has_finding(&report, "blocking-call-on-event-loop"));
	report_release(&report);
	build_blocked_loop(&obs, "/usr/sbin/serve")->loop_late_cnt = 1;
	build_report(&obs, &report);
	assert_true(has_finding(&report, "blocking-call-on-event-loop"));
	report_release(&report);
}

static void long_runs_of_computing_are_found(void **state)
{
	struct observation obs;
	struct report report;
	struct obs_thread *loop;

	(void)state;
	build_observation(&obs, 1000, 400, 0, 4);
	build_process(&obs, 10, PYTHON)->has_event_loop = true;
	loop = build_thread(&obs, 10, 10, 400);
	loop->loop_run_ns = 350 * MS;
	loop->loop_run_cnt = 3;
	loop->loop_run_max_ns = 150 * MS;
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 600, .cnt = 4, .quiet_ms = 600,
	       .via_event_loop = true, SERVER);
	build_report(&obs, &report);
	assert_true(says(finding(&report, "cpu-work-on-event-loop")->summary, "150 ms"));
	report_release(&report);
}

/* Other programs had the CPUs for most of the time. */
static void long_runs_are_found_on_a_busy_machine(void **state)
{
	struct observation obs;
	struct report report;
	struct obs_thread *loop;

	(void)state;
	build_observation(&obs, 4000, 400, 3000, 2);
	build_process(&obs, 10, PYTHON)->has_event_loop = true;
	loop = build_thread(&obs, 10, 10, 400);
	loop->run_queue_ns = 3000 * MS;
	loop->loop_run_ns = 350 * MS;
	loop->loop_run_cnt = 3;
	loop->loop_run_max_ns = 150 * MS;
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 600, .cnt = 4, .quiet_ms = 600,
	       .via_event_loop = true, SERVER);
	build_report(&obs, &report);
	assert_true(has_finding(&report, "cpu-work-on-event-loop"));
	report_release(&report);
}

static void in_flight_is_counted_where_there_is_any(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_loop(&obs, PYTHON, 900);
	build_flight(&obs, 40, 0.8, 64, 64);
	build_report(&obs, &report);
	assert_true(fabs(report.concurrency.in_flight_mean - 40) < 1e-6);
	assert_true(fabs(report.concurrency.in_flight_peak - 64) < 1e-6);
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	assert_false(has_finding(&report, "serial-io"));
	report_release(&report);
}

/* Waits on unix sockets are no operations that connections tell of. */
static void what_goes_elsewhere_is_not_in_flight(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_loop(&obs, PYTHON, 100);
	WAITED(&obs, 10, .reason = WAIT_IPC, .ms = 800, .cnt = 20, .quiet_ms = 800,
	       .kind = OBJECT_UNIX, .direction = DIRECTION_OUTBOUND, .name = "/run/db",
	       .via_event_loop = true);
	build_flight(&obs, 0.1, 0.1, 1, 1);
	build_report(&obs, &report);
	assert_true(report.concurrency.in_flight_mean == -1);
	report_release(&report);
}

static void one_after_another_on_a_loop_is_serial(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_loop(&obs, PYTHON, 900);
	build_flight(&obs, 0.9, 0.9, 1, 20);
	build_report(&obs, &report);
	assert_int_equal(finding(&report, "serial-io")->severity, SEVERITY_WARNING);
	assert_int_equal(report.recommendation.action, ACTION_CHANGE);
	assert_int_equal(report.recommendation.model, MODEL_ASYNC);
	report_release(&report);
}

/* Many may share it, which the kernel doesn't tell. */
static void on_one_connection_that_is_not_sure(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_loop(&obs, PYTHON, 900);
	build_flight(&obs, 0.9, 0.9, 1, 1);
	build_report(&obs, &report);
	assert_int_equal(finding(&report, "serial-io")->severity, SEVERITY_INFO);
	assert_int_equal(report.recommendation.action, ACTION_CHANGE);
	assert_int_equal(report.recommendation.model, MODEL_ASYNC);
	assert_non_null(strstr(report.recommendation.summary, "if its requests are awaited one"));
	report_release(&report);
}

/* One operation at a time is what its one client asks for. */
static void a_server_is_not_serial(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_loop(&obs, PYTHON, 900);
	obs.processes[0].listening_cnt = 1;
	build_flight(&obs, 0.9, 0.9, 1, 20);
	build_report(&obs, &report);
	assert_false(has_finding(&report, "serial-io"));
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	report_release(&report);
}

/* select() over two connections that were both asked. */
static void one_thread_that_overlaps_is_not_serial(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 50, 0, 2);
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, 50);
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 950, .cnt = 33, .quiet_ms = 950,
	       .call = "select", SERVER);
	build_flight(&obs, 1.9, 1, 2, 2);
	build_report(&obs, &report);
	assert_false(has_finding(&report, "serial-io"));
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	report_release(&report);
}

/* asyncio with run_in_executor: the loop rests, a thread of the pool waits for the upstream. */
static void a_server_s_loop_may_have_an_executor(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 50, 0, 2);
	build_process(&obs, 10, PYTHON)->listening_cnt = 1;
	obs.processes[0].has_event_loop = true;
	build_thread(&obs, 10, 10, 10);
	WAITED(&obs, 10, .reason = WAIT_ACCEPT, .ms = 900, .cnt = 20, .quiet_ms = 400,
	       .kind = OBJECT_TCP, .direction = DIRECTION_LISTENING, .via_event_loop = true);
	build_thread(&obs, 10, 11, 40);
	WAITED(&obs, 11, .reason = WAIT_NETWORK, .ms = 550, .cnt = 20, .quiet_ms = 550,
	       .call = "recvfrom", SERVER);
	build_report(&obs, &report);
	assert_false(has_finding(&report, "serial-io"));
	assert_int_equal(report.concurrency.current, MODEL_ASYNC);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_blocking_call_is_named),
		cmocka_unit_test(who_waited_meanwhile_is_told),
		cmocka_unit_test(only_the_loop_s_own_waits_block_it),
		cmocka_unit_test(a_lock_blocks_a_loop_too),
		cmocka_unit_test(a_native_loop_must_have_been_late),
		cmocka_unit_test(long_runs_of_computing_are_found),
		cmocka_unit_test(long_runs_are_found_on_a_busy_machine),
		cmocka_unit_test(one_thread_that_overlaps_is_not_serial),
		cmocka_unit_test(a_server_s_loop_may_have_an_executor),
		cmocka_unit_test(in_flight_is_counted_where_there_is_any),
		cmocka_unit_test(what_goes_elsewhere_is_not_in_flight),
		cmocka_unit_test(one_after_another_on_a_loop_is_serial),
		cmocka_unit_test(on_one_connection_that_is_not_sure),
		cmocka_unit_test(a_server_is_not_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
