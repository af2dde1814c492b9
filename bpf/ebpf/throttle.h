/* Time that a cgroup's CPU quota held its threads back, from cpu.stat. */
#ifndef CLASSIFY_THROTTLE_H
#define CLASSIFY_THROTTLE_H

#include <stdint.h>
#include <sys/types.h>

struct observation;

/* Returns the nanoseconds that the CPU cgroup of @pid has been throttled so far, over all its CPUs;
 * 0 when there is no quota or it can't be read. */
uint64_t throttle_read_ns(pid_t pid);

/*
 * Books @throttled_ns of the tree as throttled. The scheduler shows a throttled thread as
 * preempted, so it is taken from there, in proportion: which thread it was isn't known.
 */
void throttle_book(struct observation *obs, uint64_t throttled_ns);

#endif
