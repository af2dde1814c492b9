/* Findings about locks: which lock, who held it, and the numbers that show it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define THREAD_CNT 4
#define WAIT_MS	   740

/* Four threads that queue for one lock. */
static void build_queue(struct observation *obs)
{
	build_observation(obs, 1000, 1000, 0, 2);
	build_process(obs, 10, "/tmp/lock");
	build_thread(obs, 10, 10, 0);
	for (int i = 1; i <= THREAD_CNT; i++) {
		build_thread(obs, 10, 10 + i, 260);
		WAITED(obs, 10 + i, .reason = WAIT_LOCK, .ms = WAIT_MS, .cnt = 500,
		       .kind = OBJECT_MUTEX, .name = "cache (lock)", .by_tree = true);
	}
}

static void add_holder(struct observation *obs, pid_t tid, const char *comm, uint64_t ms,
		       uint64_t handover_cnt)
{
	struct obs_lock_holder *holder = observation_add_lock_holder(obs);

	holder->pid = 10;
	holder->kind = OBJECT_MUTEX;
	holder->name = "cache (lock)";
	holder->tid = tid;
	holder->comm = comm;
	holder->wait_ns = ms * MS;
	holder->handover_cnt = handover_cnt;
}

static const struct report_finding *find(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->finding_cnt; i++)
		if (!strcmp(report->findings[i].id, id))
			return &report->findings[i];
	fail_msg("no finding %s", id);
	return NULL;
}

static double evidence(const struct report_finding *finding, const char *metric)
{
	for (size_t i = 0; i < finding->evidence_cnt; i++)
		if (!strcmp(finding->evidence[i].metric, metric))
			return finding->evidence[i].value;
	fail_msg("%s: no evidence '%s'", finding->id, metric);
	return 0;
}

static void assert_says(const struct report_finding *finding, const char *part)
{
	if (!strstr(finding->summary, part))
		fail_msg("'%s' isn't in: %s", part, finding->summary);
}

static void the_holder_of_a_lock_is_named(void **state)
{
	const struct report_finding *finding;
	struct observation obs;
	struct report report;

	(void)state;
	build_queue(&obs);
	add_holder(&obs, 11, "hog", 2000, 500);
	add_holder(&obs, 12, "guest", 500, 1000);
	build_report(&obs, &report);
	finding = find(&report, "lock-contention");
	assert_says(finding, "mutex cache (lock): 3.0 s in 2000 waits");
	assert_says(finding, "thread hog (tid 11) held it for 80% of that");
	assert_float_equal(evidence(finding, "wait for that lock"), 2.96, 0.001);
	assert_float_equal(evidence(finding, "waits for that lock"), 2000, 0.1);
	assert_float_equal(evidence(finding, "hand-overs"), 1500, 0.1);
	assert_float_equal(evidence(finding, "wait while hog (tid 11) held it"), 0.8, 0.001);
	assert_int_equal(report.lock_holder_cnt, 2);
	assert_string_equal(report.lock_holders[1].lock, "mutex cache (lock)");
	assert_string_equal(report.lock_holders[1].thread, "guest");
	assert_float_equal(report.lock_holders[1].share, 0.2, 0.001);
	report_release(&report);
}

static void holders_in_turn_are_counted(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_queue(&obs);
	for (int i = 1; i <= THREAD_CNT; i++)
		add_holder(&obs, 10 + i, "worker", i == 3 ? 1000 : 600, 500);
	build_report(&obs, &report);
	assert_says(find(&report, "lock-contention"),
		    "4 threads held it in turn, worker (tid 13) longest (36% of that)");
	report_release(&report);
}

static void holders_not_kept_apart_are_more(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_queue(&obs);
	add_holder(&obs, 11, "worker", 600, 500);
	add_holder(&obs, 12, "worker", 500, 500);
	add_holder(&obs, 0, "", 900, 800);
	build_report(&obs, &report);
	assert_says(find(&report, "lock-contention"),
		    "more than 2 threads held it in turn, worker (tid 11) longest (30% of that)");
	report_release(&report);
}

static void an_unknown_holder_is_not_guessed(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_queue(&obs);
	build_report(&obs, &report);
	assert_says(find(&report, "lock-contention"), "3.0 s in 2000 waits.");
	assert_int_equal(report.lock_holder_cnt, 0);
	report_release(&report);
}

/* Thread 11 computes under the GIL; 10 does a little between its waits for the network, or computes
 * as much as the other. */
static struct report report_of_two(uint64_t on_cpu_ms, uint64_t network_ms)
{
	struct observation obs;
	struct report report;

	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, on_cpu_ms);
	WAITED(&obs, 10, .reason = WAIT_GIL, .ms = 1000 - on_cpu_ms - network_ms, .cnt = 200,
	       .kind = OBJECT_FUTEX, .name = "GIL", .by_tree = true);
	if (network_ms)
		WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = network_ms, .cnt = 200,
		       .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:7");
	build_thread(&obs, 10, 11, 1000 - on_cpu_ms);
	WAITED(&obs, 11, .reason = WAIT_GIL, .ms = on_cpu_ms, .cnt = 200, .kind = OBJECT_FUTEX,
	       .name = "GIL", .by_tree = true);
	build_report(&obs, &report);
	return report;
}

static void a_convoy_is_told_from_contention(void **state)
{
	struct report convoy = report_of_two(20, 30), contention = report_of_two(500, 0);
	struct report turns = report_of_two(400, 1);

	(void)state;
	assert_says(find(&convoy, "gil-convoy"), "(tid 10) waits for results");
	assert_says(find(&convoy, "gil-convoy"), "behind thread");
	assert_true(evidence(find(&convoy, "gil-convoy"), "times as long") == 20);
	assert_non_null(strstr(convoy.recommendation.summary, "(tid 11) computes a process"));
	assert_int_equal(convoy.recommendation.model, MODEL_MULTIPROCESSING);
	assert_false(has_finding(&contention, "gil-convoy"));
	assert_false(has_finding(&turns, "gil-convoy"));
	report_release(&turns);
	report_release(&convoy);
	report_release(&contention);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_holder_of_a_lock_is_named),
		cmocka_unit_test(holders_in_turn_are_counted),
		cmocka_unit_test(holders_not_kept_apart_are_more),
		cmocka_unit_test(an_unknown_holder_is_not_guessed),
		cmocka_unit_test(a_convoy_is_told_from_contention),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
