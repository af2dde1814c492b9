/* Program time at the end of an observation, and whom quiet is charged to that no wakeup was.
 * Internal to this directory. */
#ifndef CLASSIFY_FINISH_QUIET_H
#define CLASSIFY_FINISH_QUIET_H

#include <stdbool.h>
#include <stdint.h>
#include "wire.h"

struct ebpf_observer;

/* What the probes have added up of program time, and of the pool (tick.bpf.h). */
struct quiet_sums {
	uint64_t program_ns[WIRE_PROGRAM_STATE_CNT];
	uint64_t quiet_since_ns;
	uint64_t ticked_ns;
	uint64_t claimed_ns;
	uint64_t ticks_before_work_ns;
};

/* Reads them. Returns false if the probes were in the middle of adding to program time. */
bool quiet_read(const struct ebpf_observer *self, struct quiet_sums *sums);

/* Program time by enum wire_program_state until @until_ns of the wire. Returns the state that goes
 * on then. */
int quiet_total(const struct quiet_sums *sums, uint64_t until_ns, uint64_t *total_ns);

/* Fills the observation's program time, which ends at instant @until_ns of the wire. */
void quiet_collect(struct ebpf_observer *self, const struct quiet_sums *sums, uint64_t until_ns);

/* How much the open wait of @wire tells of what the tree as a whole waits for; -1: it has none. */
int quiet_rank(const struct wire_thread *wire);

/* Charges the stretch that is still open to the open wait of @telling, the most telling thread.
 * What it claims of the pool is taken from @sums. Returns 0 or -ENOMEM. */
int quiet_charge_open(struct ebpf_observer *self, const struct wire_thread *telling,
		      struct quiet_sums *sums);

/* What is left in the pool goes back to the rows that put it there. */
void quiet_return_pool(struct ebpf_observer *self, const struct quiet_sums *sums);

#endif
