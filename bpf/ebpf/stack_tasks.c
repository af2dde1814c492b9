/* See stack_tasks.h. */
#include "stack_tasks.h"
#include "clock.h"
#include "golang/golang.h"
#include "python/python.h"
#include "stack_chains.h"
#include "stack_intake.h"
#include "stack_spaces.h"
#include "unwind/unwind.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Tasks of an event loop that the time of one wait is divided among. */
#define TASKS_MAX 64
/* Tasks are read again after so long, and so many times what reading them took. */
#define TASKS_AGAIN_NS	   2000000ull
#define TASKS_COST_INVERSE 50
/* Between two reads other tasks may have waited than those that were read. Tasks that wait in one
 * way are remembered for so long after the last read that met some. */
/* Waits of a thread at which its process is asked for tasks: the first wait of a loop may be a long
 * one, and what ends it tells that it was a loop's when its tasks have moved on. */
#define LOOP_ASKS_MAX 16
/* DWARF's number of the frame pointer. */
#define REGISTER_BP 6

/* --- asyncio --- */

/* The frames of a task stand where its loop called select(). */
static uint32_t loop_node(const struct stack_intake *intake, const struct stack_row *row)
{
	return row->python == NO_NODE ? NO_NODE
				      : stack_table_node(&intake->table, row->python)->caller;
}

static enum stack_task_wait wait_of(const struct python_task *task)
{
	switch (task->wait) {
	case PYTHON_TASK_WAITS_TIME:
		return TASK_WAITS_TIME;
	case PYTHON_TASK_WAITS_INSIDE:
		return TASK_WAITS_INSIDE;
	default:
		return TASK_WAITS;
	}
}

static void keep_python_tasks(struct stack_tasks *tasks, struct stack_intake *intake,
			      struct stack_space *space, const struct stack_row *row,
			      const struct python_task *found, size_t cnt)
{
	uint32_t loop = loop_node(intake, row);

	for (size_t i = 0; i < cnt; i++) {
		struct stack_row of_task = *row;

		if (found[i].wait == PYTHON_TASK_WAITS_TASK || !found[i].frame_cnt)
			continue;
		of_task.native = of_task.kernel = NO_NODE;
		of_task.python = chain_python(intake, space, found[i].frames, found[i].frame_cnt,
					      loop, false);
		/* Numbers would make a row of each of ten thousand tasks that do the same. */
		of_task.task = found[i].is_named ? stack_table_task(&intake->table, found[i].name)
						 : NO_NODE;
		if (of_task.python != NO_NODE)
			tasks->read[tasks->read_cnt++] =
				(struct stack_task){ of_task, wait_of(&found[i]) };
	}
}

static void read_python_tasks(struct stack_tasks *tasks, struct stack_intake *intake,
			      struct stack_space *space, const struct stack_row *row,
			      uint64_t thread_pointer)
{
	struct python_task *found = calloc(TASKS_MAX, sizeof(*found));
	ssize_t cnt = found ? python_tasks(space->python, thread_pointer, found, TASKS_MAX) : -1;

	tasks->drives_loop |= cnt > 0;
	if (cnt >= 0) {
		tasks->read_cnt = 0;
		keep_python_tasks(tasks, intake, space, row, found, (size_t)cnt);
	}
	free(found);
}

/* --- goroutines --- */

/* Timers may come through channels; what else a goroutine gets from others isn't what the poller
 * waits for. */
static bool may_wait_for_poller(const struct goroutine *goroutine)
{
	static const char *const reasons[] = { "IO wait", "sleep", "select", "chan receive" };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (!strcmp(goroutine->reason, reasons[i]))
			return true;
	return false;
}

static enum stack_task_wait wait_of_goroutine(const struct goroutine *goroutine)
{
	if (!strcmp(goroutine->reason, "sleep"))
		return TASK_WAITS_TIME;
	return strcmp(goroutine->reason, "IO wait") ? TASK_WAITS_INSIDE : TASK_WAITS;
}

/* Its stack doesn't change while it is parked; if it went on meanwhile, what is read leads nowhere.
 */
static uint32_t chain_goroutine(struct stack_intake *intake, struct stack_space *space,
				const struct goroutine *goroutine)
{
	uint8_t bytes[WIRE_STACK_BYTES];
	size_t len = goroutine->stack_end - goroutine->sp;
	uint64_t registers[WIRE_REGISTER_CNT] = { 0 };
	struct raw_stack raw = { .registers = registers, .bytes = bytes };
	struct iovec local = { bytes, len < sizeof(bytes) ? len : sizeof(bytes) };
	struct iovec remote = { (void *)(uintptr_t)goroutine->sp, local.iov_len };
	ssize_t got = process_vm_readv((pid_t)space->tgid, &local, 1, &remote, 1, 0);

	if (got <= 0)
		return NO_NODE;
	raw.byte_cnt = (size_t)got;
	registers[REGISTER_BP] = goroutine->bp;
	registers[WIRE_REGISTER_SP] = goroutine->sp;
	registers[WIRE_REGISTER_IP] = goroutine->pc;
	return chain_native(intake, space, &raw, clock_ns(CLOCK_MONOTONIC));
}

static void read_goroutines(struct stack_tasks *tasks, struct stack_intake *intake,
			    struct stack_space *space, const struct stack_row *row,
			    const struct golang *golang)
{
	struct goroutine *found = calloc(TASKS_MAX, sizeof(*found));
	ssize_t cnt = found ? golang_waiting(golang, found, TASKS_MAX) : -1;

	if (cnt >= 0)
		tasks->read_cnt = 0;
	for (ssize_t i = 0; i < cnt; i++) {
		struct stack_row of_task = *row;

		if (!may_wait_for_poller(&found[i]))
			continue;
		of_task.kernel = of_task.python = NO_NODE;
		of_task.native = chain_goroutine(intake, space, &found[i]);
		if (of_task.native != NO_NODE)
			tasks->read[tasks->read_cnt++] =
				(struct stack_task){ of_task, wait_of_goroutine(&found[i]) };
	}
	free(found);
}

/* --- either --- */

static bool may_drive_loop(struct stack_tasks *tasks)
{
	return tasks->drives_loop || tasks->ask_cnt++ < LOOP_ASKS_MAX;
}

void stack_tasks_look(struct stack_tasks *tasks, struct stack_intake *intake,
		      struct stack_space *space, const struct stack_row *row,
		      uint64_t thread_pointer)
{
	const struct golang *golang;

	if (!space || clock_ns(CLOCK_MONOTONIC) < tasks->due_ns || !may_drive_loop(tasks))
		return;
	golang = space->python ? NULL : stack_space_golang(space);
	if (!golang && (!space->python || (row->python == NO_NODE && !tasks->drives_loop)))
		return;
	if (!tasks->read)
		tasks->read = calloc(TASKS_MAX, sizeof(*tasks->read));
	if (!tasks->read)
		return;
	tasks->read_from_ns = clock_ns(CLOCK_MONOTONIC);
	if (golang)
		read_goroutines(tasks, intake, space, row, golang);
	else
		read_python_tasks(tasks, intake, space, row, thread_pointer);
	tasks->read_until_ns = clock_ns(CLOCK_MONOTONIC);
	tasks->due_ns = tasks->read_until_ns +
			TASKS_COST_INVERSE * (tasks->read_until_ns - tasks->read_from_ns);
	if (tasks->drives_loop)
		tasks->due_ns += TASKS_AGAIN_NS;
}

/* --- which of them a wait was for --- */

static uint32_t count(const struct stack_tasks *tasks, enum stack_task_wait wait)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < tasks->read_cnt; i++)
		cnt += tasks->read[i].wait == wait;
	return cnt;
}

/* What came from outside is not for those that let time pass, and a lock or queue is for others to
 * release. Moves those that a wait of @key is for to the front and returns their number. */
static uint32_t select_tasks(struct stack_tasks *tasks, const struct wire_wait_key *key)
{
	static const enum stack_task_wait order[] = { TASK_WAITS_TIME, TASK_WAITS,
						      TASK_WAITS_INSIDE };
	size_t kind = key->reason == WIRE_TIMER ? 0 : 1;
	uint32_t cnt = 0;

	while (kind < 2 && !count(tasks, order[kind]))
		kind++;
	/* A goroutine at a channel waits for a timer at most. */
	if (order[kind] == TASK_WAITS_INSIDE && key->reason != WIRE_TIMER && tasks->read_cnt &&
	    tasks->read[0].row.python == NO_NODE)
		return 0;
	for (uint32_t i = 0; i < tasks->read_cnt; i++) {
		struct stack_task task = tasks->read[i];

		if (task.wait != order[kind])
			continue;
		tasks->read[i] = tasks->read[cnt];
		tasks->read[cnt++] = task;
	}
	return cnt;
}

static struct task_memory *recall(struct stack_tasks *tasks, const struct wire_wait_key *key)
{
	struct task_memory *same_reason = NULL;

	for (size_t i = 0; i < TASK_MEMORIES; i++) {
		struct task_memory *memory = &tasks->memories[i];

		if (!memory->cnt)
			continue;
		if (!memcmp(&memory->key, key, sizeof(*key)))
			return memory;
		if (memory->key.reason == key->reason)
			same_reason = memory;
	}
	return same_reason;
}

/* Of the tasks that were read the first @cnt are those of @key. */
static void memorise(struct stack_tasks *tasks, const struct wire_wait_key *key, uint32_t cnt)
{
	struct task_memory *memory = recall(tasks, key);
	struct stack_task *kept;

	if (!memory || memcmp(&memory->key, key, sizeof(*key)) != 0)
		memory = &tasks->memories[tasks->memory_cnt++ % TASK_MEMORIES];
	kept = reallocarray(memory->tasks, cnt, sizeof(*kept));
	if (!kept)
		return;
	memcpy(kept, tasks->read, cnt * sizeof(*kept));
	*memory = (struct task_memory){ .key = *key, .tasks = kept, .cnt = cnt };
}

const struct stack_task *stack_tasks_of_wait(struct stack_tasks *tasks,
					     const struct wire_wait_key *key, uint64_t since_ns,
					     uint64_t until_ns, uint32_t *cnt)
{
	const struct task_memory *memory;

	*cnt = 0;
	if (!(key->flags & WIRE_WAIT_EVENT_LOOP))
		return NULL;
	if (tasks->read_from_ns > since_ns && tasks->read_until_ns < until_ns) {
		*cnt = select_tasks(tasks, key);
		if (*cnt)
			memorise(tasks, key, *cnt);
		return tasks->read;
	}
	memory = recall(tasks, key);
	if (memory) {
		*cnt = memory->cnt;
		return memory->tasks;
	}
	*cnt = select_tasks(tasks, key);
	return tasks->read;
}

void stack_tasks_release(struct stack_tasks *tasks)
{
	for (size_t i = 0; i < TASK_MEMORIES; i++)
		free(tasks->memories[i].tasks);
	free(tasks->read);
	*tasks = (struct stack_tasks){ 0 };
}
