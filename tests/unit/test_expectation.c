/* Expectations: what each form asks for, what is refused, and the words for what is not so. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "arena.h"
#include "decide/findings.h"
#include "expect/expectation.h"
#include "report.h"

static struct report_finding found[] = {
	{ .id = "serial-io", .severity = SEVERITY_WARNING, .summary = "one after the other" },
};

/* A program that waits for the network three quarters of its time. */
static struct report waiting_report(void)
{
	return (struct report){
		.arena = arena_new(),
		.ratios = { .cpu = 0.25,
			    .wait = 0.75,
			    .wait_to_compute = 3,
			    .cpu_low = -1,
			    .wait_low = -1 },
		.verdict = { .verdict_class = CLASS_IO_BOUND,
			     .subclass = "network",
			     .confidence = 0.9,
			     .utilisation = -1 },
		.program_time = { .parallelism = 1 },
		.concurrency = { .in_flight_mean = -1, .in_flight_peak = -1 },
		.findings = found,
		.finding_cnt = 1,
	};
}

/* Holds @report against @text and returns whether all of it is met. */
static bool holds(struct report *report, const char *text)
{
	struct expectations expectations = { 0 };
	char why[1024] = "";
	bool are_met = true;

	if (expectations_add(&expectations, text, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(expectations_check(&expectations, report), 0);
	for (size_t i = 0; i < report->expectation_cnt; i++) {
		const struct report_expectation *checked = &report->expectations[i];

		assert_true(checked->is_met == !checked->complaint);
		are_met &= checked->is_met;
	}
	return are_met;
}

static void assert_holds(struct report report, const char *text, bool expected)
{
	if (holds(&report, text) != expected)
		fail_msg("'%s' %s", text, expected ? "does not hold" : "holds");
	report_release(&report);
}

static void classes_are_alternatives(void **state)
{
	(void)state;
	assert_holds(waiting_report(), "io-bound", true);
	assert_holds(waiting_report(), "io-bound/network", true);
	assert_holds(waiting_report(), "io-bound/disk", false);
	assert_holds(waiting_report(), "cpu-bound", false);
	assert_holds(waiting_report(), "cpu-bound,io-bound/disk,io-bound/network", true);
	assert_holds(waiting_report(), "cpu-bound,mixed", false);
}

static void all_else_has_to_hold(void **state)
{
	(void)state;
	assert_holds(waiting_report(), "wait>=0.75", true);
	assert_holds(waiting_report(), "wait>0.75", false);
	assert_holds(waiting_report(), "cpu<=0.25", true);
	assert_holds(waiting_report(), "cpu<0.25", false);
	assert_holds(waiting_report(), "cpu<=.3,wait>=.7", true);
	assert_holds(waiting_report(), "cpu<=0.3,wait>=0.8", false);
	assert_holds(waiting_report(), "cpu-bound,wait>=0.7", false);
	assert_holds(waiting_report(), "wait_to_compute>2,run_queue<=0,parallelism<=1", true);
	assert_holds(waiting_report(), "confidence>=0.9", true);
}

static void findings_are_there_or_not(void **state)
{
	(void)state;
	assert_holds(waiting_report(), "finding=serial-io", true);
	assert_holds(waiting_report(), "no-finding=serial-io", false);
	assert_holds(waiting_report(), "finding=busy-polling", false);
	assert_holds(waiting_report(), "no-finding=busy-polling", true);
	assert_holds(waiting_report(), "no-finding=high", true);
	assert_holds(waiting_report(), "no-finding=warning", false);
	assert_holds(waiting_report(), "no-finding=info", false);
	assert_holds(waiting_report(), "finding=warning", true);
}

static void what_is_not_known_keeps_to_no_bound(void **state)
{
	struct report report = waiting_report();

	(void)state;
	assert_false(holds(&report, "in_flight_mean>=0"));
	assert_true(isnan(report.expectations[0].seen_number));
	assert_non_null(strstr(report.expectations[0].complaint, "not known"));
	assert_false(holds(&report, "in_flight_peak<=100"));
	assert_true(holds(&report, "utilisation>=1"));
	report.ratios.wait_to_compute = -1;
	assert_true(holds(&report, "wait_to_compute>=1000"));
	assert_false(holds(&report, "wait_to_compute<=1000"));
	report.ratios.wait = 0;
	assert_false(holds(&report, "wait_to_compute<=1000"));
	report_release(&report);
}

static void inconclusive_is_no_evidence(void **state)
{
	struct report report = waiting_report();

	(void)state;
	report.verdict.verdict_class = CLASS_INCONCLUSIVE;
	report.verdict.subclass = NULL;
	assert_false(holds(&report, "io-bound"));
	assert_non_null(strstr(report.expectations[0].complaint, "no evidence against it"));
	assert_true(holds(&report, "io-bound,inconclusive"));
	assert_false(holds(&report, "no-finding=busy-polling"));
	assert_false(holds(&report, "no-finding=serial-io"));
	report_release(&report);
}

static void assert_complaint(struct report *report, const char *text, const char *complaint)
{
	assert_false(holds(report, text));
	assert_string_equal(report->expectations[0].text, text);
	assert_string_equal(report->expectations[0].complaint, complaint);
}

static void complaints_say_what_was_seen_and_by_how_much(void **state)
{
	struct report report = waiting_report();

	(void)state;
	assert_complaint(&report, "cpu-bound,mixed",
			 "expected cpu-bound,mixed, but it is io-bound/network (confidence 90%)");
	assert_string_equal(report.expectations[0].seen, "io-bound/network");
	assert_complaint(&report, "cpu>=0.3",
			 "expected cpu>=0.3, but cpu is 0.25, by 0.05 too low (io-bound/network)");
	assert_true(report.expectations[0].seen_number == 0.25);
	report.ratios.cpu_low = 0.2;
	report.ratios.cpu_high = 0.32;
	assert_complaint(&report, "cpu>=0.3",
			 "expected cpu>=0.3, but cpu is 0.25, by 0.05 too low; the run as a whole "
			 "leaves 0.2 to 0.32 open (io-bound/network)");
	assert_complaint(
		&report, "wait<=0.5",
		"expected wait<=0.5, but wait is 0.75, by 0.25 too high (io-bound/network)");
	assert_complaint(&report, "no-finding=warning",
			 "expected no-finding=warning, but found serial-io (one after the other)");
	report_release(&report);
}

static void assert_refused(const char *text, const char *part)
{
	struct expectations expectations = { 0 };
	char why[1024] = "";

	assert_int_equal(expectations_add(&expectations, text, why, sizeof(why)), -EINVAL);
	if (!strstr(why, part) || !strchr(why, '(') || strchr(why, '\n'))
		fail_msg("'%s': %s", text, why);
	assert_int_equal(why[strlen(why) - 1], ')');
}

static void what_names_nothing_is_refused(void **state)
{
	(void)state;
	assert_refused("", "no such thing");
	assert_refused("io-bond", "io-bound");
	assert_refused("IO-BOUND", "io-bound");
	assert_refused("io-bound,", "no such thing");
	assert_refused(",io-bound", "no such thing");
	assert_refused("io-bound/", "network, disk");
	assert_refused("io-bound/gil", "network, disk");
	assert_refused("idle/x", "no subclasses");
	assert_refused("wait", "'wait>=0.6', in quotes");
	assert_refused("wiat>=0.6", "run_queue");
	assert_refused("io-bound>=0.6", "no such thing");
	assert_refused("wait>=", "not a number");
	assert_refused("wait>=x", "not a number");
	assert_refused("wait>=1e-1", "not a number");
	assert_refused("wait>=-0.1", "not a number");
	assert_refused("wait>=0.1.2", "not a number");
	assert_refused("wait>=.", "not a number");
	assert_refused("wait=>0.5", "no such thing");
	assert_refused("wait>=60", "between 0 and 1");
	assert_refused("finding=", "busy-polling");
	assert_refused("finding=nothing", "busy-polling");
	assert_refused("no-finding=worst", "high, warning, info");
	assert_refused("wait>=00000000000000000000000000000000000000000000000000", "not a number");
}

static void a_refusal_names_every_finding(void **state)
{
	struct expectations expectations = { 0 };
	char why[1024] = "";

	(void)state;
	expectations_add(&expectations, "finding=?", why, sizeof(why));
	for (size_t i = 0; findings_id(i); i++)
		assert_non_null(strstr(why, findings_id(i)));
	assert_non_null(findings_id(10));
}

static void there_is_an_end_to_them(void **state)
{
	struct expectations expectations = { 0 };
	char why[1024];

	(void)state;
	for (int i = 0; i < EXPECTATION_MAX; i++)
		assert_int_equal(expectations_add(&expectations, "cpu<1", why, sizeof(why)), 0);
	assert_int_equal(expectations_add(&expectations, "cpu<1", why, sizeof(why)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_alternatives),
		cmocka_unit_test(all_else_has_to_hold),
		cmocka_unit_test(findings_are_there_or_not),
		cmocka_unit_test(what_is_not_known_keeps_to_no_bound),
		cmocka_unit_test(inconclusive_is_no_evidence),
		cmocka_unit_test(complaints_say_what_was_seen_and_by_how_much),
		cmocka_unit_test(what_names_nothing_is_refused),
		cmocka_unit_test(a_refusal_names_every_finding),
		cmocka_unit_test(there_is_an_end_to_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
