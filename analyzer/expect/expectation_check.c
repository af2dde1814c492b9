/* Holding a report against what was expected, and wording what did not come true. */
#include "expect/expectation.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "arena.h"

/* "io-bound/network" */
static const char *verdict_phrase(const struct report *report)
{
	const struct report_verdict *verdict = &report->verdict;
	const char *name = verdict_class_name(verdict->verdict_class);

	if (!verdict->subclass)
		return name;
	return arena_printf(report->arena, "%s/%s", name, verdict->subclass);
}

static bool is_of_class(const struct expectation *expected, const struct report_verdict *verdict)
{
	if (verdict->verdict_class != expected->verdict_class)
		return false;
	return !expected->subclass ||
	       (verdict->subclass && !strcmp(verdict->subclass, expected->subclass));
}

static bool is_inconclusive(const struct report *report)
{
	return report->verdict.verdict_class == CLASS_INCONCLUSIVE;
}

static const char *class_complaint(const struct report *report, const char *text)
{
	if (is_inconclusive(report))
		return arena_printf(report->arena,
				    "expected %s, but the verdict is inconclusive: no evidence "
				    "against it, but none for it either (give it more to do, or "
				    "observe it for longer)",
				    text);
	return arena_printf(report->arena, "expected %s, but it is %s (confidence %d%%)", text,
			    verdict_phrase(report), (int)(report->verdict.confidence * 100 + 1e-9));
}

/* All classes that were named are one expectation: the verdict has only one. */
static void check_classes(const struct expectations *expectations, struct report *report)
{
	struct report_expectation *to = &report->expectations[report->expectation_cnt];
	const char *text = NULL;

	*to = (struct report_expectation){ .seen = verdict_phrase(report) };
	for (size_t i = 0; i < expectations->cnt; i++) {
		const struct expectation *expected = &expectations->list[i];

		if (expected->kind != EXPECT_CLASS)
			continue;
		text = arena_printf(report->arena, "%s%s%.*s", text ? text : "", text ? "," : "",
				    (int)expected->len, expected->text);
		to->is_met |= is_of_class(expected, &report->verdict);
	}
	if (!text)
		return;
	to->text = text;
	if (!to->is_met)
		to->complaint = class_complaint(report, text);
	report->expectation_cnt++;
}

static bool keeps_to(const struct expectation *expected, double value)
{
	switch (expected->comparison) {
	case LESS:
		return value < expected->bound;
	case LESS_OR_EQUAL:
		return value <= expected->bound;
	case GREATER:
		return value > expected->bound;
	case GREATER_OR_EQUAL:
		return value >= expected->bound;
	}
	return false;
}

/* " (this run leaves 0.37 to 0.46 open)" where the bound lies in the number's interval. */
static const char *interval_phrase(const struct expectation *expected, const struct report *report)
{
	const struct report_ratios *ratios = &report->ratios;
	bool is_cpu = !strcmp(expected->number->name, "cpu");
	double low = is_cpu ? ratios->cpu_low : ratios->wait_low;
	double high = is_cpu ? ratios->cpu_high : ratios->wait_high;

	if ((!is_cpu && strcmp(expected->number->name, "wait")) || low < 0 ||
	    expected->bound < low || expected->bound > high || high <= low)
		return "";
	return arena_printf(report->arena, "; the run as a whole leaves %.3g to %.3g open", low,
			    high);
}

static const char *number_complaint(const struct report *report, const struct expectation *expected,
				    const char *text, double value)
{
	const char *name = expected->number->name;
	const char *hint = is_inconclusive(report)
				   ? "the verdict is inconclusive: no evidence against it"
				   : verdict_phrase(report);

	if (isnan(value))
		return arena_printf(report->arena,
				    "expected %s, but %s is not known here: no evidence against it "
				    "(see the report's notes)",
				    text, name);
	if (isinf(value))
		return arena_printf(report->arena, "expected %s, but nothing was computed (%s)",
				    text, hint);
	return arena_printf(report->arena, "expected %s, but %s is %.3g, by %.3g too %s%s (%s)",
			    text, name, value, fabs(value - expected->bound),
			    expected->comparison <= LESS_OR_EQUAL ? "high" : "low",
			    interval_phrase(expected, report), hint);
}

static void check_number(const struct expectation *expected, struct report *report,
			 struct report_expectation *to)
{
	double value = expected->number->value(report);

	to->seen_number = isinf(value) ? NAN : value;
	to->is_met = keeps_to(expected, value);
	if (!to->is_met)
		to->complaint = number_complaint(report, expected, to->text, value);
}

static const struct report_finding *find_finding(const struct expectation *expected,
						 const struct report *report)
{
	for (size_t i = 0; i < report->finding_cnt; i++) {
		const struct report_finding *finding = &report->findings[i];

		if (expected->finding_id ? !strcmp(finding->id, expected->finding_id)
					 : finding->severity >= expected->severity)
			return finding;
	}
	return NULL;
}

/* Of too little evidence nothing can be found: that is not proof of absence. */
static void check_finding(const struct expectation *expected, struct report *report,
			  struct report_expectation *to)
{
	const struct report_finding *finding = find_finding(expected, report);

	to->seen = finding ? finding->id : "none";
	to->is_met = !finding == expected->is_absence;
	if (to->is_met && !finding && is_inconclusive(report))
		to->is_met = false;
	if (to->is_met)
		return;
	if (finding)
		to->complaint = arena_printf(report->arena, "expected %s, but found %s (%s)",
					     to->text, finding->id, finding->summary);
	else if (is_inconclusive(report))
		to->complaint =
			arena_printf(report->arena,
				     "expected %s, but the verdict is inconclusive: nothing "
				     "was found, nor could be (observe it for longer)",
				     to->text);
	else
		to->complaint =
			arena_printf(report->arena, "expected %s, but it was not found (%s)",
				     to->text, verdict_phrase(report));
}

static void check_other(const struct expectation *expected, struct report *report)
{
	struct report_expectation *to = &report->expectations[report->expectation_cnt];

	if (expected->kind == EXPECT_CLASS)
		return;
	*to = (struct report_expectation){ .seen_number = NAN };
	to->text = arena_printf(report->arena, "%.*s", (int)expected->len, expected->text);
	if (expected->kind == EXPECT_NUMBER)
		check_number(expected, report, to);
	else
		check_finding(expected, report, to);
	report->expectation_cnt++;
}

int expectations_check(const struct expectations *expectations, struct report *report)
{
	report->expectation_cnt = 0;
	report->expectations =
		arena_array(report->arena, expectations->cnt + 1, sizeof(*report->expectations));
	if (!report->expectations)
		return -ENOMEM;
	check_classes(expectations, report);
	for (size_t i = 0; i < expectations->cnt; i++)
		check_other(&expectations->list[i], report);
	return arena_has_failed(report->arena) ? -ENOMEM : 0;
}
