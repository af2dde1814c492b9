/* Program time at the end of an observation, and whom quiet is charged to that no wakeup was.
 * Internal to this directory. */
#ifndef CLASSIFY_FINISH_QUIET_H
#define CLASSIFY_FINISH_QUIET_H

#include <stdint.h>

struct ebpf_observer;
struct wire_thread;

/* Fills the observation's program time, which ends at instant @until_ns of the wire. */
void quiet_collect(struct ebpf_observer *self, uint64_t until_ns);

/* How much the open wait of @wire tells of what the tree as a whole waits for; -1: it has none. */
int quiet_rank(const struct wire_thread *wire);

/* Charges the stretch that is still open to the open wait of @telling, the most telling thread.
 * Returns 0 or -ENOMEM. */
int quiet_charge_open(struct ebpf_observer *self, const struct wire_thread *telling);

/* What is left in the pool (tick.bpf.h) goes back to the rows that put it there. */
void quiet_return_pool(struct ebpf_observer *self);

#endif
