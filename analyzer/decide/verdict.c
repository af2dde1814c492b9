/* Runs the tables of rules.c, and says how near the border the verdict is. */
#include <ctype.h>
#include <math.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/busy.h"
#include "decide/phrase.h"
#include "decide/rules.h"
#include "decide/thresholds.h"
#include "decide/verdict.h"

/* The nearest way to another verdict: a rule's score crossing its threshold. */
struct border {
	const struct class_rule *crossing; /* the rule whose score would cross; NULL: none */
	const struct class_rule *beyond;   /* the rule that would hold then */
	double margin;	/* 0: at the border, 1: FULL_MARGIN points away or as far as can be */
	bool is_within; /* the score, by its interval, may be beyond it */
	bool is_clear;	/* it may not, as far as is known */
};

static bool lacks_evidence(const struct facts *facts, struct report_verdict *verdict)
{
	for (const struct evidence_rule *rule = evidence_rules; rule->id; rule++) {
		if (!rule->is_lacking(facts))
			continue;
		verdict->verdict_class = CLASS_INCONCLUSIVE;
		verdict->summary = arena_printf(facts->arena, "Not enough evidence: %s.",
						rule->because(facts));
		return true;
	}
	return false;
}

/* The rule that would give the verdict if @winner didn't. */
static const struct class_rule *next_holding(const struct facts *facts,
					     const struct class_rule *winner)
{
	const struct class_rule *rule = winner + 1;

	while (!class_rule_holds(rule, facts) || rule->verdict_class == winner->verdict_class)
		rule++;
	return rule;
}

/*
 * How far the score of @rule is above its threshold (or below: @is_below), in 0..1. A score can't
 * be further away than at the end of its scale. Within the interval of the score that is less, the
 * nearer to the border the more: at the interval's end it is what it would be without.
 */
static struct border border_of(const struct facts *facts, const struct class_rule *rule,
			       bool is_below)
{
	double score = rule->score(facts), threshold = rule->threshold;
	double points = fmax(is_below ? threshold - score : score - threshold, 0);
	double most = fmin(FULL_MARGIN, is_below ? threshold : 1 - threshold);
	double spread = class_rule_spread(rule, facts);
	struct border border = { .crossing = rule, .margin = fmin(points / most, 1) };

	border.is_within = points < spread;
	border.is_clear = spread < 0 ? border.margin > UNMEASURED_MARGIN : !border.is_within;
	if (border.is_within)
		border.margin *= points / spread;
	return border;
}

/* Of two the one that is nearer to being crossed. */
static void keep_nearer(struct border *kept, const struct border *other)
{
	bool is_nearer = other->is_within == kept->is_within ? other->margin < kept->margin
							     : other->is_within;
	bool is_clear = kept->is_clear && other->is_clear;

	if (is_nearer)
		*kept = *other;
	kept->is_clear = is_clear;
}

/* Downwards the winner's own score could fall, upwards that of an earlier rule, which comes first,
 * reach its threshold. */
static struct border nearest_border(const struct facts *facts, const struct class_rule *winner)
{
	struct border border = { .margin = 1, .is_clear = true };

	if (winner->threshold > 0) {
		border = border_of(facts, winner, false);
		border.beyond = next_holding(facts, winner);
	}
	for (const struct class_rule *rule = class_rules; rule < winner; rule++) {
		struct border other = border_of(facts, rule, true);

		other.beyond = rule;
		if (rule->verdict_class != winner->verdict_class &&
		    class_rule_could_hold(rule, facts))
			keep_nearer(&border, &other);
	}
	return border;
}

/* What a starved program would do with CPUs, and what an idle one does when it is busy, is always
 * worth knowing. */
static bool is_always_named(const struct facts *facts, const struct class_rule *winner)
{
	if (winner->verdict_class == CLASS_IDLE)
		return busy_is_telling(facts);
	return winner->verdict_class == CLASS_CPU_STARVED;
}

/* How much of the CPUs others take changes from one moment to the next: a program that they starve
 * notably may be called that as well, however far its own borders are. */
static struct border border_to_name(const struct facts *facts, const struct class_rule *winner,
				    const struct border *nearest)
{
	const struct class_rule *rule = class_rules;
	struct border border;

	if (facts->contended_share < STARVED_FINDING_SHARE)
		return *nearest;
	while (rule < winner && rule->basis != BASIS_STARVED)
		rule++;
	if (rule == winner)
		return *nearest;
	border = border_of(facts, rule, true);
	border.beyond = rule;
	border.is_within = true;
	return border;
}

static void name_runner_up(const struct facts *facts, const struct class_rule *winner,
			   const struct border *border, struct report_verdict *verdict)
{
	const struct class_rule *rule = border->crossing;

	if (!rule || border->beyond->verdict_class == CLASS_INCONCLUSIVE)
		return;
	if (border->margin > RUNNER_UP_REACH && !border->is_within &&
	    !is_always_named(facts, winner))
		return;
	verdict->has_runner_up = true;
	verdict->runner_up = border->beyond->verdict_class;
	verdict->would_win_if =
		arena_printf(facts->arena, "if %s %s %.0f%% of %s (now %.0f%%)", rule->measure,
			     rule == winner ? "fell below" : "reached", 100 * rule->threshold,
			     rule->whole, 100 * rule->score(facts));
}

/* Grows with the logarithm of what was seen, from THIN_EVIDENCE at the least that is accepted. */
static double amount_factor(const struct facts *facts, const struct class_rule *winner)
{
	uint64_t seen_ns =
		winner->verdict_class == CLASS_IDLE ? facts->program_time->wall_ns : facts->busy_ns;
	double part = log((double)seen_ns / (double)MIN_BUSY_NS) /
		      log((double)FULL_EVIDENCE_NS / (double)MIN_BUSY_NS);

	return THIN_EVIDENCE + (1 - THIN_EVIDENCE) * fmin(fmax(part, 0), 1);
}

/* At a border a verdict is little better than a guess between two; each point away helps. */
static double confidence(const struct facts *facts, const struct class_rule *winner,
			 const struct border *border)
{
	double value = BORDER_CONFIDENCE + (FULL_CONFIDENCE - BORDER_CONFIDENCE) * border->margin;
	uint64_t lost = facts->obs->quality.lost_events + facts->obs->quality.lost_threads;

	value *= amount_factor(facts, winner);
	if (facts->obs->source == SOURCE_PROCFS)
		value *= PROCFS_FACTOR;
	if (lost)
		value *= 1 - MAX_LOSS_SHARE;
	return value;
}

/* @summary is about busy time; how much that is belongs before it. */
static const char *say_utilisation(const struct facts *facts, const struct class_rule *winner,
				   const char *summary)
{
	if (facts->idle_share < NOTABLE_IDLE || winner->verdict_class == CLASS_IDLE ||
	    winner->verdict_class == CLASS_INCONCLUSIVE)
		return summary;
	return arena_printf(facts->arena, "%.0f%% busy, idle otherwise; %c%s",
			    pct(1 - facts->idle_share), tolower(summary[0]), summary + 1);
}

/* Shares of busy time that leave much of it to run queues say so; the mixed one names them. */
static const char *say_starving(const struct facts *facts, const struct class_rule *winner,
				const char *summary)
{
	if (facts->starved_share < NOTABLE_STARVING || winner->verdict_class == CLASS_IDLE ||
	    winner->verdict_class == CLASS_CPU_STARVED || winner->verdict_class == CLASS_MIXED ||
	    winner->verdict_class == CLASS_INCONCLUSIVE)
		return summary;
	return arena_printf(facts->arena,
			    "%.*s; for %.0f%% of it, it was ready to run without a CPU.",
			    (int)strlen(summary) - 1, summary, pct(facts->starved_share));
}

void verdict_decide(const struct facts *facts, const struct model *model,
		    struct report_verdict *verdict)
{
	const struct class_rule *winner;
	struct border border;

	verdict->utilisation = facts->program_time->idle_ns ? 1 - facts->idle_share : -1;
	if (lacks_evidence(facts, verdict))
		return;
	winner = class_rule_first(facts);
	verdict->verdict_class = winner->verdict_class;
	verdict->subclass = winner->subclass ? winner->subclass(facts, model) : NULL;
	verdict->summary = say_starving(facts, winner, winner->summary(facts, model));
	verdict->summary = say_utilisation(facts, winner, verdict->summary);
	if (winner->verdict_class == CLASS_INCONCLUSIVE)
		return;
	border = nearest_border(facts, winner);
	verdict->is_clear = border.is_clear;
	verdict->confidence = confidence(facts, winner, &border);
	border = border_to_name(facts, winner, &border);
	name_runner_up(facts, winner, &border, verdict);
}
