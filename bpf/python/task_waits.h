/* What a task waits for: tasks that wait for others don't tell what the program waits for. */
#ifndef CLASSIFY_PYTHON_TASK_WAITS_H
#define CLASSIFY_PYTHON_TASK_WAITS_H

#include <stddef.h>
#include <stdint.h>

#include "python/python.h"

struct objects;

/*
 * What the future @waiter stands for, which the innermost of the @frame_cnt @frames awaits. Another
 * task: because it is one, or one of gather() or shield(), or made by asyncio's wait(), wait_for()
 * or TaskGroup for tasks that aren't done.
 */
enum python_task_wait task_wait(struct objects *objects, uint64_t waiter,
				const struct python_frame *frames, size_t frame_cnt);

#endif
