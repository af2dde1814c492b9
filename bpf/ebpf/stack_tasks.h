/*
 * Who waits when a thread waits on behalf of others: the tasks of an event loop, the goroutines of
 * Go's scheduler. The thread's time is divided among them.
 */
#ifndef CLASSIFY_STACK_TASKS_H
#define CLASSIFY_STACK_TASKS_H

#include <stdbool.h>
#include <stdint.h>
#include "stack_table.h"

struct stack_intake;
struct stack_space;

/* What a task waits for, as far as it can be seen. */
enum stack_task_wait {
	TASK_WAITS,	   /* for what may come from outside: a socket, a thread */
	TASK_WAITS_TIME,   /* it sleeps */
	TASK_WAITS_INSIDE, /* for another task: a lock, a queue, a channel */
};

struct stack_task {
	struct stack_row row;
	enum stack_task_wait wait;
	uint64_t read_ns;
};

/* Of one thread. All zero: nothing is known of any. */
struct stack_tasks {
	bool drives_loop; /* it has been seen to */
	uint32_t ask_cnt;
	uint32_t cnt;
	struct stack_task *all; /* that wait, as read last in each of these ways */
	uint64_t due_ns;	/* when they may be read again */
};

/*
 * The thread of @tasks waits with the stack @row: reads what tasks wait where, if it may be their
 * loop's thread and that wasn't done just now. It is done some time after the wait began, but which
 * tasks wait where doesn't depend on that.
 */
void stack_tasks_look(struct stack_tasks *tasks, struct stack_intake *intake,
		      struct stack_space *space, const struct stack_row *row,
		      uint64_t thread_pointer);

/* How many of @tasks the wait of @key was for: those whose wait is then in @wait. 0: none, it is
 * the thread's own. */
uint32_t stack_tasks_of_wait(const struct stack_tasks *tasks, const struct wire_wait_key *key,
			     enum stack_task_wait *wait);

void stack_tasks_release(struct stack_tasks *tasks);

#endif
