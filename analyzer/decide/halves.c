/* See halves.h. */
#include "decide/halves.h"
#include "account/windows.h"
#include "arena.h"
#include "decide/part.h"
#include "decide/thresholds.h"

/* A class that says what holds the program up. */
static bool is_bound(enum verdict_class verdict_class)
{
	return verdict_class == CLASS_CPU_BOUND || verdict_class == CLASS_IO_BOUND ||
	       verdict_class == CLASS_LOCK_BOUND || verdict_class == CLASS_TIMER_BOUND;
}

static enum verdict_class class_of(const struct facts *facts, const struct report *report,
				   const struct windows *windows, size_t first, size_t last)
{
	enum verdict_class found = CLASS_INCONCLUSIVE;
	struct part part;

	if (part_judge(facts, report, windows, first, last, &part))
		found = part.report.verdict.verdict_class;
	part_release(&part);
	return found;
}

bool halves_refute(const struct facts *facts, struct report *report)
{
	struct report_verdict *verdict = &report->verdict;
	enum verdict_class first, second;
	const struct windows *windows = facts->windows;
	size_t middle = windows->cnt / 2;

	if (verdict->verdict_class == CLASS_INCONCLUSIVE || verdict->is_clear ||
	    report->phase_cnt > 1 || facts->program_time->wall_ns < HALVES_MIN_NS)
		return false;
	if (!middle)
		return false;
	first = class_of(facts, report, windows, 0, middle - 1);
	second = class_of(facts, report, windows, middle, windows->cnt - 1);
	if (first == second || !is_bound(first) || !is_bound(second))
		return false;
	*verdict = (struct report_verdict){
		.verdict_class = CLASS_INCONCLUSIVE,
		.utilisation = verdict->utilisation,
		.summary = arena_printf(facts->arena,
					"Not enough evidence: its halves disagree, the first was "
					"%s and the second %s.",
					verdict_class_name(first), verdict_class_name(second)),
	};
	return true;
}
