/* Takes in what threads did from time to time, and what the tree did, into bounded logs. */
#ifndef CLASSIFY_SEGMENTS_H
#define CLASSIFY_SEGMENTS_H

#include <stdint.h>

struct ebpf_observer;
struct wire_event_segment;

/* What the probes tell of one thread. */
void segments_take(struct ebpf_observer *self, const struct wire_event_segment *told);

/* After the ring has been drained, at @now_ns on the wire's clock: reads program time, and tells
 * the probes how often a thread is to be told of. */
void segments_look(struct ebpf_observer *self, uint64_t now_ns);

/* Makes the observation's segments and slices when all else in it is final. Returns 0 or -ENOMEM.
 */
int segments_sum(struct ebpf_observer *self);

#endif
