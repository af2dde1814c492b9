/*
 * Times with a stack, which are estimates from samples, brought to add up with the exact ones: of
 * threads on a CPU, and of each kind of wait. Time that no sample speaks for stays without a stack.
 */
#ifndef CLASSIFY_STACK_TIMES_H
#define CLASSIFY_STACK_TIMES_H

#include "observation/observation.h"

struct arena;

struct stack_share {
	uint64_t time_ns; /* scaled: those of one thread, or of one wait, sum to its exact time */
	/* The part of it that was seen itself, 0..1; the rest is estimated from the samples. */
	double seen_part;
};

/* Returns one for each stack time of @obs, of @arena; NULL when there are none, or when out of
 * memory (sticky there). */
struct stack_share *stack_times_scale(const struct observation *obs, struct arena *arena);

#endif
