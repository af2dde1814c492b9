/* For programs that compute: more CPUs, and what a global lock lets them do with them. */
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/advisers.h"
#include "decide/convoy.h"
#include "decide/phrase.h"
#include "decide/polling.h"
#include "decide/thresholds.h"

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

/* The speed that the replay gives @workers of the current model; negative: not known. */
static double replayed_speed(const struct advice *advice, uint32_t workers)
{
	for (size_t i = 0; i < advice->report->prediction_cnt; i++) {
		const struct report_prediction *prediction = &advice->report->predictions[i];

		if (prediction->model != advice->model->primary)
			continue;
		for (size_t j = 0; j < prediction->curve_cnt; j++)
			if (prediction->curve[j].workers == workers)
				return prediction->curve[j].speedup;
	}
	return -1;
}

/* More workers than CPUs: fewer of them, unless that would be slower. */
static void advise_beyond_cpus(struct advice *advice, uint32_t workers, uint32_t cores)
{
	struct arena *arena = advice->facts->arena;
	double speed = replayed_speed(advice, cores);

	if (speed >= 0 && speed < FEWER_SPEED_MIN) {
		advice_keep(advice,
			    arena_printf(arena,
					 "Keep the model: with %u workers, one for each usable "
					 "CPU, instead of %u it would have %.2g times the speed.",
					 cores, workers, speed));
		return;
	}
	if (speed < 0 && facts_workers_wait(advice->facts)) {
		advice_keep(advice, "Keep the model: its workers wait as well as compute, and "
				    "leave the CPUs to each other meanwhile.");
		return;
	}
	advice->to->workers = cores;
	advice_keep(advice, arena_printf(arena,
					 "Keep the model, but run %u workers, one for each usable "
					 "CPU, instead of %u.",
					 cores, workers));
	advice->to->avoid = "Don't add workers: those beyond the CPUs only queue and take memory.";
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
	if (workers > cores) {
		advise_beyond_cpus(advice, workers, cores);
		return;
	}
	advice->to->workers = workers;
	advice_keep(advice, "Keep the model: its workers already compute at the same time.");
	advice->to->avoid = "Don't use an event loop for this work: one loop computes on one CPU.";
}

/* As many as the replay found worth it; one for each CPU where there is none. */
static uint32_t cpu_workers(const struct advice *advice)
{
	return advice->choice->is_change ? advice->choice->workers : usable_cpus(advice->facts);
}

static const char *workers_for_cpus(const struct advice *advice)
{
	return cpu_workers(advice) == usable_cpus(advice->facts) ? ", one for each usable CPU" : "";
}

static void change_to_cpu_processes(struct advice *advice)
{
	advice_change(advice, MODEL_MULTIPROCESSING, cpu_workers(advice),
		      arena_printf(advice->facts->arena, "Spread the work over %u processes%s.",
				   cpu_workers(advice), workers_for_cpus(advice)));
}

static void change_to_cpu_threads(struct advice *advice, const char *because)
{
	advice_change(advice, MODEL_THREADS, cpu_workers(advice),
		      arena_printf(advice->facts->arena, "Split the work over %u threads%s.",
				   cpu_workers(advice), workers_for_cpus(advice)));
	advice_because(advice, because);
}

/* What computes leaves; what waits can stay as it is. */
static bool advise_convoy(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	struct convoy convoy;

	if (!convoy_find(facts, &convoy))
		return false;
	advice_change(
		advice, MODEL_MULTIPROCESSING, 2,
		arena_printf(facts->arena,
			     "Give what thread %s (tid %d) computes a process of its own; the "
			     "threads that wait can stay.",
			     convoy.computing->thread->comm, (int)convoy.computing->thread->tid));
	advice_because(advice,
		       arena_printf(facts->arena,
				    "It keeps %s for up to 5 ms whenever another thread wants it: "
				    "thread %s (tid %d) takes %.*f times as long for that.",
				    advice_lock_title(facts), convoy.held_up->thread->comm,
				    (int)convoy.held_up->thread->tid, convoy.slowdown < 10,
				    convoy.slowdown));
	advice->to->avoid =
		arena_printf(facts->arena,
			     "Don't add threads: each would stand in line for %s behind "
			     "the one that computes.",
			     advice_lock_title(facts));
	return true;
}

static void keep_background(struct advice *advice, const struct thread_facts *computing)
{
	advice_keep(advice,
		    arena_printf(advice->facts->arena,
				 "Keep the model: thread %s (tid %d) computes beside a main thread "
				 "that waits for results, and hardly holds it up.",
				 computing->thread->comm, (int)computing->thread->tid));
}

static void separate_background(struct advice *advice, const struct thread_facts *computing,
				double held_up)
{
	const struct facts *facts = advice->facts;

	advice_change(advice, MODEL_MULTIPROCESSING, 2,
		      arena_printf(facts->arena,
				   "Give what thread %s (tid %d) computes a process of its own.",
				   computing->thread->comm, (int)computing->thread->tid));
	advice_because(advice,
		       arena_printf(facts->arena,
				    "Behind it the main thread stands in line for %s for %.0f%% of "
				    "its time.",
				    advice_lock_title(facts), pct(held_up)));
}

/* What the main thread waits for, no other thread's computing makes longer or shorter; but it may
 * stand in line for the lock behind that. */
static bool advise_background(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	const struct thread_facts *computing = background_find(facts);
	const struct thread_facts *main = computing ? background_main(facts) : NULL;
	double held_up;

	if (!main)
		return false;
	if (advise_convoy(advice))
		return true;
	held_up = share_of(main->thread->wait_ns[WAIT_GIL], main->life_ns);
	if (held_up < BACKGROUND_LOCK)
		keep_background(advice, computing);
	else
		separate_background(advice, computing, held_up);
	advice_because(advice, "How long it takes is up to the main thread, which waits for no "
			       "other: what more workers would gain isn't known.");
	return true;
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
				     facts->dominant_cpus, advice_lock_title(facts)));
		return;
	}
	if (!can_spread(advice))
		return;
	if (advise_convoy(advice))
		return;
	if (advice->choice->made && !advice->choice->is_change) {
		advice_keep_as_replayed(advice);
		return;
	}
	if (advice->model->is_command_sequence) {
		advice_run_commands(advice, model_for_commands(facts, CLASS_CPU_BOUND),
				    cpu_workers(advice));
		return;
	}
	if (advice->choice->is_change && advice->choice->model == MODEL_THREADS) {
		change_to_cpu_threads(advice, arena_printf(facts->arena,
							   "It computes in code that lets go of %s "
							   "(hashing, compression, NumPy).",
							   advice_lock_title(facts)));
		return;
	}
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
			     advice_lock_title(facts)));
	advice->to->avoid =
		arena_printf(facts->arena,
			     "Don't use threads or an event loop for this work: %s lets only one "
			     "compute at a time%s.",
			     advice_lock_title(facts),
			     facts_has_interpreter_lock(facts) && !advice->model->has_threads
				     ? ", except in native code that lets go of it (hashing, NumPy)"
				     : "");
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
	if (advice->choice->made && !advice->choice->is_change) {
		advice_keep_as_replayed(advice);
		return;
	}
	if (advice->model->is_command_sequence ||
	    (advice->facts->dominant && advice->facts->dominant->runtime == RUNTIME_SHELL)) {
		advice_run_commands(advice, model_for_commands(advice->facts, CLASS_CPU_BOUND),
				    cpu_workers(advice));
		return;
	}
	if (advice_has_api(advice, MODEL_THREADS)) {
		change_to_cpu_threads(advice, "No global lock keeps its threads from computing at "
					      "the same time, and they share memory where "
					      "processes would copy it.");
	} else {
		change_to_cpu_processes(advice);
		advice_because_no_threads(advice);
	}
	advice->to->avoid = "Don't use an event loop for this work: one loop computes on one CPU.";
}

static void advise_blocking(struct advice *advice)
{
	struct vain_work polling = polling_find(advice->facts);

	advice_keep(advice,
		    arena_printf(advice->facts->arena,
				 "Keep the model, but let it block: %s is asked over and over for "
				 "what isn't there. What it does besides will only show then.",
				 polling.call));
	advice_because(advice, arena_printf(advice->facts->arena,
					    "Threads that poll had %.0f%% of its CPU time.",
					    pct(polling.tree_share)));
	advice->to->avoid = "Don't add workers: they would poll too.";
}

void advise_cpu(struct advice *advice)
{
	if (polling_leads(advice->facts)) {
		advise_blocking(advice);
		return;
	}
	if (advise_turns(advice) || advise_slack(advice) || advise_background(advice))
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

void advise_starved(struct advice *advice)
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
