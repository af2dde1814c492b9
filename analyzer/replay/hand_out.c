/* Who does what: workers are started one after another, operations handed out in order to whoever
 * is free. Both by one task, if they take time; as from a queue, ahead of demand. */
#include "simulation.h"

static void set_step(struct simulation *sim, uint32_t id, struct replay_step step)
{
	struct task *task = &sim->tasks[id];

	step.length_ns = simulation_length_ns(step.length_ns);
	if ((unsigned int)step.place >= PLACE_CNT)
		step.place = PLACE_DELAY;
	task->step = step;
	task->left_ns = step.length_ns;
}

static void set_own_step(struct simulation *sim, uint32_t id, double length_ns)
{
	set_step(sim, id, (struct replay_step){ .place = sim->own_place, .length_ns = length_ns });
}

/* Returns false at the operation's end. Steps that take no time are passed over. */
static bool next_of_operation(struct simulation *sim, struct task *task)
{
	while (task->next_step < task->end_step) {
		set_step(sim, (uint32_t)(task - sim->tasks), sim->work->steps[task->next_step++]);
		if (task->left_ns > 0)
			return true;
	}
	return false;
}

static bool take_operation(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];
	const struct replay_operation *operation;

	if (sim->taken_cnt == sim->handed_out_cnt)
		return false;
	operation = &sim->work->operations[sim->taken_cnt++];
	task->next_step = operation->first_step;
	task->end_step = operation->first_step + operation->step_cnt;
	task->is_at_operation = true;
	task->comes_back = true;
	task->ends_row = true;
	/* What a loop runs next is the oldest of all that is ready, not the next of the same
	 * worker. */
	if (sim->setup->engine == ENGINE_LOOP)
		task_let_go(sim, id);
	set_own_step(sim, id, sim->setup->operation_ns);
	return true;
}

static bool next_of_worker(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];

	while (!next_of_operation(sim, task)) {
		sim->done_cnt += task->is_at_operation;
		task->is_at_operation = false;
		if (!take_operation(sim, id)) {
			task_queue_add(&sim->idle, id);
			return false;
		}
		if (task->left_ns > 0)
			return true;
	}
	return true;
}

static void give_work(struct simulation *sim, uint32_t id)
{
	if (next_of_worker(sim, id))
		task_queue_add(&sim->ready, id);
}

static void start_worker(struct simulation *sim)
{
	give_work(sim, sim->started_cnt++);
}

static void hand_out_operation(struct simulation *sim)
{
	uint32_t idle;

	sim->handed_out_cnt++;
	idle = task_queue_take(&sim->idle);
	if (idle != NO_TASK)
		give_work(sim, idle);
}

/* What the one that hands out does next; at once what takes it no time. */
static bool next_to_hand_out(struct simulation *sim)
{
	uint32_t id = sim->worker_cnt;

	while (sim->started_cnt < sim->worker_cnt) {
		set_own_step(sim, id, sim->setup->start_ns);
		if (sim->tasks[id].left_ns > 0)
			return true;
		start_worker(sim);
	}
	while (sim->handed_out_cnt < sim->work->operation_cnt) {
		set_own_step(sim, id, sim->setup->dispatch_ns);
		if (sim->tasks[id].left_ns > 0)
			return true;
		hand_out_operation(sim);
	}
	return false;
}

void hand_out_start(struct simulation *sim)
{
	if (simulation_length_ns(sim->setup->dispatch_ns) == 0)
		sim->handed_out_cnt = sim->work->operation_cnt;
	if (next_to_hand_out(sim))
		task_queue_add(&sim->ready, sim->worker_cnt);
}

bool hand_out_next_step(struct simulation *sim, uint32_t id)
{
	if (id < sim->worker_cnt)
		return next_of_worker(sim, id);
	if (sim->started_cnt < sim->worker_cnt)
		start_worker(sim);
	else
		hand_out_operation(sim);
	return next_to_hand_out(sim);
}
