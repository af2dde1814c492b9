/*
 * Puts the frames of Python functions into the native stack of their thread, in place of the
 * interpreter's loop that runs them. Pure.
 */
#ifndef CLASSIFY_PYTHON_MERGE_H
#define CLASSIFY_PYTHON_MERGE_H

#include <stdbool.h>
#include <stddef.h>

struct merge_native {
	bool is_eval;	     /* the interpreter's loop: python_is_eval() */
	bool is_interpreter; /* of the interpreter's own module: python_is_interpreter() */
	bool is_start;	     /* where the C library begins a thread: python_is_start() */
};

/* Two stacks of one moment, both innermost first. */
struct merge_stacks {
	const struct merge_native *native;
	size_t native_cnt;
	bool native_is_cut;   /* its outermost frames are missing */
	const bool *is_entry; /* of each Python frame, as in struct python_frame */
	size_t python_cnt;
	bool python_is_cut;
};

struct merge_step {
	bool is_python;
	size_t index; /* of the Python or of the native frame */
};

/*
 * Fills @steps with the merged stack, innermost first, and returns how many there are, at most
 * @capacity. Inside of the innermost Python frame all native frames stay, outside of it those that
 * aren't the interpreter's. Each Python frame is there once, in order: between which native frames
 * is a guess, from the innermost or the outermost one, where the two stacks don't fit together.
 */
size_t python_merge(const struct merge_stacks *stacks, struct merge_step *steps, size_t capacity);

/* Is a C function of this name one where the C library begins a program or thread? */
bool python_is_start(const char *function);

/* Is the file at @path an interpreter: python3.11, libpython3.8.so.1.0? */
bool python_is_interpreter(const char *path);

#endif
