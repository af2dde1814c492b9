/* One step outwards: from a frame's registers to its caller's. */
#ifndef CLASSIFY_UNWIND_STEP_H
#define CLASSIFY_UNWIND_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include "unwind/stack_memory.h"
#include "unwind/unwind_rule.h"

struct address_space;
struct frame_info;

/* What is known of a frame's registers, and how it was come by. */
struct unwind_state {
	uint64_t registers[UNWIND_REGISTER_CNT];
	uint32_t known; /* bit N: registers[N] */
	bool is_exact;	/* the address is of the next instruction, not after a call */
};

enum step_result {
	STEP_DONE,
	STEP_OUTERMOST, /* there is no caller */
	STEP_LEFT,	/* @state is the caller's, but its stack is not in the copy */
	STEP_CUT,	/* who called is not in the copy */
	STEP_UNMAPPED,	/* who called is in no mapping, and may be in one by now */
	STEP_FAILED,
};

/* By call frame information. Changes @state only when there is a caller. */
enum step_result unwind_step_rule(const struct frame_info *info, const struct unwind_rule *rule,
				  const struct stack_memory *memory, struct unwind_state *state);

/* By the frame pointer, where there is no call frame information. The caller has to be in @space.
 * A frame pointer may be any value there: this takes what looks like one in every respect. */
enum step_result unwind_step_pointer(const struct address_space *space,
				     const struct stack_memory *memory, struct unwind_state *state);

#endif
