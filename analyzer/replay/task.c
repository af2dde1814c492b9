/* The way of a task through a step: first all that it needs, in the order in which real programs
 * take it, then the time there, then what the next step has no use for is given back. */
#include "simulation.h"
#include "wake.h"

static bool is_computed(enum replay_place place)
{
	return place == PLACE_CPU || place == PLACE_GIL;
}

static bool needs_turn(const struct simulation *sim, enum replay_place place)
{
	switch (sim->setup->engine) {
	case ENGINE_LOOP:
		return is_computed(place) || place == PLACE_DISK;
	case ENGINE_PROCESSES:
		return false;
	default:
		return place == PLACE_GIL;
	}
}

/* Who comes back from a wait comes back to the interpreter or the loop, if only to wait again. */
static bool passes_by(const struct simulation *sim, const struct task *task)
{
	if (!task->comes_back)
		return false;
	return sim->setup->engine == ENGINE_LOOP ||
	       (sim->setup->engine == ENGINE_THREADS && sim->own_place == PLACE_GIL);
}

static struct slots *slots_of(struct simulation *sim, enum replay_place place)
{
	switch (place) {
	case PLACE_FAR_END:
		return &sim->far_end;
	case PLACE_DISK:
		return &sim->disk;
	case PLACE_NEIGHBOUR:
		return &sim->neighbour;
	default:
		return NULL;
	}
}

static bool take_turn(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];

	if (sim->setup->engine == ENGINE_LOOP) {
		task->has_turn = true; /* when it goes on */
		return slots_take(&sim->loop, id, sim->now_ns);
	}
	task->has_turn = global_lock_take(&sim->global_lock, id, sim->now_ns);
	task->waits_for_turn = !task->has_turn;
	return task->has_turn;
}

static void give_back(struct simulation *sim, struct slots *slots)
{
	uint32_t next = slots_give_back(slots, sim->now_ns);

	if (next != NO_TASK)
		task_queue_add(&sim->ready, next);
}

void task_let_go(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];

	if (!task->has_turn)
		return;
	task->has_turn = false;
	if (sim->setup->engine == ENGINE_LOOP)
		give_back(sim, &sim->loop);
	else
		global_lock_give_back(&sim->global_lock, sim->now_ns);
}

/* Who waits for the program's lock sleeps; a loop's operations don't. */
static void unlock(struct simulation *sim)
{
	uint32_t next;

	if (sim->setup->engine == ENGINE_LOOP) {
		give_back(sim, &sim->lock);
		return;
	}
	next = slots_give_back(&sim->lock, sim->now_ns);
	if (next == NO_TASK)
		return;
	sim->tasks[next].is_waking = true;
	event_heap_put(&sim->timers, next, sim->now_ns + WAKE_NS);
}

static void leave_row(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];

	task->ends_row = false;
	if (!task->has_lock)
		return;
	task->has_lock = false;
	unlock(sim);
}

/* Who has to wait for the program's lock waits without the global one. */
static bool take_lock(struct simulation *sim, uint32_t id)
{
	sim->tasks[id].has_lock = true; /* when it goes on */
	if (slots_take(&sim->lock, id, sim->now_ns))
		return true;
	sim->tasks[id].comes_back = true;
	task_let_go(sim, id);
	return false;
}

/* Returns whether @id has all that its step needs; else it waits, and goes on when it has that. */
static bool take_all(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];
	enum replay_place place = task->step.place;
	struct slots *slots = slots_of(sim, place);

	if (!task->has_turn && (needs_turn(sim, place) || passes_by(sim, task)) &&
	    !take_turn(sim, id))
		return false;
	if (task->ends_row)
		leave_row(sim, id);
	if (task->step.is_locked && !task->has_lock && !take_lock(sim, id))
		return false;
	task->comes_back = false;
	if (!needs_turn(sim, place))
		task_let_go(sim, id);
	if (!slots || task->has_slot)
		return true;
	task->has_slot = true; /* when it goes on */
	return slots_take(slots, id, sim->now_ns);
}

void task_go_on(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];

	if (!take_all(sim, id))
		return;
	if (is_computed(task->step.place) || task->step.place == PLACE_NEIGHBOUR) {
		task->began_ns = sim->now_ns;
		cpus_compute(&sim->cpus, id, task->left_ns);
	} else {
		event_heap_put(&sim->timers, id, sim->now_ns + task->left_ns);
	}
}

static void end_step(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];
	enum replay_place place = task->step.place;

	sim->busy_ns[place] += task->step.length_ns;
	if (task->has_slot)
		give_back(sim, slots_of(sim, place));
	task->has_slot = false;
	task->comes_back = !is_computed(place);
	/* It is unlocked by a thread that has come back. */
	if (task->next_step < task->end_step)
		task->ends_row = !sim->work->steps[task->next_step].is_locked;
	if (hand_out_next_step(sim, id)) {
		task_queue_add(&sim->ready, id);
		return;
	}
	leave_row(sim, id);
	task_let_go(sim, id);
}

void task_computed(struct simulation *sim, uint32_t id)
{
	const struct task *task = &sim->tasks[id];

	if (sim->setup->engine == ENGINE_PROCESSES && task->step.place == PLACE_GIL)
		sim->gil_ns += sim->now_ns - task->began_ns;
	end_step(sim, id);
}

/* The holder of the global lock computes: whoever begins something else gives it back first. */
static void drop_global_lock(struct simulation *sim)
{
	uint32_t id = sim->global_lock.holder;
	struct task *holder = &sim->tasks[id];

	holder->left_ns = cpus_interrupt(&sim->cpus, id);
	holder->has_turn = false;
	holder->waits_for_turn = true;
	global_lock_drop(&sim->global_lock, sim->now_ns);
}

void task_on_timer(struct simulation *sim, uint32_t id)
{
	struct task *task = &sim->tasks[id];

	if (task->is_waking) {
		task->is_waking = false;
		task_queue_add(&sim->ready, id);
		return;
	}
	if (!task->waits_for_turn) {
		end_step(sim, id);
		return;
	}
	switch (global_lock_on_timer(&sim->global_lock, id, sim->now_ns)) {
	case GLOBAL_LOCK_TAKEN:
		task->waits_for_turn = false;
		task->has_turn = true;
		task_queue_add(&sim->ready, id);
		break;
	case GLOBAL_LOCK_ASKED:
		drop_global_lock(sim);
		break;
	case GLOBAL_LOCK_WAITING:
		break;
	}
}
