/* For programs that have time to spare: what they were seen to do shows no limit of theirs. */
#include "arena.h"
#include "decide/advisers.h"
#include "decide/busy.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

static void measure_under_load(struct advice *advice)
{
	const char *why = "nobody asked it for anything";

	if (advice->facts->asked_cnt >= MIN_ASKED_CNT)
		why = "it was asked for next to nothing";
	else if (advice->facts->asked_cnt)
		why = "hardly anybody asked it for anything";
	advice_measure_again(
		advice, arena_printf(advice->facts->arena, "Measure again under load: %s.", why));
	advice_because(advice, "A program at rest says nothing about how it works.");
}

/* What decides how fast it answers, by the class of its busy time. */
static void because_of_busy_time(struct advice *advice)
{
	const struct report_verdict *verdict = &advice->report->verdict;

	if (!verdict->has_runner_up)
		return;
	if (verdict->runner_up == CLASS_IO_BOUND)
		advice_because(advice, "While busy it waits for results: what it asks decides how "
				       "fast it answers, not how many workers it has.");
	else if (verdict->runner_up == CLASS_CPU_BOUND)
		advice_because(advice, "While busy it computes: more workers could answer more at "
				       "once, but none of them sooner.");
}

void advise_idle(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (!busy_is_telling(facts)) {
		measure_under_load(advice);
		return;
	}
	if (advise_blocked_loop(advice))
		return;
	advice_keep(advice, "Keep it as it is at this load: it has time to spare.");
	because_of_busy_time(advice);
	advice->to->avoid = "Don't take this for how it does under load: measure again then.";
}

bool advise_slack(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (!advice->model->serves_in_turn)
		return false;
	advice_keep(advice, "Keep the model at this load: its workers have time to spare.");
	advice_because(advice, arena_printf(facts->arena,
					    "It was idle for %.0f%% of the time, and mostly one of "
					    "its workers at a time had something to do.",
					    pct(facts->idle_share)));
	advice->to->avoid = "Don't take this for how it does under load: measure again then.";
	return true;
}
