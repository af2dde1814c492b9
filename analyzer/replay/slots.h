/* A place that serves so many at once, the others first come first served: a far end's workers, a
 * disk's queue, the program's own lock, the one thread of an event loop. */
#ifndef CLASSIFY_REPLAY_SLOTS_H
#define CLASSIFY_REPLAY_SLOTS_H

#include "task_queue.h"

struct slots {
	struct task_queue waiting;
	uint32_t free_cnt;
	bool is_unbounded;
	double taken_ns;   /* until changed_ns, over all slots */
	double changed_ns; /* when the number of those taken last changed */
	uint32_t taken_cnt;
};

/* @cnt: 0: any number */
static inline void slots_init(struct slots *slots, struct task_link *links, uint32_t cnt)
{
	*slots = (struct slots){ .free_cnt = cnt, .is_unbounded = cnt == 0 };
	task_queue_init(&slots->waiting, links);
}

static inline void slots_account(struct slots *slots, double now_ns)
{
	slots->taken_ns += (now_ns - slots->changed_ns) * slots->taken_cnt;
	slots->changed_ns = now_ns;
}

/* Returns whether @task has one now; else it waits for one. */
static inline bool slots_take(struct slots *slots, uint32_t task, double now_ns)
{
	if (!slots->is_unbounded && slots->free_cnt == 0) {
		task_queue_add(&slots->waiting, task);
		return false;
	}
	slots_account(slots, now_ns);
	slots->free_cnt -= !slots->is_unbounded;
	slots->taken_cnt++;
	return true;
}

/* Returns who has the slot now instead, NO_TASK: nobody. */
static inline uint32_t slots_give_back(struct slots *slots, double now_ns)
{
	uint32_t next = task_queue_take(&slots->waiting);

	if (next != NO_TASK)
		return next;
	slots_account(slots, now_ns);
	slots->free_cnt += !slots->is_unbounded;
	slots->taken_cnt--;
	return NO_TASK;
}

#endif
