/* Sync, threads, async or multiprocessing: docs/rules.md, "Current model". */
#include <string.h>
#include "account/thread_time.h"
#include "account/wait_role.h"
#include "arena.h"
#include "decide/loop.h"
#include "decide/model.h"
#include "decide/serving.h"
#include "decide/thresholds.h"
#include "observation/lives.h"

#define STARTER_LEVELS 8

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static size_t add_life(struct life *lives, size_t cnt, uint64_t start_ns, uint64_t end_ns)
{
	lives[cnt++] = (struct life){ start_ns, +1 };
	lives[cnt++] = (struct life){ end_ns, -1 };
	return cnt;
}

static bool is_worker(uint64_t active_ns, uint64_t most_active_ns)
{
	return active_ns && (double)active_ns >= WORKER_PART * (double)most_active_ns;
}

/* Processes that were active at the same time; 0 if they took turns. */
static uint32_t concurrent_processes(const struct facts *facts, struct model *model)
{
	size_t cnt = facts->obs->process_cnt, end_cnt = 0;
	struct life *lives = arena_array(facts->scratch, cnt, 2 * sizeof(*lives));
	uint64_t most_ns = 0, sum_ns = 0;

	for (size_t i = 0; i < cnt; i++) {
		sum_ns += facts->processes[i].active_ns;
		if (facts->processes[i].active_ns > most_ns)
			most_ns = facts->processes[i].active_ns;
	}
	model->active_processes = share_of(sum_ns, facts->busy_ns);
	for (size_t i = 0; lives && i < cnt; i++)
		if (is_worker(facts->processes[i].active_ns, most_ns))
			end_cnt = add_life(lives, end_cnt, facts->obs->processes[i].start_ns,
					   facts->obs->processes[i].end_ns);
	/* Work split over processes none of which is the program, one after another. */
	model->is_command_sequence = end_cnt > 2 && model->active_processes < CONCURRENT_MIN &&
				     (double)most_ns < DOMINANT_PART * (double)sum_ns;
	return model->active_processes < CONCURRENT_MIN ? 0 : lives_peak(lives, end_cnt);
}

/* Of the threads of @process, what the most active one was active. */
static uint64_t most_active_ns(const struct process_facts *process)
{
	uint64_t most_ns = 0;

	for (size_t i = 0; i < process->thread_cnt; i++)
		if (process->threads[i]->active_ns > most_ns)
			most_ns = process->threads[i]->active_ns;
	return most_ns;
}

/*
 * A thread for each request does little by itself: no worker, but of a crowd of workers if the
 * crowd does as much as a worker would, and it was at work for its short life.
 */
static bool is_of_crowd(const struct thread_facts *thread, uint64_t crowd_ns,
			uint64_t most_active_ns)
{
	return is_worker(crowd_ns, most_active_ns) && is_worker(thread->active_ns, thread->life_ns);
}

/* Threads of the dominant process that were active at the same time; 0 if they took turns. */
static uint32_t concurrent_threads(const struct facts *facts, struct model *model)
{
	const struct process_facts *process = facts->dominant;
	struct life *lives = arena_array(facts->scratch, process->thread_cnt, 2 * sizeof(*lives));
	uint64_t most_ns = most_active_ns(process), sum_ns = 0, crowd_ns = 0;
	size_t end_cnt = 0;

	for (size_t i = 0; i < process->thread_cnt; i++)
		sum_ns += process->threads[i]->active_ns;
	model->active_threads = share_of(sum_ns, min_ns(process->life_ns, facts->busy_ns));
	if (model->active_threads < CONCURRENT_MIN || !lives)
		return 0;
	for (size_t i = 0; i < process->thread_cnt; i++)
		if (!is_worker(process->threads[i]->active_ns, most_ns))
			crowd_ns += process->threads[i]->active_ns;
	for (size_t i = 0; i < process->thread_cnt; i++)
		if (is_worker(process->threads[i]->active_ns, most_ns) ||
		    is_of_crowd(process->threads[i], crowd_ns, most_ns))
			end_cnt = add_life(lives, end_cnt, process->threads[i]->thread->start_ns,
					   process->threads[i]->thread->end_ns);
	return lives_peak(lives, end_cnt);
}

/* Whether its threads work one at a time because they wait for each other. A main thread that
 * works before and after others is no such case. Returns how many live at once; 0: not so. */
static uint32_t threads_in_turn(const struct facts *facts, struct model *model)
{
	const struct process_facts *process = facts->dominant;
	struct life *lives = arena_array(facts->scratch, process->thread_cnt, 2 * sizeof(*lives));
	uint64_t most_ns = most_active_ns(process), waits_ns = 0, life_ns = 0, work_ns = 0;
	size_t end_cnt = 0;
	uint32_t peak;
	double at_once;

	/* Where there is nothing to do at times, they mostly wait for work. */
	if (facts->idle_share >= NOTABLE_IDLE)
		return 0;
	for (size_t i = 0; lives && i < process->thread_cnt; i++) {
		const struct thread_facts *worker = process->threads[i];

		if (worker->thread->tid == worker->thread->pid ||
		    !is_worker(worker->active_ns, most_ns))
			continue;
		end_cnt =
			add_life(lives, end_cnt, worker->thread->start_ns, worker->thread->end_ns);
		waits_ns += worker->thread->wait_ns[WAIT_SYNC];
		/* A thread that was just handed the turn is not yet at work. */
		work_ns +=
			worker->active_ns - min_ns(worker->active_ns, worker->thread->run_queue_ns);
		life_ns += worker->life_ns;
	}
	peak = lives_peak(lives, end_cnt);
	at_once = share_of(work_ns, min_ns(process->life_ns, facts->busy_ns));
	if (peak < 2 || at_once >= TURNS_ACTIVE_MAX || share_of(waits_ns, life_ns) < TURNS_SHARE)
		return 0;
	model->active_threads = at_once;
	model->turns_share = share_of(waits_ns, life_ns);
	return peak;
}

static enum concurrency_model combine(const struct model *model)
{
	bool is_async = model->loop_thread;

	if (is_async + model->has_threads + model->has_processes > 1)
		return MODEL_MIXED;
	return is_async ? MODEL_ASYNC : model->primary;
}

/* Nobody works at the same time: they may still be many who take turns at serving. */
static void find_who_serves(const struct facts *facts, struct model *model, uint32_t *processes,
			    uint32_t *threads)
{
	uint32_t cnt = serving_processes(facts);

	if (cnt) {
		*processes = cnt;
		model->has_processes = true;
	} else {
		cnt = serving_threads(facts);
		if (!cnt)
			return;
		*threads = cnt;
		model->has_threads = true;
	}
	model->serves_in_turn = true;
}

struct model model_detect(const struct facts *facts)
{
	struct model model = { .workers = 1,
			       .blocking = { .call = "" },
			       .flight = in_flight_of(facts) };
	uint32_t processes, threads;

	if (!facts->dominant || !facts->dominant->thread_cnt)
		return model;
	processes = concurrent_processes(facts, &model);
	threads = concurrent_threads(facts, &model);
	loop_detect(facts, &model);
	/* Go moves its goroutines from thread to thread: that is no waiting for each other. */
	if (!model.loop_thread && processes < 2 && facts->dominant->runtime != RUNTIME_GO) {
		uint32_t in_turn = threads_in_turn(facts, &model);

		threads = in_turn ? in_turn : threads;
	}
	model.has_processes = processes >= 2;
	/* Node's pool serves its loop; a loop of it stays one loop. */
	model.has_threads =
		threads >= 2 && facts->dominant->runtime != RUNTIME_NODE && model.turns_share <= 0;
	if (!model.loop_thread && !model.has_processes && !model.has_threads &&
	    model.turns_share <= 0)
		find_who_serves(facts, &model, &processes, &threads);
	if (model.has_processes)
		model.primary = MODEL_MULTIPROCESSING;
	else if (model.loop_thread)
		model.primary = MODEL_ASYNC;
	else if (model.has_threads || model.turns_share > 0)
		model.primary = MODEL_THREADS;
	model.current = combine(&model);
	if (model.has_processes)
		model.workers = processes;
	else if (model.has_threads || model.turns_share > 0)
		model.workers = threads;
	return model;
}

uint32_t model_compute_workers(const struct facts *facts, const struct model *model)
{
	uint32_t cnt = 0;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++)
		if (share_of(facts->threads[i].runnable_ns, facts->threads[i].life_ns) >=
		    CPU_WORKER_SHARE)
			cnt++;
	return cnt < model->workers ? cnt : model->workers;
}

static const struct process_facts *parent_of(const struct facts *facts,
					     const struct process_facts *process)
{
	size_t at = process_index_find(&facts->roles->index, process->process->parent_pid);

	return at == NO_PROCESS ? NULL : &facts->processes[at];
}

enum runtime_id model_starter(const struct facts *facts)
{
	const struct process_facts *starter = facts->dominant;

	/* A compiler's driver is no more than its passes; and numbers may go in a circle. */
	for (int level = 0; starter && level < STARTER_LEVELS; level++) {
		starter = parent_of(facts, starter);
		if (starter && starter->runtime != RUNTIME_NATIVE)
			return starter->runtime;
	}
	return facts->dominant ? facts->dominant->runtime : RUNTIME_NATIVE;
}

bool model_runs_commands(const struct facts *facts)
{
	const struct process_facts *process = facts->dominant;

	if (!process)
		return false;
	return process->runtime == RUNTIME_SHELL ||
	       (process->process->is_exec && model_starter(facts) == RUNTIME_SHELL);
}

enum concurrency_model model_for_commands(const struct facts *facts, enum verdict_class verdict)
{
	return verdict == CLASS_CPU_BOUND && model_runs_commands(facts) ? MODEL_MULTIPROCESSING
									: MODEL_THREADS;
}

void model_report(const struct facts *facts, const struct model *model,
		  struct report_concurrency *concurrency)
{
	concurrency->current = model->current;
	concurrency->workers = model->workers;
	if (model->flight.is_known) {
		concurrency->in_flight_mean = model->flight.mean;
		concurrency->in_flight_peak = model->flight.peak;
		return;
	}
	concurrency->in_flight_peak = -1;
	/* A loop waits once for all that it has in flight. */
	concurrency->in_flight_mean = facts->outside_loop_ns > facts->outside_ns / 2
					      ? -1
					      : share_of(facts->outside_ns, facts->busy_ns);
}
