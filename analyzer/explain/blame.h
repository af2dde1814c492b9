/*
 * Whose a stack's time is: the innermost line of the program's own code, and what that called. For
 * all calls of an observation at once, each from its caller's answer.
 */
#ifndef CLASSIFY_BLAME_H
#define CLASSIFY_BLAME_H

#include "explain/own_code.h"
#include "observation/observation.h"

struct arena;

#define NO_CALL NO_CALLER

struct call_blame {
	uint32_t place; /* the call whose line it is; never NO_CALL */
	uint32_t
		callee; /* the library's that it called, outermost; NO_CALL: none that has a name */
	uint32_t root;	/* the outermost call of the stack */
	uint32_t depth; /* frames of the stack */
	bool is_own;	/* the place is the program's own code */
};

struct blame {
	struct code_facts *code;  /* by frame */
	struct call_blame *calls; /* by call */
};

/* Arrays are @arena's; calls is NULL when there are none, or when out of memory (sticky there). */
struct blame blame_calls(const struct observation *obs, struct arena *arena);

#endif
