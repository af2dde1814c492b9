/* Takes in what the probes tell of stacks: follows them outwards, and adds up the time of equal
 * ones. */
#ifndef CLASSIFY_STACK_INTAKE_H
#define CLASSIFY_STACK_INTAKE_H

#include <stddef.h>
#include <stdint.h>
#include "stack_spaces.h"
#include "stack_table.h"

struct raw_stack;
struct unwinder;

/* More than the longest wait needs that may yet have been missed by all of them. */
#define STACK_PASSES 512

struct stack_intake {
	struct stack_spaces spaces;
	struct stack_table table;
	struct unwinder *unwinder;
	struct key_set threads; /* those that live, and that died lately: struct intake_thread */
	uint64_t period_ns;	/* of samples */
	/* The last passes of looks from outside: a wait that has gone on for blocked_ns when one
	 * begins, and lasts until that ends, is met by it with that chance. */
	struct stack_looking {
		uint64_t blocked_ns;
		struct stack_pass {
			uint64_t begin_ns, end_ns;
			double chance;
		} passes[STACK_PASSES];
		uint32_t cnt; /* ever made */
	} looking;
	/* What was taken in. */
	uint64_t sample_cnt;
	uint64_t wait_cnt;
	uint64_t unread_cnt; /* of processes that were gone before their maps could be read */
};

/* @files and @symbols have to live longer. Returns 0 or -ENOMEM. */
int stack_intake_init(struct stack_intake *intake, struct code_files *files,
		      struct symbols *symbols);

/* One message of the ring buffer, of @size bytes. */
void stack_intake_take(struct stack_intake *intake, const void *message, size_t size);

/* A thread that waits, and what of its stack could just be read from outside. */
void stack_intake_look(struct stack_intake *intake, const struct wire_waiting *waiting,
		       const struct raw_stack *raw);

/* The wait that @waiting tells of goes on at the end of the observation, at @until_ns. */
void stack_intake_close(struct stack_intake *intake, const struct wire_waiting *waiting,
			uint64_t until_ns);

/* Whether the stack of the wait that @waiting tells of is known already. */
bool stack_intake_knows(const struct stack_intake *intake, const struct wire_waiting *waiting);

void stack_intake_release(struct stack_intake *intake);

#endif
