/* A run's beginning, its clock and its end. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "simulation.h"

/* Eleven days. Sums of these stay finite, whatever the input. */
#define MAX_LENGTH_NS 1e15
/* Workers beyond these never differ from none: there is one operation for each at most. */
#define MAX_WORKERS 1000000
/* Less of a CPU, and less of its speed, is taken for this much, so that no run takes forever. */
#define MIN_CPUS	  0.01
#define MIN_PARALLEL_PART 0.01

double simulation_length_ns(double length_ns)
{
	return length_ns > 0 ? fmin(length_ns, MAX_LENGTH_NS) : 0;
}

/* How long the global lock may be kept from others; infinite: as long as its holder likes. */
static double interval_ns(const struct simulation *sim)
{
	double interval_ns = sim->work->switch_interval_ns;

	if (!(interval_ns > 0) || !isfinite(interval_ns))
		return INFINITY;
	return interval_ns;
}

static enum replay_place own_place(const struct replay_work *work)
{
	size_t i, j;

	for (i = 0; i < work->operation_cnt; i++) {
		for (j = 0; j < work->operations[i].step_cnt; j++) {
			if (work->steps[work->operations[i].first_step + j].place == PLACE_GIL)
				return PLACE_GIL;
		}
	}
	return PLACE_CPU;
}

static double within(double value, double least, double most)
{
	return value > least ? fmin(value, most) : least;
}

static void init_places(struct simulation *sim)
{
	task_queue_init(&sim->ready, sim->links);
	task_queue_init(&sim->idle, sim->links);
	slots_init(&sim->loop, sim->links, 1);
	slots_init(&sim->lock, sim->links, 1);
	slots_init(&sim->far_end, sim->links, sim->work->far_end_slots);
	slots_init(&sim->disk, sim->links, sim->work->disk_slots);
	slots_init(&sim->neighbour, sim->links, sim->work->neighbour_slots);
}

static uint32_t worker_cnt(const struct replay_work *work, const struct replay_setup *setup)
{
	uint32_t most = setup->workers < MAX_WORKERS ? setup->workers : MAX_WORKERS;

	if (most > work->operation_cnt)
		most = (uint32_t)work->operation_cnt;
	return most ? most : 1;
}

int simulation_init(struct simulation *sim, const struct replay_work *work,
		    const struct replay_setup *setup, uint64_t seed)
{
	uint32_t task_cnt;
	int err;

	*sim = (struct simulation){ .work = work, .setup = setup };
	sim->worker_cnt = worker_cnt(work, setup);
	task_cnt = sim->worker_cnt + 1;
	sim->own_place = own_place(work);
	sim->tasks = calloc(task_cnt, sizeof(*sim->tasks));
	sim->links = calloc(task_cnt, sizeof(*sim->links));
	if (!sim->tasks || !sim->links)
		return -ENOMEM;
	init_places(sim);
	err = event_heap_init(&sim->timers, task_cnt);
	if (!err)
		err = cpus_init(&sim->cpus, task_cnt, within(work->cpus, MIN_CPUS, MAX_WORKERS),
				within(setup->parallel_part, MIN_PARALLEL_PART, 1));
	if (!err)
		err = global_lock_init(&sim->global_lock, task_cnt, &sim->timers, sim->links,
				       interval_ns(sim), seed);
	return err;
}

void simulation_release(struct simulation *sim)
{
	global_lock_release(&sim->global_lock);
	cpus_release(&sim->cpus);
	event_heap_release(&sim->timers);
	free(sim->links);
	free(sim->tasks);
}

static void drain_ready(struct simulation *sim)
{
	uint32_t id;

	while ((id = task_queue_take(&sim->ready)) != NO_TASK)
		task_go_on(sim, id);
}

static void pass(struct simulation *sim, double elapsed_ns)
{
	cpus_advance(&sim->cpus, elapsed_ns);
	sim->in_flight_ns += elapsed_ns * (double)(sim->taken_cnt - sim->done_cnt);
	sim->now_ns += elapsed_ns;
}

/* Lets what happens next happen. Returns false if nothing ever will. */
static bool happen_next(struct simulation *sim)
{
	const struct event *timer = event_heap_first(&sim->timers);
	double timer_ns = timer ? fmax(0, timer->at - sim->now_ns) : INFINITY;
	double cpus_ns;
	uint32_t id;

	cpus_dispatch(&sim->cpus);
	cpus_ns = cpus_next_ns(&sim->cpus);

	if (isinf(timer_ns) && isinf(cpus_ns))
		return false;
	if (cpus_ns <= timer_ns) {
		pass(sim, cpus_ns);
		id = cpus_on_end(&sim->cpus);
		if (id != NO_TASK)
			task_computed(sim, id);
	} else {
		id = timer->task;
		pass(sim, timer_ns);
		event_heap_remove(&sim->timers, id);
		task_on_timer(sim, id);
	}
	return true;
}

void simulation_run(struct simulation *sim)
{
	hand_out_start(sim);
	drain_ready(sim);
	while (sim->done_cnt < sim->work->operation_cnt && happen_next(sim))
		drain_ready(sim);
}
