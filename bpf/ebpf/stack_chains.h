/* From a stack as it was copied to nodes of the table: machine code, the kernel's and Python's. */
#ifndef CLASSIFY_STACK_CHAINS_H
#define CLASSIFY_STACK_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire.h"

struct python_frame;
struct stack_intake;
struct stack_space;

struct raw_stack {
	const uint64_t *registers; /* WIRE_REGISTER_CNT */
	const uint8_t *bytes;	   /* from the stack pointer up */
	size_t byte_cnt;
};

/* The innermost node of what @raw leads to; NO_NODE: nothing, or no room. */
uint32_t chain_native(struct stack_intake *intake, struct stack_space *space,
		      const struct raw_stack *raw, uint64_t now_ns);

/* The same of the kernel's @cnt addresses, innermost first. */
uint32_t chain_kernel(struct stack_intake *intake, const uint64_t *addresses, size_t cnt);

/* The same of Python frames, innermost first, called by @caller (NO_NODE: nobody). */
uint32_t chain_python(struct stack_intake *intake, struct stack_space *space,
		      const struct python_frame *frames, size_t cnt, uint32_t caller, bool is_cut);

#endif
