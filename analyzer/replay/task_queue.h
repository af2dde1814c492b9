/* Queues of tasks, first come first served. A task stands in at most one of them at a time, so all
 * queues of a simulation share one array of links. */
#ifndef CLASSIFY_REPLAY_TASK_QUEUE_H
#define CLASSIFY_REPLAY_TASK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define NO_TASK UINT32_MAX

struct task_link {
	uint32_t next;
	uint32_t previous;
};

struct task_queue {
	struct task_link *links; /* of each task; borrowed */
	uint32_t first;		 /* NO_TASK: empty */
	uint32_t last;
};

static inline void task_queue_init(struct task_queue *queue, struct task_link *links)
{
	queue->links = links;
	queue->first = NO_TASK;
	queue->last = NO_TASK;
}

static inline void task_queue_add(struct task_queue *queue, uint32_t task)
{
	queue->links[task] = (struct task_link){ .next = NO_TASK, .previous = queue->last };
	if (queue->last == NO_TASK)
		queue->first = task;
	else
		queue->links[queue->last].next = task;
	queue->last = task;
}

/* @task: stands in this queue. */
static inline void task_queue_remove(struct task_queue *queue, uint32_t task)
{
	struct task_link link = queue->links[task];

	if (link.previous == NO_TASK)
		queue->first = link.next;
	else
		queue->links[link.previous].next = link.next;
	if (link.next == NO_TASK)
		queue->last = link.previous;
	else
		queue->links[link.next].previous = link.previous;
}

/* The one that waited longest leaves. Returns NO_TASK if there is none. */
static inline uint32_t task_queue_take(struct task_queue *queue)
{
	uint32_t task = queue->first;

	if (task != NO_TASK)
		task_queue_remove(queue, task);
	return task;
}

#endif
