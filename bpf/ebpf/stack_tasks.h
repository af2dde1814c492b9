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
};

/* Objects of waits of one thread for which it is remembered what tasks they were for. */
#define TASK_MEMORIES 8

/* Of one thread. All zero: nothing is known of any. */
struct stack_tasks {
	bool drives_loop; /* it has been seen to */
	uint32_t ask_cnt;
	uint64_t due_ns; /* when they may be read again */
	/* All that wait, as read last, and when that was. */
	struct stack_task *read;
	uint32_t read_cnt;
	uint64_t read_from_ns, read_until_ns;
	/* Those that a wait was for during which they were read. */
	struct task_memory {
		struct wire_wait_key key;
		struct stack_task *tasks;
		uint32_t cnt;
	} memories[TASK_MEMORIES];
	uint32_t memory_cnt; /* ever made: the oldest gives way */
};

/*
 * The thread of @tasks waits with the stack @row: reads what tasks wait where, if it may be their
 * loop's thread and that wasn't done just now. As it comes some time after the wait began, it may
 * be over: stack_tasks_of_wait() knows.
 */
void stack_tasks_look(struct stack_tasks *tasks, struct stack_intake *intake,
		      struct stack_space *space, const struct stack_row *row,
		      uint64_t thread_pointer);

/*
 * Returns the tasks that the thread's wait of @key was for, which lasted from @since_ns to
 * @until_ns, and their number in @cnt, until the next call. 0: none, it is the thread's own. If
 * they were not read while it lasted, those that the last wait of the same object was for, or of
 * the same reason, or that were read last.
 */
const struct stack_task *stack_tasks_of_wait(struct stack_tasks *tasks,
					     const struct wire_wait_key *key, uint64_t since_ns,
					     uint64_t until_ns, uint32_t *cnt);

void stack_tasks_release(struct stack_tasks *tasks);

#endif
