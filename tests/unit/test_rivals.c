/* Who had the CPUs that a program lacked: named where it is known, and told from the program
 * itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

struct neighbour {
	const char *comm;
	uint64_t ms;
};

static void add_neighbours(struct observation *obs, const struct neighbour *rows, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct obs_neighbour *row = observation_add_neighbour(obs);

		assert_non_null(row);
		row->comm = rows[i].comm;
		row->queue_ns = rows[i].ms * MS;
		row->cnt = 1;
	}
}

/* One thread on a CPU for 200 of 800 ms, ready for the rest. */
static struct report starved(const struct neighbour *rows, size_t cnt)
{
	struct observation obs;
	struct report report;
	struct obs_thread *thread;

	build_observation(&obs, 800, 200, 600, 2);
	build_process(&obs, 10, "/bin/a");
	thread = build_thread(&obs, 10, 10, 200);
	thread->preempted_ns = 500 * MS;
	thread->run_queue_ns = 100 * MS;
	add_neighbours(&obs, rows, cnt);
	build_report(&obs, &report);
	return report;
}

static const struct report_finding *find(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->finding_cnt; i++)
		if (!strcmp(report->findings[i].id, id))
			return &report->findings[i];
	fail_msg("no finding %s", id);
	return NULL;
}

static void neighbours_are_named(void **state)
{
	const struct neighbour rows[] = { { "stress-ng", 360 }, { "cc1", 60 }, { "ld", 59 } };
	struct report report = starved(rows, 3);
	const char *said = "stress-ng had them for 60% of the time it queued, cc1 for 10%.";

	(void)state;
	assert_non_null(strstr(report.verdict.summary, said));
	assert_non_null(strstr(find(&report, "cpu-starved")->summary, said));
	assert_int_equal(find(&report, "cpu-starved")->evidence_cnt, 2);
	report_release(&report);
}

static void small_neighbours_are_not(void **state)
{
	const struct neighbour rows[] = { { "cc1", 59 } };
	struct report report = starved(rows, 1);

	(void)state;
	assert_non_null(strstr(report.verdict.summary, "other programs had them"));
	assert_null(strstr(find(&report, "cpu-starved")->summary, "cc1"));
	report_release(&report);
}

static void unknown_neighbours_are_others(void **state)
{
	struct report report = starved(NULL, 0);

	(void)state;
	assert_non_null(strstr(report.verdict.summary, "other programs had them"));
	assert_int_equal(report.thread_time.queue.neighbour_cnt, 0);
	report_release(&report);
}

static void the_queue_has_two_parts(void **state)
{
	struct report report = starved(NULL, 0);

	(void)state;
	assert_true(report.thread_time.queue.is_known);
	assert_int_equal(report.thread_time.run_queue_ns, 600 * MS);
	assert_int_equal(report.thread_time.queue.preempted_ns, 500 * MS);
	assert_int_equal(report.thread_time.queue.wakeup_ns, 100 * MS);
	report_release(&report);
}

/* Four threads that compute all the time on two CPUs. */
static struct report crowded(uint64_t own_ms, const struct neighbour *rows, size_t cnt)
{
	struct observation obs;
	struct report report;

	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, 10, "/bin/a");
	for (pid_t tid = 10; tid < 14; tid++)
		build_thread(&obs, 10, tid, 500)->preempted_ns = 500 * MS;
	obs.own_queue_ns = own_ms * MS;
	add_neighbours(&obs, rows, cnt);
	build_report(&obs, &report);
	return report;
}

static const char *said_of_workers(const struct report *report)
{
	return find(report, "more-workers-than-cores")->summary;
}

static void workers_are_in_each_others_way(void **state)
{
	const struct neighbour rows[] = { { "cc1", 400 } };
	struct report report = crowded(1600, rows, 1);

	(void)state;
	assert_non_null(strstr(said_of_workers(&report), "behind each other."));
	report_release(&report);
}

static void or_somebody_else_is(void **state)
{
	const struct neighbour rows[] = { { "cc1", 401 } };
	struct report report = crowded(1599, rows, 1);

	(void)state;
	assert_non_null(strstr(said_of_workers(&report), "not only behind each other: cc1"));
	report_release(&report);
}

static void or_nobody_knows(void **state)
{
	struct report report = crowded(0, NULL, 0);

	(void)state;
	assert_null(strstr(said_of_workers(&report), "behind"));
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_named),
		cmocka_unit_test(small_neighbours_are_not),
		cmocka_unit_test(unknown_neighbours_are_others),
		cmocka_unit_test(the_queue_has_two_parts),
		cmocka_unit_test(workers_are_in_each_others_way),
		cmocka_unit_test(or_somebody_else_is),
		cmocka_unit_test(or_nobody_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
