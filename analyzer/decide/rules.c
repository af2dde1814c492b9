/* The tables of rules; see rules.h. */
#include <math.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/busy.h"
#include "decide/phrase.h"
#include "decide/polling.h"
#include "decide/rivals.h"
#include "decide/rules.h"
#include "decide/thresholds.h"

/* Not enough evidence. */

static bool sees_nothing(const struct facts *facts)
{
	return !facts->obs->thread_cnt || !facts->program_time->wall_ns;
}

static const char *because_nothing(const struct facts *facts)
{
	return arena_string(facts->arena, "no thread of the program was seen");
}

static double loss_share(const struct facts *facts)
{
	uint64_t switches = 0, lost = facts->obs->quality.lost_events;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++)
		switches += facts->obs->threads[i].switch_cnt;
	return share_of(lost, switches + lost);
}

static double lost_thread_share(const struct facts *facts)
{
	uint64_t lost = facts->obs->quality.lost_threads;

	return share_of(lost, facts->obs->thread_cnt + lost);
}

static bool loses_too_much(const struct facts *facts)
{
	return loss_share(facts) > MAX_LOSS_SHARE || lost_thread_share(facts) > MAX_LOSS_SHARE;
}

static const char *because_lost(const struct facts *facts)
{
	if (lost_thread_share(facts) > MAX_LOSS_SHARE)
		return arena_printf(facts->arena, "%.1f%% of its threads could not be followed",
				    pct(lost_thread_share(facts)));
	return arena_printf(facts->arena, "%.1f%% of the events were lost", pct(loss_share(facts)));
}

static bool is_mostly_idle(const struct facts *facts)
{
	return facts->idle_share >= IDLE_SHARE;
}

/* For an idle program the length of the observation counts, else its busy part. */
static uint64_t evidence_ns(const struct facts *facts)
{
	return is_mostly_idle(facts) ? facts->program_time->wall_ns : facts->busy_ns;
}

static bool is_too_short(const struct facts *facts)
{
	return evidence_ns(facts) < MIN_BUSY_NS;
}

static const char *because_short(const struct facts *facts)
{
	return arena_printf(facts->arena, "it was busy for %.1f ms only, less than %.0f ms",
			    ms(evidence_ns(facts)), ms(MIN_BUSY_NS));
}

static double samples(const struct facts *facts)
{
	return (double)facts->obs->quality.sample_cnt *
	       share_of(evidence_ns(facts), facts->program_time->wall_ns);
}

static bool has_few_samples(const struct facts *facts)
{
	return facts->obs->source == SOURCE_PROCFS && samples(facts) < MIN_SAMPLES;
}

static const char *because_few_samples(const struct facts *facts)
{
	return arena_printf(facts->arena,
			    "only %.0f samples of /proc fell into its busy time, less "
			    "than %d",
			    samples(facts), MIN_SAMPLES);
}

const struct evidence_rule evidence_rules[] = {
	{ "nothing-seen", sees_nothing, because_nothing },
	{ "losses", loses_too_much, because_lost },
	{ "too-short", is_too_short, because_short },
	{ "few-samples", has_few_samples, because_few_samples },
	{ NULL, NULL, NULL },
};

/* Scores. */

static double idle_score(const struct facts *facts)
{
	return facts->idle_share;
}

/*
 * Up to STARVED_SHARE other programs may have kept it from a CPU. That says nothing about what it
 * does when it gets one, so it is left out of what follows: a busy machine shifts no verdict.
 */
static double share_unstarved(const struct facts *facts, double share)
{
	double unstarved = 1 - facts->starved_share;

	return unstarved > 0 ? share / unstarved : 0;
}

/* Being throttled is only what holds a program back that wants to compute most of the time. */
static double throttled_score(const struct facts *facts)
{
	if (facts->cpu_share + facts->starved_share < 0.5)
		return 0;
	return facts->throttled_share;
}

static bool has_quota(const struct facts *facts)
{
	return facts->obs->host.cpu_quota > 0;
}

static double starved_score(const struct facts *facts)
{
	return facts->contended_share;
}

/* Held inside the tree the lock shows in thread time, held by another program in quiet time. */
static double lock_score(const struct facts *facts)
{
	double inside = facts->lock.is_serialising ? facts->lock.thread_share : 0;

	return inside > facts->lock_quiet_share ? inside : facts->lock_quiet_share;
}

static double cpu_score(const struct facts *facts)
{
	return share_unstarved(facts, facts->cpu_share);
}

static double io_score(const struct facts *facts)
{
	return share_unstarved(facts, facts->io_share);
}

static double timer_score(const struct facts *facts)
{
	return share_unstarved(facts, facts->timer_share);
}

static double unknown_score(const struct facts *facts)
{
	return share_unstarved(facts, facts->unknown_share + facts->stopped_share);
}

static double always(const struct facts *facts)
{
	(void)facts;
	return 1;
}

/* Subclasses. */

static const char *throttled_subclass(const struct facts *facts, const struct model *model)
{
	(void)facts;
	(void)model;
	return "throttled";
}

static const char *starved_subclass(const struct facts *facts, const struct model *model)
{
	(void)facts;
	(void)model;
	return "oversubscribed"; /* what a quota did is told by the rule before */
}

static bool gil_leads(const struct facts *facts)
{
	const struct gil_facts *gil = &facts->gil;

	return gil->is_contended && share_of(gil->process->on_cpu_ns,
					     facts->thread_time->on_cpu_ns) >= GIL_PROCESS_SHARE;
}

static const char *cpu_subclass(const struct facts *facts, const struct model *model)
{
	if (polling_leads(facts))
		return "polling";
	if (gil_leads(facts))
		return "gil";
	if ((model->has_processes || model->has_threads) &&
	    facts->runnable_parallelism >= PARALLEL_MIN)
		return "parallel";
	return NULL;
}

/* What is only known as a poll or a child says nothing about the thing that was waited for. */
static const char *io_subclass(const struct facts *facts, const struct model *model)
{
	static const enum wait_reason named[] = { WAIT_NETWORK, WAIT_DISK, WAIT_IPC, WAIT_DEVICE,
						  WAIT_PAGING };
	enum wait_reason largest = WAIT_NETWORK;
	uint64_t io_ns = 0;

	(void)model;
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		io_ns += facts->io_ns[reason];
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (facts->io_ns[named[i]] > facts->io_ns[largest])
			largest = named[i];
	if (share_of(facts->io_ns[largest], io_ns) < IO_SUBCLASS_SHARE)
		return NULL;
	return wait_reason_name(largest);
}

/* Summaries: one sentence with the numbers that carry it. */

static const char *idle_summary(const struct facts *facts, const struct model *model)
{
	const char *while_busy = busy_is_telling(facts) ? busy_phrase(facts) : NULL;
	double wall_s = seconds(facts->program_time->wall_ns);

	(void)model;
	if (while_busy)
		return arena_printf(facts->arena,
				    "It waited for work: %.2g%% busy in %.1f s; while busy it %s.",
				    pct(1 - facts->idle_share), wall_s, while_busy);
	return arena_printf(
		facts->arena,
		"It waited for work: idle for %.0f%% of %.1f s, computing for %.1f%%.",
		pct(facts->idle_share), wall_s,
		pct(share_of(facts->program_time->computing_ns, facts->program_time->wall_ns)));
}

static const char *throttled_summary(const struct facts *facts, const struct model *model)
{
	(void)model;
	return arena_printf(facts->arena,
			    "It wanted to compute but its CPU quota held it back for %.0f%% of the "
			    "time its threads were ready to run.",
			    pct(facts->throttled_share));
}

static const char *starved_summary(const struct facts *facts, const struct model *model)
{
	const char *rivals = rivals_phrase(facts);
	const char *why = rivals ? rivals : "other programs had them";

	(void)model;
	if (facts->obs->host.cpu_quota > 0 && !rivals)
		why = "its CPU quota or other programs held it back";
	return arena_printf(
		facts->arena,
		"It was ready to run but got none of the CPUs for %.0f%% of its busy time: %s.",
		pct(facts->contended_share), why);
}

static const char *lock_summary(const struct facts *facts, const struct model *model)
{
	(void)model;
	if (!facts->lock.is_serialising)
		return arena_printf(
			facts->arena,
			"It waited for a lock for %.0f%% of its busy time while none of "
			"its threads ran: the holder is outside the program, or waits "
			"itself.",
			pct(facts->lock_quiet_share));
	return arena_printf(facts->arena,
			    "%u threads queue for a lock: waiting for it took %.0f%% of their time "
			    "(rest and run queue not counted), "
			    "and %.2f of %.3g CPUs were in use while it computed.",
			    facts->lock.waiter_cnt, pct(facts->lock.thread_share),
			    facts->program_time->parallelism, facts->cpus);
}

static const char *cpu_summary(const struct facts *facts, const struct model *model)
{
	double parallelism = facts->program_time->parallelism;
	struct vain_work polling = polling_find(facts);

	if (polling.tree_share >= VAIN_LEADS)
		return arena_printf(facts->arena,
				    "It was on a CPU for %.0f%% of its busy time, but not to "
				    "compute: it asked again and again for what wasn't there (%s).",
				    pct(facts->cpu_share), polling.call);
	if (gil_leads(facts))
		return arena_printf(facts->arena,
				    "It computed for %.0f%% of its busy time, but its threads took "
				    "turns: the GIL let %.2f run at once and kept them waiting for "
				    "%.0f%% of the time they wanted to compute.",
				    pct(facts->cpu_share), facts->gil.cpus,
				    pct(facts->gil.wait_share));
	if (model->workers > 1)
		return arena_printf(
			facts->arena,
			"It computed for %.0f%% of its busy time, with %.2f of %.3g CPUs "
			"in use at once.",
			pct(facts->cpu_share), parallelism, facts->cpus);
	return arena_printf(facts->arena,
			    "It computed for %.0f%% of its busy time, on %.2f of %.3g "
			    "CPUs.",
			    pct(facts->cpu_share), parallelism, facts->cpus);
}

/* "most of it network", or "81% for tcp 10.0.0.5:5432, postgres[812]" where that is most. */
static const char *largest_io_phrase(const struct facts *facts)
{
	enum wait_reason largest = largest_reason(facts->io_ns);
	const struct report_program_time *time = facts->program_time;

	for (size_t i = 0; i < time->wait_cnt; i++) {
		const char *object;

		if (time->waits[i].reason != largest)
			continue;
		object = main_object_phrase(facts, &time->waits[i]);
		if (object)
			return arena_printf(
				facts->arena, "%.0f%% for %s",
				pct(share_of(time->waits[i].objects[0].wait_ns, facts->busy_ns)),
				object);
	}
	return arena_printf(facts->arena, "most of it %s", wait_reason_name(largest));
}

static const char *io_summary(const struct facts *facts, const struct model *model)
{
	(void)model;
	return arena_printf(facts->arena,
			    "It waited for results from outside for %.0f%% of its busy time (%s) "
			    "and computed for %.0f%%.",
			    pct(facts->io_share), largest_io_phrase(facts), pct(facts->cpu_share));
}

static const char *timer_summary(const struct facts *facts, const struct model *model)
{
	(void)model;
	return arena_printf(facts->arena,
			    "It slept on purpose for %.0f%% of its busy time and computed for "
			    "%.0f%%.",
			    pct(facts->timer_share), pct(facts->cpu_share));
}

static const char *unknown_summary(const struct facts *facts, const struct model *model)
{
	(void)model;
	if (facts->stopped_share > facts->unknown_share)
		return arena_printf(facts->arena,
				    "Not enough evidence: it was stopped (by a signal, job control "
				    "or a debugger) for %.0f%% of its busy time.",
				    pct(facts->stopped_share));
	return arena_printf(
		facts->arena,
		"Not enough evidence: for %.0f%% of its busy time no thread ran, and what "
		"ended that is not known.",
		pct(facts->unknown_share));
}

static const char *mixed_summary(const struct facts *facts, const struct model *model)
{
	(void)model;
	return arena_printf(
		facts->arena,
		"No one thing holds it back: of its busy time it computed %.0f%%, waited "
		"for results %.0f%%, slept %.0f%% and wanted a CPU %.0f%%.",
		pct(facts->cpu_share), pct(facts->io_share), pct(facts->timer_share),
		pct(facts->starved_share));
}

const struct class_rule class_rules[] = {
	{ "idle", CLASS_IDLE, idle_score, IDLE_SHARE, "idle time", "the whole run", NULL,
	  idle_summary, NULL, BASIS_IDLE },
	{ "throttled", CLASS_CPU_STARVED, throttled_score, THROTTLED_SHARE,
	  "time held back by the CPU quota", "runnable time", throttled_subclass, throttled_summary,
	  has_quota, BASIS_UNKNOWN },
	{ "starved", CLASS_CPU_STARVED, starved_score, STARVED_SHARE, "time ready without a CPU",
	  "busy time", starved_subclass, starved_summary, NULL, BASIS_STARVED },
	{ "lock", CLASS_LOCK_BOUND, lock_score, LOCK_SHARE, "waiting for locks",
	  "the threads' time", NULL, lock_summary, NULL, BASIS_UNKNOWN },
	{ "cpu", CLASS_CPU_BOUND, cpu_score, CPU_SHARE, "computing", "the time it was not starved",
	  cpu_subclass, cpu_summary, NULL, BASIS_COMPUTING },
	{ "io", CLASS_IO_BOUND, io_score, IO_SHARE, "waiting for results",
	  "the time it was not starved", io_subclass, io_summary, NULL, BASIS_RESULTS },
	{ "timer", CLASS_TIMER_BOUND, timer_score, TIMER_SHARE, "sleeping",
	  "the time it was not starved", NULL, timer_summary, NULL, BASIS_TIME },
	{ "unexplained", CLASS_INCONCLUSIVE, unknown_score, MAX_UNKNOWN_SHARE,
	  "waiting for what is not known", "the time it was not starved", NULL, unknown_summary,
	  NULL, BASIS_QUIET },
	{ "mixed", CLASS_MIXED, always, 0, "", "", NULL, mixed_summary, NULL, BASIS_UNKNOWN },
	{ NULL, CLASS_INCONCLUSIVE, NULL, 0, NULL, NULL, NULL, NULL, NULL, BASIS_UNKNOWN },
};

bool class_rule_could_hold(const struct class_rule *rule, const struct facts *facts)
{
	return !rule->could_hold || rule->could_hold(facts);
}

/* A part of something varies as it does. */
static double part_spread(double spread, double part, double whole)
{
	return spread < 0 || whole <= 0 ? -1 : spread * fmin(part / whole, 1);
}

double class_rule_spread(const struct class_rule *rule, const struct facts *facts)
{
	switch (rule->basis) {
	case BASIS_IDLE:
		return facts->spread.idle;
	case BASIS_STARVED:
		return part_spread(facts->spread.starved, rule->score(facts), facts->starved_share);
	case BASIS_COMPUTING:
		return facts->spread.unstarved;
	case BASIS_RESULTS:
		return facts->spread.results;
	case BASIS_TIME:
		return facts->spread.time;
	case BASIS_QUIET:
		return part_spread(facts->spread.unstarved, rule->score(facts),
				   1 - cpu_score(facts));
	case BASIS_UNKNOWN:
		break;
	}
	return -1;
}

bool class_rule_holds(const struct class_rule *rule, const struct facts *facts)
{
	return rule->score(facts) >= rule->threshold;
}

const struct class_rule *class_rule_first(const struct facts *facts)
{
	const struct class_rule *rule = class_rules;

	while (!class_rule_holds(rule, facts))
		rule++;
	return rule;
}
