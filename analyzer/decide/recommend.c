/*
 * The decision framework (DESIGN section 1): one adviser per class. No adviser promises a speedup;
 * each gives the numbers it turns on as reasons.
 */
#include <math.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/advice.h"
#include "decide/recommend.h"
#include "decide/thresholds.h"

static double pct(double share)
{
	return 100 * share;
}

static const char *lock_title(const struct facts *facts)
{
	switch (facts_global_lock(facts)) {
	case GLOBAL_LOCK_GIL:
		return "the GIL";
	case GLOBAL_LOCK_GVL:
		return "Ruby's GVL";
	case GLOBAL_LOCK_EVENT_LOOP:
		return "the one JavaScript thread";
	default:
		return "no global lock";
	}
}

static void because_cpu(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	double left = facts->cpus - facts->program_time->parallelism;

	if (left < SPARE_CPUS)
		advice_because(advice,
			       arena_printf(facts->arena,
					    "While it computes, all of the %.3g CPUs that it may "
					    "use are at work.",
					    facts->cpus));
	else
		advice_because(advice,
			       arena_printf(facts->arena,
					    "While it computes, it leaves %.2f of the %.3g CPUs "
					    "that it may use to others.",
					    left, facts->cpus));
}

/* Whether there is anything to gain from more CPUs; says why if not. */
static bool can_spread(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (usable_cpus(facts) < 2) {
		advice_keep(advice, "Keep it as it is: there is one CPU for it, and it is in use.");
		advice_because(advice, "More workers would take turns on the same CPU.");
		return false;
	}
	if (facts->busy_ns < SHORT_BUSY_NS) {
		advice_keep(advice,
			    "Keep it as it is: it is over before more workers would have started.");
		advice_because(advice, arena_printf(facts->arena, "It was busy for %.0f ms.",
						    (double)facts->busy_ns / 1e6));
		return false;
	}
	return true;
}

static void advise_parallel_cpu(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	uint32_t workers = model_compute_workers(facts, advice->model);
	uint32_t cores = usable_cpus(facts);

	if (facts->runnable_parallelism < PARALLEL_MIN) {
		advice_keep(advice,
			    arena_printf(facts->arena,
					 "Keep the model: of its %u workers %.2f computed at once. "
					 "Find out whether they wait for work or for each other "
					 "before you add any.",
					 advice->model->workers, facts->program_time->parallelism));
		return;
	}
	advice->to->workers = workers < cores ? workers : cores;
	if (workers > cores) {
		advice_keep(advice,
			    arena_printf(facts->arena,
					 "Keep the model, but run %u workers, one for each usable "
					 "CPU, instead of %u.",
					 cores, workers));
		advice->to->avoid =
			"Don't add workers: those beyond the CPUs only queue and take memory.";
		return;
	}
	advice_keep(advice, "Keep the model: its workers already compute at the same time.");
	advice->to->avoid = "Don't use an event loop for this work: one loop computes on one CPU.";
}

static void change_to_cpu_processes(struct advice *advice)
{
	uint32_t cores = usable_cpus(advice->facts);

	advice_change(advice, MODEL_MULTIPROCESSING, cores,
		      arena_printf(advice->facts->arena,
				   "Spread the work over %u processes, one for each usable CPU.",
				   cores));
}

static void advise_cpu_under_lock(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	if (facts_works_outside_lock(facts)) {
		advise_parallel_cpu(advice);
		advice_because(
			advice,
			arena_printf(facts->arena,
				     "Its threads use %.2f CPUs and %s hardly holds them up: they "
				     "compute in code that lets go of it.",
				     facts->dominant_cpus, lock_title(facts)));
		return;
	}
	if (!can_spread(advice))
		return;
	change_to_cpu_processes(advice);
	if (!facts_has_interpreter_lock(facts)) {
		advice_because(advice,
			       "JavaScript computes on one thread; each worker has its own.");
		advice->to->avoid = "Don't expect promises to speed it up: they take turns on the "
				    "same thread.";
		return;
	}
	advice_because(
		advice,
		arena_printf(facts->arena,
			     "One thread of a process at a time gets past %s; each process has "
			     "its own.",
			     lock_title(facts)));
	advice->to->avoid =
		arena_printf(facts->arena,
			     "Don't use threads or an event loop for this work: %s lets only one "
			     "compute at a time%s.",
			     lock_title(facts),
			     facts_has_interpreter_lock(facts) && !advice->model->has_threads
				     ? ", except in native code that lets go of it (hashing, NumPy)"
				     : "");
}

static void advise_commands(struct advice *advice, enum concurrency_model model, uint32_t workers)
{
	if (!advice_has_api(advice, model))
		model = MODEL_MULTIPROCESSING;
	advice_change(advice, model, workers,
		      arena_printf(advice->facts->arena,
				   "Run up to %u of its commands at once instead of "
				   "one after another.",
				   workers));
	advice_because(advice,
		       "Each step is a process of its own already; they run one after another.");
}

static void because_no_threads(struct advice *advice)
{
	advice_because(advice,
		       arena_printf(advice->facts->arena, "%s has no threads to do it with.",
				    advice->report->runtime.name));
}

static void change_to_cpu_threads(struct advice *advice)
{
	uint32_t cores = usable_cpus(advice->facts);

	advice_change(advice, MODEL_THREADS, cores,
		      arena_printf(advice->facts->arena,
				   "Split the work over %u threads, one for each usable CPU.",
				   cores));
	advice_because(advice,
		       "No global lock keeps its threads from computing at the same time, and they "
		       "share memory where processes would copy it.");
}

static void advise_cpu_without_lock(struct advice *advice)
{
	if (advice->model->loop_thread) {
		advice_keep(advice,
			    "Keep the event loop; when one is not enough, run one for each CPU.");
		advice_because(advice, "One loop computes on one CPU, and it is full while busy.");
		advice->to->avoid = "Don't move single requests to threads: each costs less than "
				    "handing it over.";
		return;
	}
	if (!can_spread(advice))
		return;
	if (advice->model->is_command_sequence) {
		advise_commands(advice, MODEL_MULTIPROCESSING, usable_cpus(advice->facts));
		return;
	}
	if (advice_has_api(advice, MODEL_THREADS)) {
		change_to_cpu_threads(advice);
	} else {
		change_to_cpu_processes(advice);
		because_no_threads(advice);
	}
	advice->to->avoid = "Don't use an event loop for this work: one loop computes on one CPU.";
}

/* Its threads wait for each other: that limits it before any model does. Returns whether it is so.
 */
static bool advise_turns(struct advice *advice)
{
	const struct model *model = advice->model;

	if (model->turns_share <= 0)
		return false;
	advice_keep(advice,
		    arena_printf(advice->facts->arena,
				 "Keep its %u threads, and find out what makes them take turns.",
				 model->workers));
	advice_because(
		advice,
		arena_printf(advice->facts->arena,
			     "They wait for each other %.0f%% of their time, for a lock or a "
			     "queue; on average %.2f work at once.",
			     pct(model->turns_share), model->active_threads));
	advice->to->avoid = "Don't add workers before that: they would stand in the same line.";
	return true;
}

static void advise_cpu(struct advice *advice)
{
	if (advise_turns(advice))
		return;
	because_cpu(advice);
	if (advice->model->has_processes)
		advise_parallel_cpu(advice);
	else if (facts_global_lock(advice->facts) != GLOBAL_LOCK_NONE)
		advise_cpu_under_lock(advice);
	else if (advice->model->has_threads)
		advise_parallel_cpu(advice);
	else
		advise_cpu_without_lock(advice);
}

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
						    lock_title(advice->facts)));
	advice->to->avoid =
		"Don't use processes for this: they wait no better than threads, and each "
		"takes memory and start-up time of its own.";
}

static void because_waits_overlap(struct advice *advice)
{
	advice_because(advice, "Waits that don't depend on each other can overlap.");
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
	because_no_threads(advice);
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

/* The loop's thread waits in calls of its own: nothing else can happen meanwhile. Returns whether
 * that is so. */
static bool advise_blocked_loop(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	double blocked = share_of(advice->model->loop_blocked_ns, facts->busy_ns);

	if (!advice->model->loop_thread || blocked < BLOCKING_SHARE)
		return false;
	advice_change(advice, MODEL_ASYNC, 0,
		      "Stay on the event loop, but replace its blocking calls by ones that can be "
		      "awaited "
		      "(or hand them to a thread pool).");
	advice_because(
		advice,
		arena_printf(facts->arena,
			     "The loop's thread spends %.0f%% of busy time in blocking calls, "
			     "most on %s.",
			     pct(blocked), advice->model->blocking_object));
	advice->to->avoid =
		"Don't block inside a coroutine, by a client or a sleep: the loop stands still "
		"until it returns.";
	return true;
}

static void advise_loop_io(struct advice *advice)
{
	if (advise_blocked_loop(advice))
		return;
	advice_keep(advice, "Keep the event loop: it can wait for everything at once.");
	advice_because(advice,
		       "Whether its operations really run together isn't measured: those that "
		       "don't need each other should be started before any is awaited.");
	advice->to->avoid = "Don't add threads or processes for the waits, and don't call anything "
			    "that blocks on the loop.";
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

static void advise_io(struct advice *advice)
{
	const struct model *model = advice->model;

	if (advise_turns(advice))
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
	else if (model->is_command_sequence)
		advise_commands(advice, MODEL_THREADS, io_workers(advice, MAX_DISK_WORKERS));
	else
		overlap_waits(advice, MAX_IO_WORKERS);
}

static void advise_idle(struct advice *advice)
{
	advice_measure_again(advice, "Measure again under load: nobody asked it for anything.");
	advice_because(advice, "A program at rest says nothing about how it works.");
}

static void advise_inconclusive(struct advice *advice)
{
	advice_measure_again(
		advice, "Measure again: run it longer or with more work, or attach to it while "
			"it is busy.");
	advice_because(advice, "Advice on this little evidence would be a guess.");
}

static void advise_lock(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	advice_keep(advice,
		    "Keep the model; hold the lock for shorter, split it, or give each worker its "
		    "own data.");
	advice_because(advice,
		       arena_printf(facts->arena,
				    "One worker at a time gets past %s, however many there are.",
				    facts->lock.name[0] ? facts->lock.name : "a lock"));
	advice->to->avoid = "Don't add workers: they would queue for the same lock.";
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

static void advise_starved(struct advice *advice)
{
	const char *subclass = advice->report->verdict.subclass;

	if (subclass && !strcmp(subclass, "throttled"))
		advice_keep(advice, "Keep the model; raise the CPU quota of its cgroup.");
	else if (advice->facts->obs->host.cpu_quota > 0)
		advice_keep(advice,
			    "Keep the model; give it CPUs: raise the quota of its cgroup, or stop "
			    "or move what else runs there.");
	else
		advice_keep(advice,
			    "Keep the model; give it CPUs: stop or move what else runs there.");
	advice_because(advice,
		       "Its threads were ready to run: no other way of writing it would have got "
		       "them a CPU sooner.");
	advice->to->avoid = "Don't add workers: CPUs are what it lacks.";
}

/* Computing and waiting in turns: threads let one wait while another computes, under any lock. */
static void advise_mixed(struct advice *advice)
{
	const struct facts *facts = advice->facts;

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
		advise_commands(advice, MODEL_THREADS, io_workers(advice, MAX_DISK_WORKERS));
	else
		overlap_waits(advice, MAX_DISK_WORKERS);
}

static void (*const advisers[CLASS_CNT])(struct advice *advice) = {
	[CLASS_CPU_BOUND] = advise_cpu,	      [CLASS_IO_BOUND] = advise_io,
	[CLASS_LOCK_BOUND] = advise_lock,     [CLASS_TIMER_BOUND] = advise_timer,
	[CLASS_CPU_STARVED] = advise_starved, [CLASS_IDLE] = advise_idle,
	[CLASS_MIXED] = advise_mixed,	      [CLASS_INCONCLUSIVE] = advise_inconclusive,
};

void recommend(const struct facts *facts, const struct model *model, struct report *report)
{
	struct advice advice = { facts, model, report, &report->recommendation };

	advisers[report->verdict.verdict_class](&advice);
}
