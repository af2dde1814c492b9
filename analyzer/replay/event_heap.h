/* What happens next: the earliest of at most one event per task. A binary heap that knows where
 * each task is in it, so that an event can be moved or taken back. */
#ifndef CLASSIFY_REPLAY_EVENT_HEAP_H
#define CLASSIFY_REPLAY_EVENT_HEAP_H

#include <stdint.h>

struct event {
	double at;
	uint64_t order; /* the older of two events at the same time comes first */
	uint32_t task;
};

struct event_heap {
	struct event *events; /* room for one of each task */
	uint32_t *places;     /* of each task: its event's index, or NO_TASK */
	uint32_t cnt;
	uint64_t put_cnt;
};

/* Returns 0 or -ENOMEM. Release it either way. */
int event_heap_init(struct event_heap *heap, uint32_t task_cnt);
void event_heap_release(struct event_heap *heap);

/* Gives @task its event, or moves the one it has. */
void event_heap_put(struct event_heap *heap, uint32_t task, double at);
void event_heap_remove(struct event_heap *heap, uint32_t task); /* nothing, if it has none */

/* NULL: none. Valid until the next change. */
const struct event *event_heap_first(const struct event_heap *heap);
const struct event *event_heap_of(const struct event_heap *heap, uint32_t task);

#endif
