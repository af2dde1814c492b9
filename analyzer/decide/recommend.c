/*
 * The decision framework (DESIGN section 1): one adviser per class. Where the run could be replayed
 * the choice of a model is the replay's; the adviser says why, and the numbers it turns on.
 */
#include "arena.h"
#include "decide/advisers.h"
#include "decide/recommend.h"

static void advise_inconclusive(struct advice *advice)
{
	/* As the summary has it. */
	if (advice->facts->stopped_share > advice->facts->unknown_share) {
		advice_measure_again(advice, "Let it go on (kill -CONT, or fg, or the debugger), "
					     "and measure again.");
		advice_because(advice, "While it is stopped it neither waits nor computes.");
		return;
	}
	advice_measure_again(
		advice, "Measure again: run it longer or with more work, or attach to it while "
			"it is busy.");
	advice_because(advice, "Advice on this little evidence would be a guess.");
}

static void advise_timer(struct advice *advice)
{
	if (advise_turns(advice) || advise_blocked_loop(advice))
		return;
	advice_keep(advice,
		    "Keep the model, and question the sleeps: nothing else takes its time.");
	advice_because(advice,
		       "A sleep that waits for something can end when that happens; only one that "
		       "keeps a pace has to be.");
	advice->to->avoid =
		"Don't add workers to make it faster: it waits for the clock, not for a "
		"CPU.";
}

static void (*const advisers[CLASS_CNT])(struct advice *advice) = {
	[CLASS_CPU_BOUND] = advise_cpu,	      [CLASS_IO_BOUND] = advise_io,
	[CLASS_LOCK_BOUND] = advise_lock,     [CLASS_TIMER_BOUND] = advise_timer,
	[CLASS_CPU_STARVED] = advise_starved, [CLASS_IDLE] = advise_idle,
	[CLASS_MIXED] = advise_mixed,	      [CLASS_INCONCLUSIVE] = advise_inconclusive,
};

/* The next best model, and what would make it the choice. */
static void because_of_next_best(struct advice *advice)
{
	const struct report_prediction *chosen = advice->choice->prediction, *next = NULL;

	if (!advice->choice->is_change || !chosen || advice->to->model != chosen->model)
		return;
	for (size_t i = 0; i < advice->report->prediction_cnt; i++) {
		const struct report_prediction *other = &advice->report->predictions[i];

		if (other != chosen && other->speedup_expected > 1 &&
		    (!next || other->speedup_expected > next->speedup_expected))
			next = other;
	}
	if (!next)
		return;
	advice_because(
		advice,
		arena_printf(
			advice->facts->arena,
			"Next best is %s: %.3g times as fast (%.3g to %.3g) with %u worker%s; %s.",
			concurrency_model_name(next->model), next->speedup_expected,
			next->speedup_low, next->speedup_high, next->workers,
			next->workers == 1 ? "" : "s",
			next->model > chosen->model
				? "it is less simple, and would have to be surely faster"
				: "it is simpler, and would have to be as fast"));
}

void recommend(const struct facts *facts, const struct model *model, const struct choice *choice,
	       struct report *report)
{
	struct advice advice = { facts, model, choice, report, &report->recommendation };

	advisers[report->verdict.verdict_class](&advice);
	because_of_next_best(&advice);
}
