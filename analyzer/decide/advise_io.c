/* For programs that wait for results: let the waits overlap, in what and in how many. */
#include <math.h>
#include <string.h>
#include "arena.h"
#include "decide/advisers.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

static bool is_bound_by_files(const struct report *report)
{
	const char *subclass = report->verdict.subclass;

	return subclass && (!strcmp(subclass, "disk") || !strcmp(subclass, "paging"));
}

/* What the user plans for, unless all of it would meet in a queue that the program has seen. */
static uint32_t planned_workers(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	uint32_t planned = facts->options->planned_concurrency;
	bool is_mixed = advice->report->verdict.verdict_class == CLASS_MIXED;

	if (planned <= MAX_DISK_WORKERS || (!is_mixed && !is_bound_by_files(advice->report)))
		return planned;
	advice_because(advice,
		       arena_printf(facts->arena,
				    "It is to do %u things at once, but more than %d %s.", planned,
				    MAX_DISK_WORKERS,
				    is_mixed ? "would queue for the CPUs between their waits"
					     : "at a time would only queue for the disk"));
	return MAX_DISK_WORKERS;
}

/*
 * Goetz, Java Concurrency in Practice 8.2: N = CPUs * (1 + W/C). Under a global lock one thread
 * computes at a time, as if there was one CPU.
 */
static uint32_t io_workers(struct advice *advice, uint32_t most)
{
	const struct facts *facts = advice->facts;
	double cpus = facts_global_lock(facts) == GLOBAL_LOCK_NONE ? facts->cpus : 1;
	double computing = fmax(facts->cpu_share, 1e-6);
	double workers = ceil(cpus * (1 + facts->io_share / computing));

	if (facts->options->planned_concurrency)
		return planned_workers(advice);
	workers = fmin(workers, (double)facts->outside_cnt);
	if (workers > most) {
		advice_because(
			advice,
			arena_printf(
				facts->arena,
				is_bound_by_files(advice->report)
					? "Its waits leave room for %.0f workers, but more "
					  "than %u at a time would only queue for the disk."
					: "Its waits leave room for %.0f workers; before going "
					  "beyond %u, see what the far end can take.",
				workers, most));
		workers = most;
	}
	return (uint32_t)fmax(workers, MIN_OPERATIONS);
}

static bool wants_high_concurrency(const struct advice *advice)
{
	return advice->facts->options->planned_concurrency >= HIGH_CONCURRENCY ||
	       advice->report->concurrency.in_flight_mean >= HIGH_CONCURRENCY;
}

static void because_io(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (facts->outside_cnt < MIN_OPERATIONS) {
		advice_because(advice, "All that it waited for was one result.");
		return;
	}
	if (facts->outside_loop_ns > facts->outside_ns / 2)
		return; /* a loop waits for whatever comes first, which is no operation's time */
	advice_because(advice,
		       arena_printf(facts->arena, "A wait takes %.3g ms on average.",
				    (double)facts->outside_ns / 1e6 / (double)facts->outside_cnt));
}

static void change_to_async(struct advice *advice)
{
	advice_change(advice, MODEL_ASYNC, 0,
		      "Wait through an event loop: it carries many operations at once.");
	advice->to->avoid =
		"Don't call anything that blocks on the loop, and don't start a process "
		"or thread for each operation.";
}

/* Files are read by a disk or by the page cache, neither of which an event loop waits for. */
static bool waits_for_files(const struct facts *facts)
{
	return facts->io_ns[WAIT_DISK] + facts->io_ns[WAIT_PAGING] > facts->io_ns[WAIT_NETWORK];
}

static void change_to_io_processes(struct advice *advice, uint32_t most)
{
	uint32_t workers = io_workers(advice, most);

	advice_change(advice, MODEL_MULTIPROCESSING, workers,
		      arena_printf(advice->facts->arena,
				   "Overlap the waits with a pool of %u processes.", workers));
}

static void change_to_io_threads(struct advice *advice, uint32_t most)
{
	uint32_t workers = io_workers(advice, most);

	advice_change(advice, MODEL_THREADS, workers,
		      arena_printf(advice->facts->arena,
				   "Overlap the waits with a pool of %u threads.", workers));
	if (facts_has_interpreter_lock(advice->facts))
		advice_because(advice, arena_printf(advice->facts->arena,
						    "A thread that waits lets go of "
						    "%s.",
						    advice_lock_title(advice->facts)));
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

/* Threads where there are any, else what the runtime has. */
static void overlap_waits(struct advice *advice, uint32_t most)
{
	because_waits_overlap(advice);
	if (advice_has_api(advice, MODEL_THREADS)) {
		change_to_io_threads(advice, most);
		return;
	}
	if (advice_has_api(advice, MODEL_ASYNC) && !waits_for_files(advice->facts))
		change_to_async(advice);
	else
		change_to_io_processes(advice, most);
	advice_because_no_threads(advice);
}

static void advise_disk(struct advice *advice)
{
	if (advice->model->has_threads || advice->model->has_processes) {
		advice_keep(advice,
			    "Keep the model: its workers already wait for the disk at the same "
			    "time.");
		return;
	}
	overlap_waits(advice, MAX_DISK_WORKERS);
	advice->to->avoid =
		"Don't rewrite it for an event loop: reading files blocks the loop too.";
}

static void advise_many_in_flight(struct advice *advice)
{
	because_waits_overlap(advice);
	change_to_async(advice);
	advice_because(
		advice,
		arena_printf(advice->facts->arena,
			     "From about %d operations in flight a thread for each costs more "
			     "than it gains.",
			     HIGH_CONCURRENCY));
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
	if (is_bound_by_files(advice->report))
		advise_disk(advice);
	else if (model->loop_thread)
		advise_loop_io(advice);
	else if (model->has_processes && model_runs_commands(advice->facts))
		advice_keep(advice,
			    "Keep it as it is: its commands already wait at the same time.");
	else if (!model->has_processes && !model->has_threads && has_nothing_to_overlap(advice))
		return;
	else if (wants_high_concurrency(advice))
		advise_many_in_flight(advice);
	else if (model->has_threads && !model->has_processes)
		advice_keep(advice, "Keep the threads: they already wait at the same time.");
	else if (in_flight_overlaps(model))
		keep_overlapping(advice);
	else if (model->is_command_sequence)
		advice_run_commands(advice, MODEL_THREADS, io_workers(advice, MAX_DISK_WORKERS));
	else
		overlap_waits(advice, MAX_IO_WORKERS);
}

/* Computing and waiting in turns: threads let one wait while another computes, under any lock. */
void advise_mixed(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (advise_slack(advice))
		return;
	if (advice->model->current != MODEL_SYNC) {
		advice_keep(advice, "Keep the model: no one thing holds it back.");
		advice_because(advice,
			       "While some of it waits, the rest of it can compute already.");
		return;
	}
	if (facts->io_share < SERIAL_SHARE * (1 - facts->starved_share) ||
	    facts->outside_cnt < MIN_OPERATIONS || facts->busy_ns < SHORT_BUSY_NS) {
		advice_keep(advice, "Keep the model: no one thing holds it back.");
		advice_because(advice,
			       "It waits too little for results to gain from waiting at once.");
		return;
	}
	advice_because(advice,
		       "It computes and waits by turns; of two workers one can compute while the "
		       "other waits.");
	if (advice->model->is_command_sequence)
		advice_run_commands(advice, MODEL_THREADS, io_workers(advice, MAX_DISK_WORKERS));
	else
		overlap_waits(advice, MAX_DISK_WORKERS);
}
