/* Stacks, from the session's side: the worker that makes them, and what it brings in the end.
 * Internal to this directory. */
#ifndef CLASSIFY_STACKS_H
#define CLASSIFY_STACKS_H

#include <stdint.h>

struct ebpf_observer;

/* Starts the worker once the probes are open. Returns 0: without it there are no stacks, and what
 * is missing says so; or -ENOMEM. */
int stacks_begin(struct ebpf_observer *self);

/* Looks after the worker. */
void stacks_look(struct ebpf_observer *self);

/* The observation has ended: the worker may name what it has meanwhile. */
void stacks_conclude(struct ebpf_observer *self, uint64_t until_ns);

/* Adds the stacks to the observation, which is complete but for them. Returns 0 or -ENOMEM. */
int stacks_collect(struct ebpf_observer *self);

void stacks_end(struct ebpf_observer *self);

#endif
