/*
 * The time of one thread, from readings of its cumulative counters: on a CPU, in the run queue, and
 * the rest, which is waiting. Pure: no /proc here.
 *
 * The counters lag. The kernel adds on-CPU time at its ticks, and run-queue time when the thread
 * gets its CPU. So the rest of an interval is a wait only if the thread sleeps at its end; while it
 * is runnable the rest stays open until a later reading tells.
 */
#ifndef CLASSIFY_THREAD_CLOCK_H
#define CLASSIFY_THREAD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Counters since the birth of the thread, as /proc/PID/task/TID/schedstat has them. */
struct thread_reading {
	uint64_t now_ns;
	uint64_t on_cpu_ns;
	uint64_t run_queue_ns;
	uint64_t run_cnt; /* times it got a CPU */
	bool is_runnable;
};

struct thread_clock {
	uint64_t now_ns;	 /* of the last reading */
	uint64_t on_cpu_base_ns; /* what is not of this observation */
	uint64_t run_queue_base_ns;
	uint64_t on_cpu_ns; /* booked so far */
	uint64_t run_queue_ns;
	uint64_t run_cnt;
	uint64_t open_ns; /* passed and not yet booked */
};

/* What a reading allows to book. Over a thread's life all shares and what is open sum to its wall
 * time. */
struct thread_share {
	uint64_t on_cpu_ns;
	uint64_t run_queue_ns;
	uint64_t old_wait_ns; /* waits before the one that @is_runnable ended: of unknown reason */
	uint64_t wait_ns;     /* up to this reading: the reason is the one seen now */
	bool has_run;	      /* got a CPU since the last reading */
};

/* Begins at instant @start_ns; the counters so far are @base's, or 0 for a thread born then. */
void thread_clock_init(struct thread_clock *clock, uint64_t start_ns,
		       const struct thread_reading *base);

void thread_clock_advance(struct thread_clock *clock, const struct thread_reading *reading,
			  struct thread_share *share);

#endif
