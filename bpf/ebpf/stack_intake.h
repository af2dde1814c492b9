/* Takes in what the probes tell of stacks: follows them outwards, and adds up the time of equal
 * ones. */
#ifndef CLASSIFY_STACK_INTAKE_H
#define CLASSIFY_STACK_INTAKE_H

#include <stddef.h>
#include <stdint.h>
#include "stack_spaces.h"
#include "stack_table.h"

struct intake_thread;
struct raw_stack;
struct unwinder;

struct stack_intake {
	struct stack_spaces spaces;
	struct stack_table table;
	struct unwinder *unwinder;
	struct intake_thread *threads; /* by number in table.threads */
	uint32_t thread_capacity;
	uint64_t period_ns; /* of samples */
	/* What part of waits the looks from outside meet: those longer than blocked_ns, and so
	 * often. */
	struct stack_looking {
		uint64_t blocked_ns;
		uint64_t every_ns; /* 0: none has been made */
		double chance;	   /* of a thread that is found, to be looked at */
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

/* The clock of the wire. */
uint64_t stack_now_ns(void);

void stack_intake_release(struct stack_intake *intake);

#endif
