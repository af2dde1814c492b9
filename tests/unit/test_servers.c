/* Programs that wait for work: their verdict is on their busy time, their model told by who serves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

/* A server that was asked @asked_cnt times in ten seconds, and waited for its database while busy.
 */
static struct report report_of_server(uint64_t busy_ms, uint64_t asked_cnt)
{
	struct observation obs;
	struct report report;
	uint64_t computing_ms = busy_ms / 5, network_ms = busy_ms - computing_ms;

	build_observation(&obs, 10000, computing_ms, 0, 2);
	build_process(&obs, 10, "/bin/a")->listening_cnt = 1;
	build_thread(&obs, 10, 10, computing_ms);
	WAITED(&obs, 10, .reason = WAIT_ACCEPT, .ms = 10000 - busy_ms, .quiet_ms = 10000 - busy_ms,
	       .cnt = asked_cnt + 1, .kind = OBJECT_TCP, .direction = DIRECTION_LISTENING,
	       .name = "0.0.0.0:80");
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = network_ms, .quiet_ms = network_ms,
	       .cnt = asked_cnt + 1, .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND,
	       .name = "10.0.0.5:5432", .far_end = "postgres[812]");
	build_report(&obs, &report);
	return report;
}

static void an_idle_server_says_what_it_does_while_busy(void **state)
{
	struct report report = report_of_server(300, 50);

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_IDLE);
	assert_true(report.verdict.utilisation > 0.029 && report.verdict.utilisation < 0.031);
	assert_string_equal(report.verdict.summary,
			    "It waited for work: 3% busy in 10.0 s; while busy it waited for tcp "
			    "10.0.0.5:5432, postgres[812] (80%) and computed (20%).");
	assert_true(report.verdict.has_runner_up);
	assert_int_equal(report.verdict.runner_up, CLASS_IO_BOUND);
	report_release(&report);
}

/* What was seen of its busy time is its start, or too little for any verdict. */
static void an_idle_server_that_nobody_asks_says_no_more(void **state)
{
	static const struct {
		uint64_t busy_ms, asked_cnt;
	} cases[] = { { 200, 4 }, { 19, 50 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct report report = report_of_server(cases[i].busy_ms, cases[i].asked_cnt);

		assert_int_equal(report.verdict.verdict_class, CLASS_IDLE);
		assert_null(strstr(report.verdict.summary, "while busy"));
		assert_false(report.verdict.has_runner_up);
		report_release(&report);
	}
}

static void a_busy_server_says_how_busy(void **state)
{
	struct report report = report_of_server(3800, 50);

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_IO_BOUND);
	assert_string_equal(
		report.verdict.summary,
		"38% busy, idle otherwise; it waited for results from outside for 80% of its busy "
		"time (80% for tcp 10.0.0.5:5432, postgres[812]) and computed for 20%.");
	report_release(&report);
}

/* A server of 10 s with @worker_cnt workers of @each_ms, each with an answer of its database to
 * wait for; the main thread accepts. Idle for the rest. */
static void build_server(struct observation *obs, uint32_t worker_cnt, uint64_t each_ms)
{
	uint64_t busy_ms = worker_cnt * each_ms, computing_ms = busy_ms / 10;

	build_observation(obs, 10000, computing_ms, 0, 2);
	build_process(obs, 10, "/bin/server")->listening_cnt = 1;
	build_thread(obs, 10, 10, 0);
	WAITED(obs, 10, .reason = WAIT_ACCEPT, .ms = 10000, .quiet_ms = 10000 - busy_ms, .cnt = 50,
	       .direction = DIRECTION_LISTENING);
	for (pid_t tid = 11; tid < 11 + (pid_t)worker_cnt; tid++) {
		build_thread(obs, 10, tid, each_ms / 10);
		WAITED(obs, tid, .reason = WAIT_NETWORK, .ms = each_ms - each_ms / 10,
		       .quiet_ms = each_ms - each_ms / 10, .cnt = 10,
		       .direction = DIRECTION_OUTBOUND);
		WAITED(obs, tid, .reason = WAIT_SYNC, .ms = 10000 - each_ms, .cnt = 10,
		       .by_tree = true);
	}
}

/* Requests that come one at a time keep one worker of the pool busy: that is no taking turns, and
 * no worker too few. */
static void a_pool_with_time_to_spare_is_kept(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_server(&obs, 4, 500);
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_IO_BOUND);
	assert_int_equal(report.concurrency.current, MODEL_THREADS);
	assert_int_equal(report.concurrency.workers, 4);
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	assert_int_equal(report.recommendation.model, MODEL_THREADS);
	assert_false(has_finding(&report, "workers-take-turns"));
	assert_false(has_finding(&report, "serial-io"));
	report_release(&report);
}

static void one_worker_is_no_pool(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_server(&obs, 1, 2000);
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_SYNC);
	assert_true(has_finding(&report, "serial-io"));
	report_release(&report);
}

/* The same with a process for each worker, forked and not a command. */
static void forked_workers_with_time_to_spare_are_kept(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 10000, 0, 0, 2);
	build_process(&obs, 10, "/bin/server")->listening_cnt = 1;
	obs.target.pid = 10;
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_CHILD, .ms = 10000);
	for (pid_t pid = 11; pid < 15; pid++) {
		build_process(&obs, pid, "/bin/server")->parent_pid = 10;
		build_thread(&obs, pid, pid, 0);
		WAITED(&obs, pid, .reason = WAIT_NETWORK, .ms = 500, .quiet_ms = 500, .cnt = 10,
		       .direction = DIRECTION_OUTBOUND);
		WAITED(&obs, pid, .reason = WAIT_ACCEPT, .ms = 9500, .quiet_ms = 2000, .cnt = 10,
		       .direction = DIRECTION_LISTENING);
	}
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_MULTIPROCESSING);
	assert_int_equal(report.concurrency.workers, 4);
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	assert_false(has_finding(&report, "processes-for-io"));
	report_release(&report);
}

/* At 2% busy there is nothing to gain, but something was seen; without requests there wasn't. */
static void an_idle_server_is_kept_if_it_was_asked(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_server(&obs, 4, 50);
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_IDLE);
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	assert_int_equal(report.recommendation.model, MODEL_THREADS);
	report_release(&report);

	build_server(&obs, 4, 50);
	obs.waits[0].wait_cnt = 1;
	build_report(&obs, &report);
	assert_int_equal(report.recommendation.action, ACTION_MEASURE_AGAIN);
	report_release(&report);
}

/* As a backend of PostgreSQL does: its client was handed to it, and it waits for it by epoll. */
static void a_loop_for_one_client_is_no_event_loop(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	for (uint32_t listening_cnt = 0; listening_cnt < 2; listening_cnt++) {
		struct obs_process *process;

		build_observation(&obs, 10000, 4000, 0, 2);
		process = build_process(&obs, 10, "/bin/server");
		process->has_event_loop = true;
		process->listening_cnt = listening_cnt;
		build_thread(&obs, 10, 10, 4000)->event_loop_wait_cnt = 100;
		WAITED(&obs, 10, .reason = WAIT_ACCEPT, .ms = 6000, .quiet_ms = 6000, .cnt = 100,
		       .kind = OBJECT_TCP, .direction = DIRECTION_INBOUND, .via_event_loop = true);
		build_report(&obs, &report);
		assert_int_equal(report.concurrency.current,
				 listening_cnt ? MODEL_ASYNC : MODEL_SYNC);
		report_release(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_server_says_what_it_does_while_busy),
		cmocka_unit_test(an_idle_server_that_nobody_asks_says_no_more),
		cmocka_unit_test(a_busy_server_says_how_busy),
		cmocka_unit_test(a_pool_with_time_to_spare_is_kept),
		cmocka_unit_test(one_worker_is_no_pool),
		cmocka_unit_test(forked_workers_with_time_to_spare_are_kept),
		cmocka_unit_test(a_loop_for_one_client_is_no_event_loop),
		cmocka_unit_test(an_idle_server_is_kept_if_it_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
