/* Threads are grouped by what they do, whatever they are called; each group is what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define PID    10
#define API    .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443"
#define CLIENT .kind = OBJECT_TCP, .direction = DIRECTION_LISTENING, .name = "0.0.0.0:80"
#define QUEUE  .kind = OBJECT_SEMAPHORE, .by_tree = true, .name = "0x7f00"

static const struct report_role *find_role(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->role_cnt; i++)
		if (!strcmp(report->roles[i].name, name))
			return &report->roles[i];
	for (size_t i = 0; i < report->role_cnt; i++)
		print_error("role: %s\n", report->roles[i].name);
	fail_msg("no role %s", name);
	return NULL;
}

static void assert_role(const struct report *report, const char *name, const char *kind,
			uint32_t threads, enum verdict_class verdict_class)
{
	const struct report_role *role = find_role(report, name);

	assert_string_equal(role->kind, kind);
	assert_int_equal(role->thread_cnt, threads);
	assert_int_equal(role->verdict_class, verdict_class);
}

static struct obs_thread *add_named(struct observation *obs, pid_t tid, uint64_t on_cpu_ms,
				    const char *comm)
{
	struct obs_thread *thread = build_thread(obs, PID, tid, on_cpu_ms);

	thread->comm = observation_intern(obs, comm, strlen(comm));
	assert_non_null(thread->comm);
	return thread;
}

static void threads_of_one_name_are_told_apart_by_what_they_do(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, PID, PYTHON);
	build_thread(&obs, PID, PID, 50);
	WAITED(&obs, PID, .reason = WAIT_NETWORK, .ms = 950, .cnt = 20, API);
	build_thread(&obs, PID, PID + 1, 1000); /* the spinner */
	for (pid_t tid = PID + 2; tid < PID + 8; tid++) {
		build_thread(&obs, PID, tid, 0);
		WAITED(&obs, tid, .reason = WAIT_SYNC, .ms = 1000, QUEUE);
	}
	build_report(&obs, &report);
	assert_int_equal(report.role_cnt, 3);
	assert_role(&report, "python3.11 (main)", "main", 1, CLASS_IO_BOUND);
	assert_role(&report, "python3.11: computing", "computing", 1, CLASS_CPU_BOUND);
	assert_role(&report, "python3.11: waiting for others", "pool", 6, CLASS_IDLE);
	assert_string_equal(report.recommendation.scope, "the thread \"python3.11: computing\"");
	report_release(&report);
}

static void a_pool_that_is_loaded_unevenly_stays_one(void **state)
{
	struct observation obs;
	struct report report;
	char name[16];

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 4);
	build_process(&obs, PID, "/usr/bin/server");
	build_thread(&obs, PID, PID, 0);
	WAITED(&obs, PID, .reason = WAIT_SYNC, .ms = 1000, QUEUE);
	for (pid_t i = 1; i <= 8; i++) {
		snprintf(name, sizeof(name), "worker-%d", (int)i);
		add_named(&obs, PID + i, 600 - 25 * (uint64_t)i, name);
		WAITED(&obs, PID + i, .reason = WAIT_SYNC, .ms = 400 + 25 * (uint64_t)i, QUEUE);
	}
	build_report(&obs, &report);
	assert_int_equal(report.role_cnt, 2);
	assert_role(&report, "server: worker-*", "workers", 8, CLASS_CPU_BOUND);
	report_release(&report);
}

static void helpers_are_what_they_are(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 10000, 100, 0, 4);
	build_process(&obs, PID, "/usr/bin/server");
	build_thread(&obs, PID, PID, 10);
	WAITED(&obs, PID, .reason = WAIT_ACCEPT, .ms = 9990, .cnt = 10, CLIENT);
	add_named(&obs, PID + 1, 10, "stats");
	WAITED(&obs, PID + 1, .reason = WAIT_TIMER, .ms = 9990, .cnt = 100, .timed_out = true);
	add_named(&obs, PID + 2, 0, "cron");
	WAITED(&obs, PID + 2, .reason = WAIT_TIMER, .ms = 10000, .cnt = 1, .timed_out = true);
	add_named(&obs, PID + 3, 50, "io");
	WAITED(&obs, PID + 3, .reason = WAIT_NETWORK, .ms = 9950, .cnt = 100,
	       .via_event_loop = true, API);
	add_named(&obs, PID + 4, 9000, "poller")->spin_sample_cnt = 900;
	obs.threads[obs.thread_cnt - 1].sample_cnt = 900;
	WAITED(&obs, PID + 4, .reason = WAIT_SYNC, .ms = 1000, QUEUE);
	build_report(&obs, &report);
	assert_role(&report, "server (main)", "acceptor", 1, CLASS_IDLE);
	assert_role(&report, "server: stats", "ticker", 1, CLASS_TIMER_BOUND);
	assert_role(&report, "server: cron", "waiter", 1, CLASS_TIMER_BOUND);
	assert_role(&report, "server: io", "event loop", 1, CLASS_IO_BOUND);
	assert_role(&report, "server: poller", "spinner", 1, CLASS_CPU_BOUND);
	report_release(&report);
}

static void processes_of_one_name_are_one_role(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, PID, PYTHON);
	build_thread(&obs, PID, PID, 0);
	WAITED(&obs, PID, .reason = WAIT_CHILD, .ms = 1000, .kind = OBJECT_CHILD);
	for (pid_t pid = PID + 1; pid <= PID + 4; pid++) {
		build_process(&obs, pid, PYTHON)->parent_pid = PID;
		build_thread(&obs, pid, pid, 950);
		WAITED(&obs, pid, .reason = WAIT_SYNC, .ms = 50, QUEUE);
	}
	build_report(&obs, &report);
	assert_int_equal(report.role_cnt, 2);
	assert_role(&report, "python3.11 (main)", "main", 1, CLASS_IDLE);
	assert_role(&report, "python3.11 (children)", "workers", 4, CLASS_CPU_BOUND);
	report_release(&report);
}

/* What lives for a moment has not shown what it does. */
static void short_lives_make_no_role(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, PID, PYTHON);
	build_thread(&obs, PID, PID, 0);
	WAITED(&obs, PID, .reason = WAIT_SYNC, .ms = 1000, QUEUE);
	for (pid_t tid = PID + 1; tid < PID + 4; tid++)
		build_thread(&obs, PID, tid, 1000);
	build_thread(&obs, PID, PID + 5, 0)->end_ns = 20 * MS;
	WAITED(&obs, PID + 5, .reason = WAIT_SYNC, .ms = 20, QUEUE);
	build_report(&obs, &report);
	assert_int_equal(report.role_cnt, 2);
	assert_role(&report, "python3.11: computing", "workers", 4, CLASS_CPU_BOUND);
	assert_null(report.recommendation.scope); /* the main thread only joins them */
	report_release(&report);
}

static void those_who_did_most_are_kept(void **state)
{
	struct observation obs;
	struct report report;
	char name[16];

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, PID, "/usr/bin/server");
	build_thread(&obs, PID, PID, 0);
	for (pid_t i = 1; i <= 20; i++) {
		snprintf(name, sizeof(name), "%c-thread", 'a' + (int)i);
		add_named(&obs, PID + i, i == 20 ? 900 : 10, name);
	}
	build_report(&obs, &report);
	assert_int_equal(report.role_cnt, 8);
	assert_string_equal(report.roles[0].name, "server: u-thread");
	assert_string_equal(report.roles[7].name, "(others)");
	assert_string_equal(report.roles[7].kind, "several");
	assert_int_equal(report.roles[7].thread_cnt, 14);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_of_one_name_are_told_apart_by_what_they_do),
		cmocka_unit_test(a_pool_that_is_loaded_unevenly_stays_one),
		cmocka_unit_test(helpers_are_what_they_are),
		cmocka_unit_test(processes_of_one_name_are_one_role),
		cmocka_unit_test(short_lives_make_no_role),
		cmocka_unit_test(those_who_did_most_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
