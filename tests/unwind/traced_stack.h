/*
 * Stacks of other threads for tests of the unwinder: registers by ptrace, memory by /proc. The
 * product never stops a thread; tests need not wait for a probe.
 */
#ifndef CLASSIFY_TRACED_STACK_H
#define CLASSIFY_TRACED_STACK_H

#include <stdint.h>
#include <sys/types.h>
#include "unwind/unwind.h"

#define TRACED_STACK_BYTES (256 << 10)

struct traced_stack {
	uint64_t registers[UNWIND_REGISTER_CNT];
	uint8_t bytes[TRACED_STACK_BYTES];
	struct stack_copy copy; /* of the above */
};

/* Stops thread @tid of process @pid, copies, and lets it run on. Returns 0 or -errno. */
int traced_stack_take(pid_t pid, pid_t tid, struct traced_stack *stack);

/* Fills @registers from those of ptrace or of a signal: by DWARF's numbers. */
struct user_regs_struct;
void traced_stack_number(const struct user_regs_struct *user, uint64_t *registers);

#endif
