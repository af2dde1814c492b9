/*
 * Where a coroutine is suspended: its own frame, and those of the coroutines that it awaits, down
 * to the one that awaits something else.
 */
#ifndef CLASSIFY_PYTHON_COROUTINES_H
#define CLASSIFY_PYTHON_COROUTINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct objects;
struct python_frame;

/*
 * Reads the frames of the coroutine (or generator) @coroutine, the innermost first, up to @capacity
 * of them from there. Returns how many; 0 when it isn't suspended, or no object of CPython's own.
 */
size_t coroutine_frames(struct objects *objects, uint64_t coroutine, struct python_frame *frames,
			size_t capacity);

/* The first argument of the function that runs in @frame of a coroutine, or 0. */
uint64_t coroutine_argument(struct objects *objects, const struct python_frame *frame);

#endif
