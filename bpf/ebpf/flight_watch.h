/* Asks the probes now and then how far the tree's connections are. */
#ifndef CLASSIFY_FLIGHT_WATCH_H
#define CLASSIFY_FLIGHT_WATCH_H

#include <stdint.h>

struct ebpf_observer;

/* Begins at @now_ns, when the tree has been adopted and its listening ports are known. Where the
 * kernel can't tell of connections, that is noted as a missing probe. Returns 0 or -errno. */
int flight_watch_begin(struct ebpf_observer *self, uint64_t now_ns);

/* Finds the connections that the tree has, which may have grown by processes that were there before
 * it. Returns 0 or -errno. */
int flight_watch_seed(struct ebpf_observer *self);

/* Takes a sample when one is due. Returns 0 or -ENOMEM. */
int flight_watch_look(struct ebpf_observer *self, uint64_t now_ns);

/* Fills obs.flight. */
void flight_watch_finish(struct ebpf_observer *self);

void flight_watch_release(struct ebpf_observer *self);

#endif
