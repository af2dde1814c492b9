/*
 * Program time from samples: how much of each interval the tree computed, starved or was quiet.
 * Pure: no /proc here.
 *
 * Sampling knows how long each thread was on a CPU in an interval, but not when: what two threads
 * did at the same time can't be told from what they did in turns. Computing is taken as the sum
 * over the threads, at most the interval: exact for one thread and for threads that take turns
 * (a GIL), an upper bound for others.
 */
#ifndef CLASSIFY_PROGRAM_CLOCK_H
#define CLASSIFY_PROGRAM_CLOCK_H

#include <stdint.h>

struct program_clock {
	uint64_t computing_ns;
	uint64_t starved_ns;
	uint64_t quiet_ns;
	uint64_t open_ns;   /* passed and not yet booked: a thread has open time of its own */
	uint64_t early_ns;  /* computed after the last interval, read with it; not booked */
	uint64_t unseen_ns; /* computed by children that lived between two samples; not booked */
};

struct program_interval {
	uint64_t elapsed_ns;
	uint64_t on_cpu_ns;    /* of all threads together */
	uint64_t late_ns;      /* how long after the end of the interval that was read, at most */
	uint64_t unseen_ns;    /* newly known of children that were never seen */
	uint64_t run_queue_ns; /* the longest of one thread */
	uint64_t open_ns;      /* the longest that one thread has open */
};

/* Books an interval; returns how much of it, and of what was open, is quiet now. */
uint64_t program_clock_advance(struct program_clock *clock,
			       const struct program_interval *interval);

#endif
