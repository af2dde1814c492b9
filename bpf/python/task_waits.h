/* Whether a task waits for other tasks, which tell themselves what the program really waits for. */
#ifndef CLASSIFY_PYTHON_TASK_WAITS_H
#define CLASSIFY_PYTHON_TASK_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct objects;
struct python_frame;

/*
 * Whether the future @waiter, which the innermost of the @frame_cnt @frames awaits, waits for
 * another task: because it is one, or one of gather() or shield(), or made by asyncio's wait(),
 * wait_for() or TaskGroup. False where that can't be seen.
 */
bool task_waits_for_task(struct objects *objects, uint64_t waiter,
			 const struct python_frame *frames, size_t frame_cnt);

#endif
