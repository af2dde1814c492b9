/* Reports with stacks, made by hand, for the exports. */
#ifndef CLASSIFY_STACK_SAMPLES_H
#define CLASSIFY_STACK_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct report;

/* A Python program that computes in NumPy, reads a socket, and has workers: what exports have to
 * tell apart is there once. */
extern const struct report stacks_report;

/* Every name is hostile, in a way of its own. */
extern const struct report hostile_stacks_report;

/* Nothing was seen. */
extern const struct report no_stacks_report;

/* Fills @report with @stack_cnt stacks of @depth frames each, out of 5000 frames, all different.
 * Freed by free_many_stacks(). */
void make_many_stacks(struct report *report, size_t stack_cnt, size_t depth);
void free_many_stacks(struct report *report);

/* Sums over all stacks. */
uint64_t stacks_on_cpu_ns(const struct report *report);
uint64_t stacks_wait_ns(const struct report *report);

#endif
