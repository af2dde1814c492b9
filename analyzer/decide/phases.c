/* See phases.h. */
#include "decide/phases.h"
#include <math.h>
#include <string.h>
#include "account/change_points.h"
#include "account/thread_time.h"
#include "account/windows.h"
#include "arena.h"
#include "decide/busy.h"
#include "decide/part.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

/* What a window is compared by: shares of the time in which it wasn't starved, as for the classes:
 * that others had the CPUs is no behaviour of its own. And how many CPUs it wants. */
enum {
	BY_COMPUTING,
	BY_CPUS,  /* wanted at once, in logarithm: 1 and 2 differ more than 11 and 12 */
	BY_CAUSE, /* of the quiet time */
	BEHAVIOUR_CNT = BY_CAUSE + QUIET_CAUSE_CNT,
};

enum {
	CYCLE_PIECES = 4,	     /* there and back, twice */
	PIECES_MAX = 2 * PHASES_MAX, /* that are cut, to be joined */
};

/* While it is being found out: windows from first to last. */
struct piece {
	size_t first, last;
	double behaviour[BEHAVIOUR_CNT];
	enum verdict_class verdict_class;
};

struct pieces {
	struct piece list[PIECES_MAX];
	size_t cnt;
};

/* What goes from one share shows in another, this only here: it counts twice when squared. */
static double wanted_cpus(const struct facts *facts, double runnable)
{
	return M_SQRT2 * fmin(log2(1 + runnable) / log2(1 + fmax(facts->cpus, 1)), 1);
}

/* The behaviour in the windows from @first to @last. Returns false if it was starved throughout. */
static bool behaviour_of(const struct facts *facts, const struct windows *windows, size_t first,
			 size_t last, double behaviour[BEHAVIOUR_CNT])
{
	double whole_ns =
		(double)(windows->windows[last].end_ns - windows->windows[first].start_ns);
	double starved_ns = 0, runnable_ns = 0, length_ns;

	memset(behaviour, 0, BEHAVIOUR_CNT * sizeof(*behaviour));
	for (size_t i = first; i <= last; i++) {
		const struct window *window = &windows->windows[i];

		starved_ns += (double)window->starved_ns;
		runnable_ns += window->runnable_ns;
		behaviour[BY_COMPUTING] += (double)window->computing_ns;
		for (int cause = 0; cause < QUIET_CAUSE_CNT; cause++)
			behaviour[BY_CAUSE + cause] += window->quiet_ns[cause];
	}
	length_ns = whole_ns - starved_ns;
	if (length_ns < LEAST_UNSTARVED * whole_ns)
		return false;
	/* While it was starved one thread at least was ready. */
	behaviour[BY_CPUS] = fmax(runnable_ns - starved_ns, 0);
	for (int i = 0; i < BEHAVIOUR_CNT; i++)
		behaviour[i] /= length_ns;
	behaviour[BY_CPUS] = wanted_cpus(facts, behaviour[BY_CPUS]);
	return true;
}

static size_t shortest_windows(const struct windows *windows)
{
	uint64_t width_ns = windows->windows[0].end_ns;
	double whole_ns = (double)windows->obs->duration_ns;

	return (size_t)ceil(fmax(PHASE_MIN_NS, PHASE_MIN_SHARE * whole_ns) / (double)width_ns);
}

static void cut(const struct facts *facts, const struct windows *windows, struct pieces *pieces)
{
	double *values = arena_array(facts->scratch, windows->cnt * BEHAVIOUR_CNT, sizeof(*values));
	struct series series = { values, windows->cnt, BEHAVIOUR_CNT };
	size_t ends[PIECES_MAX], from = 0;

	if (!values)
		return;
	for (size_t i = 0; i < windows->cnt; i++) {
		double *value = &values[i * BEHAVIOUR_CNT];

		/* A window that tells nothing is like the one before. */
		if (!behaviour_of(facts, windows, i, i, value) && i)
			memcpy(value, value - BEHAVIOUR_CNT, BEHAVIOUR_CNT * sizeof(*value));
	}
	pieces->cnt =
		change_points(&series, shortest_windows(windows), PIECES_MAX, ends, facts->scratch);
	for (size_t i = 0; i < pieces->cnt; i++) {
		struct piece *piece = &pieces->list[i];

		piece->first = from;
		piece->last = ends[i] - 1;
		from = ends[i];
		behaviour_of(facts, windows, piece->first, piece->last, piece->behaviour);
	}
}

/* What finding phases works on. */
struct search {
	const struct facts *facts;
	const struct report *report; /* of the run */
	struct windows windows;
	struct pieces pieces;
};

static void judge_class(const struct search *search, struct piece *piece)
{
	struct part part;

	piece->verdict_class = CLASS_INCONCLUSIVE;
	if (part_judge(search->facts, search->report, &search->windows, piece->first, piece->last,
		       &part))
		piece->verdict_class = part.report.verdict.verdict_class;
	part_release(&part);
}

/* How far two pieces are apart, in the number in which they differ most. */
static double distance(const struct piece *one, const struct piece *other)
{
	double most = 0;

	for (int i = 0; i < BEHAVIOUR_CNT; i++)
		most = fmax(most, fabs(one->behaviour[i] - other->behaviour[i]));
	return most;
}

static bool are_alike(const struct piece *one, const struct piece *other)
{
	bool is_same_class = one->verdict_class == other->verdict_class;

	/* What it would do with CPUs hardly shows. */
	if (is_same_class && one->verdict_class == CLASS_CPU_STARVED)
		return true;
	return distance(one, other) < (is_same_class ? PHASE_SAME_CLASS : PHASE_OTHER_CLASS);
}

/* Makes one piece of those from @at to @at + @cnt - 1. */
static void join(struct search *search, size_t at, size_t cnt)
{
	struct pieces *pieces = &search->pieces;
	struct piece *piece = &pieces->list[at];

	piece->last = pieces->list[at + cnt - 1].last;
	behaviour_of(search->facts, &search->windows, piece->first, piece->last, piece->behaviour);
	judge_class(search, piece);
	pieces->cnt -= cnt - 1;
	memmove(piece + 1, piece + cnt, (pieces->cnt - at - 1) * sizeof(*piece));
}

/* The most alike of neighbours that are alike first. */
static bool join_alike(struct search *search)
{
	const struct pieces *pieces = &search->pieces;
	size_t best = pieces->cnt;

	for (size_t i = 0; i + 1 < pieces->cnt; i++)
		if (are_alike(&pieces->list[i], &pieces->list[i + 1]) &&
		    (best == pieces->cnt ||
		     distance(&pieces->list[i], &pieces->list[i + 1]) <
			     distance(&pieces->list[best], &pieces->list[best + 1])))
			best = i;
	if (best == pieces->cnt)
		return false;
	join(search, best, 2);
	return true;
}

static size_t length_of(const struct piece *piece)
{
	return piece->last - piece->first + 1;
}

/* The shortest first; to the neighbour that is more like it. */
static bool join_short(struct search *search)
{
	const struct pieces *pieces = &search->pieces;
	size_t shortest = 0;

	for (size_t i = 1; i < pieces->cnt; i++)
		if (length_of(&pieces->list[i]) < length_of(&pieces->list[shortest]))
			shortest = i;
	if (pieces->cnt < 2 ||
	    length_of(&pieces->list[shortest]) >= shortest_windows(&search->windows))
		return false;
	if (shortest + 1 == pieces->cnt ||
	    (shortest && distance(&pieces->list[shortest - 1], &pieces->list[shortest]) <
				 distance(&pieces->list[shortest], &pieces->list[shortest + 1])))
		shortest--;
	join(search, shortest, 2);
	return true;
}

/* How many pieces from @at on take turns: the fourth is the first that shows it. */
static size_t turns_at(const struct pieces *pieces, size_t at)
{
	size_t cnt = 2;

	while (at + cnt < pieces->cnt &&
	       are_alike(&pieces->list[at + cnt - 2], &pieces->list[at + cnt]))
		cnt++;
	return cnt;
}

/* What comes back is no phase: it loads and computes by turns, and that is what it does. */
static bool join_cycle(struct search *search)
{
	for (size_t i = 0; i + CYCLE_PIECES <= search->pieces.cnt; i++) {
		size_t cnt = turns_at(&search->pieces, i);

		if (cnt < CYCLE_PIECES)
			continue;
		join(search, i, cnt);
		return true;
	}
	return false;
}

static void find_pieces(struct search *search)
{
	struct pieces *pieces = &search->pieces;

	if (!search->windows.cnt)
		return;
	cut(search->facts, &search->windows, pieces);
	if (pieces->cnt < 2)
		return;
	for (size_t i = 0; i < pieces->cnt; i++)
		judge_class(search, &pieces->list[i]);
	while (join_alike(search) || join_cycle(search) || join_short(search))
		;
	while (pieces->cnt > PHASES_MAX)
		join(search, 0, pieces->cnt);
}

/* "It computed (71%) and waited for the disk (25%).", shares of its busy time. */
static const char *summary_of(const struct facts *facts, const struct part *part)
{
	const char *phrase = busy_phrase(&part->facts);

	if (part->report.verdict.verdict_class == CLASS_IDLE)
		return arena_printf(facts->arena, "It waited for work for %.0f%% of the time.",
				    pct(part->facts.idle_share));
	if (part->report.verdict.verdict_class == CLASS_INCONCLUSIVE || !phrase)
		return arena_string(facts->arena, part->report.verdict.summary);
	if (part->facts.idle_share >= NOTABLE_IDLE)
		return arena_printf(facts->arena, "It was busy for %.0f%%, and then it %s.",
				    pct(1 - part->facts.idle_share), phrase);
	return arena_printf(facts->arena, "It %s.", phrase);
}

/* Objects are known for the run, not for a part of it. */
static void forget_objects(struct report_program_time *time)
{
	for (size_t i = 0; i < time->wait_cnt; i++)
		time->waits[i].object_cnt = 0;
}

static void fill_from_part(const struct facts *facts, struct part *part, struct report_phase *phase)
{
	const struct report *report = &part->report;
	const char *subclass = report->verdict.subclass;

	forget_objects(&part->report.program_time);
	part_advise(part);
	phase->verdict_class = report->verdict.verdict_class;
	phase->subclass = subclass ? arena_string(facts->arena, subclass) : NULL;
	phase->computing_ns = report->program_time.computing_ns;
	phase->starved_ns = report->program_time.starved_ns;
	phase->quiet_ns = report->program_time.quiet_ns;
	phase->idle_ns = report->program_time.idle_ns;
	phase->summary = summary_of(facts, part);
	part_copy_advice(part, facts->arena, phase);
}

static void fill(const struct search *search, const struct piece *piece, struct report_phase *phase)
{
	struct part part;

	phase->start_ns = search->windows.windows[piece->first].start_ns;
	phase->end_ns = search->windows.windows[piece->last].end_ns;
	phase->verdict_class = CLASS_INCONCLUSIVE;
	phase->recommendation.action = ACTION_MEASURE_AGAIN;
	phase->recommendation.summary = phase->summary = "";
	if (part_judge(search->facts, search->report, &search->windows, piece->first, piece->last,
		       &part))
		fill_from_part(search->facts, &part, phase);
	part_release(&part);
}

double phase_share(const struct report *report, const struct report_phase *phase)
{
	return share_of(phase->computing_ns + phase->quiet_ns,
			report->program_time.computing_ns + report->program_time.quiet_ns);
}

/* Reading and preparing before the first work, of a program that began under our eyes. */
static bool is_start_up(const struct report *report, const struct report_phase *phase,
			const struct piece *piece)
{
	const double *behaviour = piece->behaviour;

	return report->mode == TARGET_WRAP &&
	       phase->computing_ns + phase->quiet_ns <= START_UP_MAX_NS &&
	       phase_share(report, phase) <= START_UP_SHARE &&
	       behaviour[BY_COMPUTING] + behaviour[BY_CAUSE + QUIET_FILE] >= START_UP_WORK;
}

static bool is_shut_down(const struct report *report, const struct report_phase *phase)
{
	return report->has_exited && phase_share(report, phase) <= SHUT_DOWN_SHARE;
}

/* What is done once is not worth another model. */
static void name_edge(const struct report *report, struct report_phase *phase, const char *name)
{
	enum concurrency_model current = report->concurrency.current;

	phase->name = name;
	phase->prediction_cnt = 0;
	phase->recommendation = (struct report_recommendation){
		.action = ACTION_KEEP,
		.model = current == MODEL_MIXED ? report->recommendation.model : current,
		.summary = "It is done once: doing less there shortens it, more workers don't.",
	};
}

static void name_phases(const struct search *search, struct report *report)
{
	size_t first = 0, last = report->phase_cnt - 1;

	if (is_start_up(report, &report->phases[0], &search->pieces.list[0]))
		name_edge(report, &report->phases[first++], "start-up");
	if (last > first && is_shut_down(report, &report->phases[last]))
		name_edge(report, &report->phases[last--], "shut-down");
	for (size_t i = first; i <= last; i++)
		report->phases[i].name = first == last ? "run"
						       : arena_printf(search->facts->arena,
								      "phase %zu", i - first + 1);
}

static void fill_whole(struct report *report)
{
	const struct report_program_time *time = &report->program_time;

	report->phase_cnt = 1;
	report->phases[0] = (struct report_phase){
		.end_ns = time->wall_ns,
		.verdict_class = report->verdict.verdict_class,
		.subclass = report->verdict.subclass,
		.name = "run",
		.computing_ns = time->computing_ns,
		.starved_ns = time->starved_ns,
		.quiet_ns = time->quiet_ns,
		.idle_ns = time->idle_ns,
		.summary = report->verdict.summary,
		.recommendation = report->recommendation,
		.predictions = report->predictions,
		.prediction_cnt = report->prediction_cnt,
	};
}

void phases_report(const struct facts *facts, struct report *report)
{
	struct search search = { .facts = facts, .report = report, .windows = *facts->windows };

	find_pieces(&search);
	report->phases = arena_array(facts->arena, PHASES_MAX, sizeof(*report->phases));
	if (!report->phases)
		return;
	if (search.pieces.cnt < 2) {
		fill_whole(report);
		return;
	}
	report->phase_cnt = search.pieces.cnt;
	for (size_t i = 0; i < report->phase_cnt; i++)
		fill(&search, &search.pieces.list[i], &report->phases[i]);
	name_phases(&search, report);
}
