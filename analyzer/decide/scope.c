/* See scope.h. */
#include "decide/scope.h"
#include <ctype.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/phases.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

static bool is_edge(const struct report_phase *phase)
{
	return !strcmp(phase->name, "start-up") || !strcmp(phase->name, "shut-down");
}

/* What it does is one thing, and no idling. */
static bool is_clear(const struct report_phase *phase)
{
	switch (phase->verdict_class) {
	case CLASS_CPU_BOUND:
	case CLASS_IO_BOUND:
	case CLASS_LOCK_BOUND:
	case CLASS_TIMER_BOUND:
	case CLASS_CPU_STARVED:
		return true;
	default:
		return false;
	}
}

/* Whether phases tell more than the run as a whole: nearly all of it is clear once it is cut, and
 * they are not all of one class. */
static bool phases_tell_more(const struct report *report)
{
	const struct report_phase *first = NULL;
	bool differ = false;
	double clear = 0;

	for (size_t i = 0; i < report->phase_cnt; i++) {
		const struct report_phase *phase = &report->phases[i];

		if (!is_clear(phase) && !is_edge(phase))
			continue;
		clear += phase_share(report, phase);
		if (is_edge(phase))
			continue;
		differ = differ || (first && first->verdict_class != phase->verdict_class);
		first = first ? first : phase;
	}
	return differ && clear >= SCOPE_CLEAR_SHARE;
}

static const char *waiting_words(const char *subclass)
{
	static const struct {
		enum wait_reason reason;
		const char *words;
	} known[] = {
		{ WAIT_NETWORK, "waits for the network" }, { WAIT_DISK, "waits for the disk" },
		{ WAIT_IPC, "waits for other programs" },  { WAIT_DEVICE, "waits for a device" },
		{ WAIT_PAGING, "waits for pages" },
	};

	for (size_t i = 0; subclass && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(subclass, wait_reason_name(known[i].reason)))
			return known[i].words;
	return "waits for results";
}

/* What the program does in @phase: "it" ... */
static const char *phase_words(const struct report_phase *phase)
{
	if (is_edge(phase))
		return !strcmp(phase->name, "start-up") ? "starts up" : "shuts down";
	switch (phase->verdict_class) {
	case CLASS_CPU_BOUND:
		return "computes";
	case CLASS_IO_BOUND:
		return waiting_words(phase->subclass);
	case CLASS_LOCK_BOUND:
		return "waits for locks";
	case CLASS_TIMER_BOUND:
		return "sleeps";
	case CLASS_CPU_STARVED:
		return "lacks CPUs";
	case CLASS_IDLE:
		return "waits for work";
	default:
		return "does some of each";
	}
}

/* "It first waits for the network (51% of the run), then computes (49%)." */
static const char *course_of(const struct facts *facts, const struct report *report)
{
	const char *text = "It first";

	for (size_t i = 0; i < report->phase_cnt; i++)
		text = arena_printf(facts->arena, "%s%s %s (%.0f%%%s)", text, i ? ", then" : "",
				    phase_words(&report->phases[i]),
				    pct(phase_share(report, &report->phases[i])),
				    i ? "" : " of the run");
	return arena_printf(facts->arena, "%s.", text);
}

/* The prediction that a phase's recommendation rests on; NULL: it has none. */
static const struct report_prediction *chosen(const struct report_phase *phase)
{
	const struct report_recommendation *to = &phase->recommendation;

	for (size_t i = 0; i < phase->prediction_cnt; i++)
		if (phase->predictions[i].model == to->model &&
		    (!to->workers || phase->predictions[i].workers == to->workers))
			return &phase->predictions[i];
	return NULL;
}

/* Of the run's time, what changing @phase would save. */
static double saved_share(const struct report *report, const struct report_phase *phase)
{
	const struct report_prediction *prediction = chosen(phase);
	double speedup = prediction ? prediction->speedup_expected : SCOPE_GUESSED_SPEEDUP;

	if (phase->recommendation.action != ACTION_CHANGE || !is_clear(phase) || speedup <= 1)
		return 0;
	return phase_share(report, phase) * (1 - 1 / speedup);
}

static const struct report_phase *most_to_gain(const struct report *report)
{
	const struct report_phase *best = NULL;

	for (size_t i = 0; i < report->phase_cnt; i++) {
		double saved = saved_share(report, &report->phases[i]);

		if (saved > 0 && (!best || saved > saved_share(report, best)))
			best = &report->phases[i];
	}
	return best;
}

/* Amdahl: the rest takes as long as before. */
static double for_the_run(double speedup, double part)
{
	return speedup > 0 ? 1 / (1 - part + part / speedup) : speedup;
}

static void take_prediction(const struct facts *facts, const struct report_phase *phase,
			    double part, struct report_prediction *prediction)
{
	const char **assumptions =
		arena_array(facts->arena, prediction->assumption_cnt + 1, sizeof(*assumptions));

	prediction->speedup_low = for_the_run(prediction->speedup_low, part);
	prediction->speedup_expected = for_the_run(prediction->speedup_expected, part);
	prediction->speedup_high = for_the_run(prediction->speedup_high, part);
	for (size_t i = 0; i < prediction->curve_cnt; i++)
		prediction->curve[i].speedup = for_the_run(prediction->curve[i].speedup, part);
	if (!assumptions)
		return;
	for (size_t i = 0; i < prediction->assumption_cnt; i++)
		assumptions[i] = prediction->assumptions[i];
	assumptions[prediction->assumption_cnt++] =
		arena_printf(facts->arena, "all but %s stays as it is", phase->name);
	prediction->assumptions = assumptions;
}

/* The run's predictions become those of @phase, which keeps its own. */
static void take_predictions(const struct facts *facts, const struct report_phase *phase,
			     struct report *report)
{
	size_t cnt = phase->prediction_cnt;
	struct report_prediction *to = arena_array(facts->arena, cnt, sizeof(*to));

	for (size_t i = 0; to && i < cnt; i++) {
		struct report_curve_point *curve =
			arena_array(facts->arena, phase->predictions[i].curve_cnt, sizeof(*curve));

		to[i] = phase->predictions[i];
		if (curve)
			memcpy(curve, to[i].curve, to[i].curve_cnt * sizeof(*curve));
		to[i].curve = curve;
		to[i].curve_cnt = curve ? to[i].curve_cnt : 0;
		take_prediction(facts, phase, phase_share(report, phase), &to[i]);
	}
	report->predictions = to;
	report->prediction_cnt = to ? cnt : 0;
}

/* "Phase 2, which computes (49% of the run), calls for multiprocessing by itself." */
static const char *other_advice(const struct facts *facts, const struct report *report,
				const struct report_phase *phase)
{
	const struct report_recommendation *to = &phase->recommendation;
	const char *text = arena_printf(
		facts->arena, "%s, which %s (%.0f%% of the run), by itself calls for %s%s.",
		phase->name, phase_words(phase), pct(phase_share(report, phase)),
		concurrency_model_name(to->model),
		to->workers ? arena_printf(facts->arena, " with %u worker%s", to->workers,
					   to->workers == 1 ? "" : "s")
			    : "");
	char *first = arena_array(facts->arena, strlen(text) + 1, 1);

	if (!first)
		return text;
	strcpy(first, text);
	first[0] = (char)toupper(first[0]);
	return first;
}

static void add_other_advice(const struct facts *facts, const struct report_phase *taken,
			     struct report *report)
{
	struct report_recommendation *to = &report->recommendation;
	const char **reasons =
		arena_array(facts->arena, to->reason_cnt + report->phase_cnt, sizeof(*reasons));
	size_t cnt = 0;

	if (!reasons)
		return;
	for (size_t i = 0; i < to->reason_cnt && i < 1; i++)
		reasons[cnt++] = to->reasons[i];
	for (size_t i = 0; i < report->phase_cnt; i++)
		if (&report->phases[i] != taken && is_clear(&report->phases[i]) &&
		    report->phases[i].recommendation.action == ACTION_CHANGE)
			reasons[cnt++] = other_advice(facts, report, &report->phases[i]);
	for (size_t i = 1; i < to->reason_cnt; i++)
		reasons[cnt++] = to->reasons[i];
	to->reasons = reasons;
	to->reason_cnt = cnt;
}

static bool scope_by_phase(const struct facts *facts, struct report *report)
{
	const struct report_phase *best;

	if (!phases_tell_more(report))
		return false;
	if (report->verdict.verdict_class == CLASS_MIXED)
		report->verdict.summary = course_of(facts, report);
	best = most_to_gain(report);
	if (!best)
		return false;
	report->recommendation = best->recommendation;
	report->recommendation.scope =
		arena_printf(facts->arena, "%s, which %s (%.0f%% of the run)", best->name,
			     phase_words(best), pct(phase_share(report, best)));
	report->operations = best->operations;
	take_predictions(facts, best, report);
	add_other_advice(facts, best, report);
	return true;
}

/* Time in which a role does what a program of @verdict_class does. */
static uint64_t does_ns(const struct report_role *role, enum verdict_class verdict_class)
{
	if (role->verdict_class != verdict_class)
		return 0;
	if (verdict_class == CLASS_CPU_BOUND)
		return role->on_cpu_ns;
	return role->life_ns;
}

/* Beside a role that the verdict is about: it works at something else, or is there to work. A main
 * thread that joins its workers is neither. */
static bool is_something_else(const struct report *report, const struct report_role *role)
{
	if (role->life_ns < report->program_time.wall_ns / 4)
		return false;
	if (role->verdict_class == CLASS_IDLE)
		return !strcmp(role->kind, "pool") && role->thread_cnt >= IDLE_WORKERS_MIN;
	return role->verdict_class == CLASS_IO_BOUND || role->verdict_class == CLASS_CPU_BOUND ||
	       role->verdict_class == CLASS_LOCK_BOUND;
}

/* The role that alone does what the verdict is about; NULL: several do, or nobody else is there. */
static const struct report_role *only_role(const struct report *report)
{
	enum verdict_class verdict_class = report->verdict.verdict_class;
	const struct report_role *most = NULL;
	uint64_t sum_ns = 0;
	bool has_others = false;

	for (size_t i = 0; i < report->role_cnt; i++) {
		const struct report_role *role = &report->roles[i];

		sum_ns += does_ns(role, verdict_class);
		if (!most || does_ns(role, verdict_class) > does_ns(most, verdict_class))
			most = role;
	}
	if (!sum_ns || share_of(does_ns(most, verdict_class), sum_ns) < SCOPE_CLEAR_SHARE)
		return NULL;
	for (size_t i = 0; i < report->role_cnt; i++)
		has_others = has_others || (report->roles[i].verdict_class != verdict_class &&
					    is_something_else(report, &report->roles[i]));
	return has_others ? most : NULL;
}

static void scope_by_role(const struct facts *facts, struct report *report)
{
	const struct report_role *role = NULL;

	if (report->verdict.verdict_class == CLASS_CPU_BOUND ||
	    report->verdict.verdict_class == CLASS_IO_BOUND)
		role = only_role(report);
	if (!role)
		return;
	report->recommendation.scope =
		role->thread_cnt == 1 ? arena_printf(facts->arena, "the thread \"%s\"", role->name)
				      : arena_printf(facts->arena, "the %u threads \"%s\"",
						     role->thread_cnt, role->name);
}

void scope_report(const struct facts *facts, struct report *report)
{
	enum verdict_class verdict_class = report->verdict.verdict_class;

	/* What is no evidence for the run is none for a part of it; and who idles has time. */
	if (verdict_class == CLASS_INCONCLUSIVE || verdict_class == CLASS_IDLE)
		return;
	if (!scope_by_phase(facts, report))
		scope_by_role(facts, report);
}
