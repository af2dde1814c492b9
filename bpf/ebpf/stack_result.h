/* What the worker process found out about stacks, on its way to classify's own: a file in memory
 * that holds the part of an observation that is about stacks, and the objects of waits. */
#ifndef CLASSIFY_STACK_RESULT_H
#define CLASSIFY_STACK_RESULT_H

#include <stdint.h>

struct key_set;
struct observation;
struct wire_wait_key;

/* Two files in memory. */
struct stack_result {
	int observation_fd;
	int waits_fd;
};

/* Returns 0 or -errno; nothing is open then. */
int stack_result_open(struct stack_result *result);
void stack_result_close(struct stack_result *result);

/* Writes @part and @waits (struct wire_wait_key; obs_stack_time.wait is a number there), instead of
 * what has been written before. Returns 0 or -errno. */
int stack_result_write(const struct stack_result *result, const struct observation *part,
		       const struct key_set *waits);

/*
 * Adds what was written to @obs, whose waits are complete: frames, calls, stack_times and
 * stack_quality. @find_wait tells the index in obs->waits of an object, or -1: its times are
 * dropped. What was written is trusted no more than a recording. Returns 0 or -errno.
 */
int stack_result_read(const struct stack_result *result, struct observation *obs,
		      long (*find_wait)(void *context, const struct wire_wait_key *key),
		      void *context);

#endif
