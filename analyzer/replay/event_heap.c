/* A binary heap of events, one per task. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include "event_heap.h"
#include "task_queue.h"

int event_heap_init(struct event_heap *heap, uint32_t task_cnt)
{
	uint32_t i;

	heap->cnt = 0;
	heap->put_cnt = 0;
	heap->events = calloc(task_cnt, sizeof(*heap->events));
	heap->places = calloc(task_cnt, sizeof(*heap->places));
	if (!heap->events || !heap->places)
		return -ENOMEM;
	for (i = 0; i < task_cnt; i++)
		heap->places[i] = NO_TASK;
	return 0;
}

void event_heap_release(struct event_heap *heap)
{
	free(heap->events);
	free(heap->places);
}

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void set_event(struct event_heap *heap, uint32_t place, struct event event)
{
	heap->events[place] = event;
	heap->places[event.task] = place;
}

static void move_up(struct event_heap *heap, uint32_t place, struct event event)
{
	while (place > 0 && is_before(&event, &heap->events[(place - 1) / 2])) {
		set_event(heap, place, heap->events[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	set_event(heap, place, event);
}

static void move_down(struct event_heap *heap, uint32_t place, struct event event)
{
	uint32_t child;

	while ((child = 2 * place + 1) < heap->cnt) {
		if (child + 1 < heap->cnt &&
		    is_before(&heap->events[child + 1], &heap->events[child]))
			child++;
		if (!is_before(&heap->events[child], &event))
			break;
		set_event(heap, place, heap->events[child]);
		place = child;
	}
	set_event(heap, place, event);
}

void event_heap_put(struct event_heap *heap, uint32_t task, double at)
{
	event_heap_remove(heap, task);
	move_up(heap, heap->cnt++,
		(struct event){ .at = at, .order = heap->put_cnt++, .task = task });
}

void event_heap_remove(struct event_heap *heap, uint32_t task)
{
	uint32_t place = heap->places[task];
	struct event last;

	if (place == NO_TASK)
		return;
	heap->places[task] = NO_TASK;
	last = heap->events[--heap->cnt];
	if (place == heap->cnt)
		return;
	if (place > 0 && is_before(&last, &heap->events[(place - 1) / 2]))
		move_up(heap, place, last);
	else
		move_down(heap, place, last);
}

const struct event *event_heap_first(const struct event_heap *heap)
{
	return heap->cnt ? &heap->events[0] : NULL;
}

const struct event *event_heap_of(const struct event_heap *heap, uint32_t task)
{
	return heap->places[task] == NO_TASK ? NULL : &heap->events[heap->places[task]];
}
