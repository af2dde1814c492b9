/* Asks the probes now and then how far the tree's connections are. */
#ifndef CLASSIFY_FLIGHT_WATCH_H
#define CLASSIFY_FLIGHT_WATCH_H

#include <stdint.h>

struct ebpf_observer;

/* Begins at @now_ns. Where the kernel can't tell of connections, that is noted as a missing probe.
 * Returns 0 or -ENOMEM. */
int flight_watch_begin(struct ebpf_observer *self, uint64_t now_ns);

/* Takes a sample when one is due. Returns 0 or -ENOMEM. */
int flight_watch_look(struct ebpf_observer *self, uint64_t now_ns);

/* Fills obs.flight; where connections found no room, it stays empty and that is noted as a missing
 * probe. Returns 0 or -ENOMEM. */
int flight_watch_sum(struct ebpf_observer *self);

void flight_watch_release(struct ebpf_observer *self);

#endif
