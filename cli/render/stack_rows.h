/*
 * What the exports of stacks share: stacks that read the same put together, and the words for
 * frames and waits.
 */
#ifndef CLASSIFY_STACK_ROWS_H
#define CLASSIFY_STACK_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct report;
struct report_frame;
struct report_stack;

struct stack_row {
	const struct report_stack *stack; /* one of those that it stands for */
	const uint32_t *frames;		  /* innermost first: the first ones that read the same */
	size_t frame_cnt;
	uint64_t time_ns; /* of all of them */
};

/*
 * Returns @report's stacks with equal process and thread names, frames and waits as one row each,
 * largest first; of several processes of that name too unless @by_pid. The @cnt rows are @arena's.
 * NULL when there are none, or when out of memory: then @arena has failed.
 */
struct stack_row *stack_rows(const struct report *report, bool by_pid, struct arena *arena,
			     size_t *cnt);

/*
 * How many of the innermost frames of @stack are left out of exports: the kernel's, of a wait. Not
 * all waits are seen with them, and what it waits for says more.
 */
size_t stack_hidden_frames(const struct report *report, const struct report_stack *stack);

/*
 * What a frame is called: its function, "[libc.so.6]" when only the module is known, "[unknown]".
 * What is not in quotes here is the target's words as they are. All such texts are @arena's.
 */
const char *frame_title(const struct report_frame *frame, struct arena *arena);

/* "[wait: network tcp 10.0.0.5:443]"; "[idle: ...]" where it waits to be given work; NULL for a
 * stack on a CPU. */
const char *stack_wait_title(const struct report_stack *stack, struct arena *arena);

/* What was observed: "python3 fetch.py", the cgroup, or "". Long commands are cut. */
const char *export_title(const struct report *report, struct arena *arena);

/* The name of its process; "[unknown]" when that is empty. */
const char *stack_process(const struct report_stack *stack);

/* Whether its thread has a name of its own, not its process's. */
bool stack_has_thread_name(const struct report_stack *stack);

#endif
