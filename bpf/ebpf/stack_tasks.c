/* See stack_tasks.h. */
#include "stack_tasks.h"
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
#define TASKS_KEPT_NS  1000000000ull
#define TASKS_KEPT_MAX (2 * TASKS_MAX)
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
			tasks->all[tasks->cnt++] =
				(struct stack_task){ of_task, wait_of(&found[i]), stack_now_ns() };
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
		tasks->cnt = 0;
		keep_python_tasks(tasks, intake, space, row, found, (size_t)cnt);
	}
	free(found);
}

/* --- goroutines --- */

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
	return chain_native(intake, space, &raw, stack_now_ns());
}

static void read_goroutines(struct stack_tasks *tasks, struct stack_intake *intake,
			    struct stack_space *space, const struct stack_row *row,
			    const struct golang *golang)
{
	struct goroutine *found = calloc(TASKS_MAX, sizeof(*found));
	ssize_t cnt = found ? golang_waiting(golang, found, TASKS_MAX) : -1;

	if (cnt >= 0)
		tasks->cnt = 0;
	for (ssize_t i = 0; i < cnt; i++) {
		struct stack_row of_task = *row;

		of_task.kernel = of_task.python = NO_NODE;
		of_task.native = chain_goroutine(intake, space, &found[i]);
		if (of_task.native != NO_NODE)
			tasks->all[tasks->cnt++] =
				(struct stack_task){ of_task, wait_of_goroutine(&found[i]),
						     stack_now_ns() };
	}
	free(found);
}

/* --- either --- */

static bool may_drive_loop(struct stack_tasks *tasks)
{
	return tasks->drives_loop || tasks->ask_cnt++ < LOOP_ASKS_MAX;
}

static uint32_t count(const struct stack_tasks *tasks, enum stack_task_wait wait)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < tasks->cnt; i++)
		cnt += tasks->all[i].wait == wait;
	return cnt;
}

/* Adds those of the @old_cnt tasks in @old that wait in ways which the last read hasn't met. */
static void remember(struct stack_tasks *tasks, const struct stack_task *old, uint32_t old_cnt)
{
	uint64_t oldest_ns = stack_now_ns() - TASKS_KEPT_NS;
	uint32_t cnt_of[] = { count(tasks, TASK_WAITS), count(tasks, TASK_WAITS_TIME),
			      count(tasks, TASK_WAITS_INSIDE) };

	for (uint32_t i = 0; i < old_cnt && tasks->cnt < TASKS_KEPT_MAX; i++)
		if (!cnt_of[old[i].wait] && old[i].read_ns > oldest_ns)
			tasks->all[tasks->cnt++] = old[i];
}

void stack_tasks_look(struct stack_tasks *tasks, struct stack_intake *intake,
		      struct stack_space *space, const struct stack_row *row,
		      uint64_t thread_pointer)
{
	struct stack_task *old = tasks->all;
	uint32_t old_cnt = tasks->cnt;
	const struct golang *golang;
	uint64_t begin_ns;

	if (!space || stack_now_ns() < tasks->due_ns || !may_drive_loop(tasks))
		return;
	golang = space->python ? NULL : stack_space_golang(space);
	if (!golang && (!space->python || (row->python == NO_NODE && !tasks->drives_loop)))
		return;
	tasks->cnt = 0;
	tasks->all = calloc(TASKS_KEPT_MAX, sizeof(*tasks->all));
	if (!tasks->all) {
		free(old);
		return;
	}
	begin_ns = stack_now_ns();
	if (golang)
		read_goroutines(tasks, intake, space, row, golang);
	else
		read_python_tasks(tasks, intake, space, row, thread_pointer);
	remember(tasks, old, old_cnt);
	free(old);
	tasks->due_ns = stack_now_ns() + TASKS_COST_INVERSE * (stack_now_ns() - begin_ns);
	if (tasks->drives_loop)
		tasks->due_ns += TASKS_AGAIN_NS;
}

/* What came from outside is not for those that let time pass, and a lock or queue is for others to
 * release. */
uint32_t stack_tasks_of_wait(const struct stack_tasks *tasks, const struct wire_wait_key *key,
			     enum stack_task_wait *wait)
{
	static const enum stack_task_wait order[] = { TASK_WAITS_TIME, TASK_WAITS,
						      TASK_WAITS_INSIDE };
	uint32_t cnt = 0;

	if (!(key->flags & WIRE_WAIT_EVENT_LOOP))
		return 0;
	for (size_t i = key->reason == WIRE_TIMER ? 0 : 1; i < 3 && !cnt; i++) {
		*wait = order[i];
		cnt = count(tasks, *wait);
	}
	return cnt;
}

void stack_tasks_release(struct stack_tasks *tasks)
{
	free(tasks->all);
	*tasks = (struct stack_tasks){ 0 };
}
