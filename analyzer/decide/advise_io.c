/* For programs that wait for results: let the waits overlap, in what and in how many. */
#include <math.h>
#include <string.h>
#include "arena.h"
#include "decide/advisers.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"
#include "predict/limits.h"

static bool is_bound_by_files(const struct report *report)
{
	const char *subclass = report->verdict.subclass;

	return subclass && (!strcmp(subclass, "disk") || !strcmp(subclass, "paging"));
}

static void because_io(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	enum wait_reason reason = largest_reason(facts->result_ns);

	if (facts->outside_cnt < MIN_OPERATIONS) {
		advice_because(advice, "All that it waited for was one result.");
		return;
	}
	if (facts->outside_loop_ns > facts->outside_ns / 2)
		return; /* a loop waits for whatever comes first, which is no operation's time */
	advice_because(advice, arena_printf(facts->arena, "A wait takes %.3g ms on average.",
					    (double)facts->result_ns[reason] / 1e6 /
						    (double)facts->result_cnt[reason]));
}

static void change_to_async(struct advice *advice)
{
	advice_change(advice, MODEL_ASYNC, 0,
		      "Wait through an event loop: it carries many operations at once.");
	advice->to->avoid =
		"Don't call anything that blocks on the loop, and don't start a process "
		"or thread for each operation.";
}

static void change_to_io_processes(struct advice *advice)
{
	uint32_t workers = advice->choice->workers;

	advice_change(advice, MODEL_MULTIPROCESSING, workers,
		      arena_printf(advice->facts->arena,
				   "Overlap waits and computing with a pool of %u processes.",
				   workers));
	if (!advice_has_api(advice, MODEL_THREADS))
		advice_because_no_threads(advice);
	else if (facts_global_lock(advice->facts) != GLOBAL_LOCK_NONE)
		advice_because(advice,
			       arena_printf(advice->facts->arena,
					    "It computes %.3g ms for each wait: threads would take "
					    "turns at that under %s, processes don't.",
					    advice->choice->computed_ns / 1e6,
					    advice_lock_title(advice->facts)));
}

static void because_lock_is_free(struct advice *advice)
{
	if (facts_has_interpreter_lock(advice->facts))
		advice_because(advice, arena_printf(advice->facts->arena,
						    "A thread that waits lets go of "
						    "%s.",
						    advice_lock_title(advice->facts)));
}

static const char *queue_of(const struct advice *advice)
{
	const char *bottleneck = advice->choice->prediction->bottleneck;

	if (!strcmp(bottleneck, "cpu"))
		return "the CPUs";
	if (!strcmp(bottleneck, "gil"))
		return advice_lock_title(advice->facts);
	return !strcmp(bottleneck, "lock") ? "its own lock" : "the disk";
}

/* What the user plans for may all meet in one queue. */
static void because_plan_is_too_much(struct advice *advice)
{
	uint32_t planned = advice->facts->options->planned_concurrency;

	if (planned > advice->choice->workers)
		advice_because(advice,
			       arena_printf(advice->facts->arena,
					    "It is to do %u things at once, but more than %u at a "
					    "time would only queue for %s.",
					    planned, advice->choice->workers, queue_of(advice)));
}

/* What was never asked by more than one at a time may not stand more. */
static void because_far_end_is_unknown(struct advice *advice)
{
	if (advice->choice->workers < MAX_IO_WORKERS || advice->facts->options->planned_concurrency)
		return;
	advice_because(advice,
		       arena_printf(advice->facts->arena,
				    "Its waits leave room for more; before going beyond %u, see "
				    "what the far end can take.",
				    advice->choice->workers));
}

static void change_to_io_threads(struct advice *advice)
{
	uint32_t workers = advice->choice->workers;

	advice_change(advice, MODEL_THREADS, workers,
		      arena_printf(advice->facts->arena,
				   "Overlap the waits with a pool of %u threads.", workers));
	because_lock_is_free(advice);
	if (is_bound_by_files(advice->report)) {
		advice->to->avoid =
			"Don't rewrite it for an event loop: reading files blocks the loop too.";
		return;
	}
	because_far_end_is_unknown(advice);
	advice->to->avoid =
		"Don't use processes for this: they wait no better than threads, and each "
		"takes memory and start-up time of its own.";
}

static void because_waits_overlap(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (facts->idle_share < NOTABLE_IDLE)
		advice_because(advice, "Waits that don't depend on each other can overlap.");
	else
		advice_because(advice,
			       arena_printf(facts->arena,
					    "Requests that come at the same time can be waited for "
					    "at the same time. It was idle for %.0f%%: where they "
					    "come one at a time, nothing is gained.",
					    pct(facts->idle_share)));
}

static void because_many_in_flight(struct advice *advice)
{
	if (advice->choice->workers >= HIGH_CONCURRENCY)
		advice_because(advice,
			       arena_printf(advice->facts->arena,
					    "From about %d operations in flight a thread for each "
					    "costs more than it gains.",
					    HIGH_CONCURRENCY));
	else if (!advice_has_api(advice, MODEL_THREADS))
		advice_because_no_threads(advice);
}

/* The workers that it has wait at the same time already. */
static void keep_workers(struct advice *advice)
{
	const struct report_prediction *best = advice->choice->best;

	advice_keep(advice, advice->model->primary == MODEL_THREADS
				    ? "Keep the threads: they already wait at the same time."
				    : "Keep the model: its workers already wait at the same time.");
	if (best && best->model == advice->model->primary && best->workers > advice->model->workers)
		advice_because(advice,
			       arena_printf(advice->facts->arena,
					    "With %u instead of %u it may be up to %.3g times as "
					    "fast, if what it asks can take them, and no faster "
					    "if it can't.",
					    best->workers, advice->model->workers,
					    best->speedup_expected));
}

/* What @model is expected to gain with @workers; 0: not known. */
static double gain_with(const struct report *report, enum concurrency_model model, uint32_t workers)
{
	for (size_t i = 0; i < report->prediction_cnt; i++) {
		const struct report_prediction *prediction = &report->predictions[i];

		for (size_t n = 0; prediction->model == model && n < prediction->curve_cnt; n++)
			if (prediction->curve[n].workers >= workers)
				return prediction->curve[n].speedup;
	}
	return 0;
}

/* As many threads as there are processes, which wait as well for less memory. Returns whether that
 * is so; only then it advises. */
static bool go_down_to_threads(struct advice *advice)
{
	uint32_t workers = advice->model->workers;

	if (advice->model->primary != MODEL_MULTIPROCESSING ||
	    gain_with(advice->report, MODEL_THREADS, workers) < AS_WELL_REACH)
		return false;
	advice_change(
		advice, MODEL_THREADS, workers,
		arena_printf(advice->facts->arena,
			     "Use a pool of %u threads instead of the processes: they wait as "
			     "well, for less memory.",
			     workers));
	because_lock_is_free(advice);
	return true;
}

/* What the replay has chosen. */
static void overlap_waits(struct advice *advice)
{
	const struct choice *choice = advice->choice;

	if (!choice->is_change && go_down_to_threads(advice))
		return;
	if (choice->made && !choice->is_change && advice->model->primary != MODEL_SYNC) {
		keep_workers(advice);
		return;
	}
	if (!choice->is_change) {
		advice_keep_as_replayed(advice);
		return;
	}
	because_waits_overlap(advice);
	because_plan_is_too_much(advice);
	if (advice->model->is_command_sequence) {
		advice_run_commands(advice, choice->model, choice->workers);
	} else if (choice->model == MODEL_ASYNC) {
		change_to_async(advice);
		because_many_in_flight(advice);
	} else if (choice->model == MODEL_MULTIPROCESSING) {
		change_to_io_processes(advice);
	} else if (choice->model == MODEL_THREADS) {
		change_to_io_threads(advice);
	} else {
		advice_change(advice, MODEL_SYNC, 1, "Go back to one worker: more gain nothing.");
	}
}

/* What one worker waits for can't always be asked for twice. */
static bool has_nothing_to_overlap(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	const char *subclass = advice->report->verdict.subclass;

	if (facts->outside_cnt < MIN_OPERATIONS) {
		advice_keep(advice,
			    "Keep it as it is: it waits once, so there is nothing to overlap.");
		return true;
	}
	if (subclass && !strcmp(subclass, "ipc") && !facts->io_ns[WAIT_NETWORK] &&
	    !facts_asks_over_sockets(facts)) {
		advice_keep(advice,
			    "Keep it as it is, and look at the program at the other end: this one "
			    "waits for it.");
		advice_because(advice, "More workers can't read a pipe before it is written.");
		return true;
	}
	if (in_flight_is_stream(facts)) {
		advice_keep(advice, "Keep it as it is: it receives what one connection brings, as "
				    "fast as that comes.");
		advice_because(advice,
			       "Hardly anything was sent between the pieces that came: they "
			       "are one answer, or a subscription.");
		return true;
	}
	if (facts->busy_ns < SHORT_BUSY_NS) {
		advice_keep(advice,
			    "Keep it as it is: it is over before more workers would have started.");
		return true;
	}
	return false;
}

static void keep_overlapping(struct advice *advice)
{
	const struct in_flight *flight = &advice->model->flight;

	advice_keep(advice, "Keep the one thread: it already waits for several at once.");
	advice_because(advice, arena_printf(advice->facts->arena,
					    "While it has any operations in flight it has %.3g, "
					    "%.0f at most.",
					    flight->at_once, flight->peak));
}

void advise_io(struct advice *advice)
{
	const struct model *model = advice->model;

	if (advise_turns(advice) || advise_slack(advice))
		return;
	because_io(advice);
	if (model->loop_thread)
		advise_loop_io(advice);
	else if (model->has_processes && model_runs_commands(advice->facts))
		advice_keep(advice,
			    "Keep it as it is: its commands already wait at the same time.");
	else if (!model->has_processes && !model->has_threads && has_nothing_to_overlap(advice))
		return;
	else if (in_flight_overlaps(model) && !model->has_threads && !model->has_processes)
		keep_overlapping(advice);
	else
		overlap_waits(advice);
}

/* Computing and waiting in turns: of two workers one can compute while the other waits. */
void advise_mixed(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (advise_slack(advice))
		return;
	if (advice->choice->is_change && facts->busy_ns >= SHORT_BUSY_NS) {
		advice_because(advice, "It computes and waits by turns; of two workers one can "
				       "compute while the other waits.");
		overlap_waits(advice);
		return;
	}
	advice_keep(advice, "Keep the model: no one thing holds it back.");
	if (advice->model->current != MODEL_SYNC)
		advice_because(advice,
			       "While some of it waits, the rest of it can compute already.");
}
