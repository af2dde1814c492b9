/*
 * Gathers obs_segment while a tree is observed, from readings of its threads' totals: as many as
 * there is room for, however long it runs and however many threads it has.
 *
 * When there is no more room, neighbours are merged that are shorter than a least length, which
 * grows: first where nothing outside was waited for, so that single operations stay apart longest.
 * Of very many threads only those that computed most keep segments; the others' totals tell them.
 */
#ifndef CLASSIFY_SEGMENT_LOG_H
#define CLASSIFY_SEGMENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "observation/observation.h"

#define SEGMENT_LOG_ROWS    2048 /* while it gathers */
#define SEGMENT_LOG_THREADS 384	 /* that have segments */
#define SEGMENT_LOG_SLOTS   1024 /* of the table that finds these: a power of two */
#define SEGMENT_KEPT_MAX    1024 /* in the end */
#define SEGMENT_THREADS_ALL 512	 /* of so many threads each has one at least */
#define SEGMENT_LEAST_NS    1000000ull

/* The parts of a thread's time: waits by reason, then these. */
enum { PART_ON_CPU = WAIT_REASON_CNT, PART_QUEUE, PART_CNT };

/* Which thread it is: whatever its observer tells threads apart by. */
struct segment_key {
	uint64_t a, b;
};

/* What a thread had done at an instant: all parts sum to its life until then. */
struct segment_reading {
	uint64_t start_ns; /* of its life */
	uint64_t at_ns;
	uint64_t part_ns[PART_CNT];
	uint64_t wait_cnt[WAIT_REASON_CNT];
};

struct segment_row {
	uint32_t thread; /* in segment_log.threads */
	uint64_t start_ns, end_ns;
	uint64_t part_ns[PART_CNT];
	uint64_t wait_cnt[WAIT_REASON_CNT];
};

/* A thread that has segments, and what they sum to. */
struct segment_thread {
	struct segment_key key;
	struct segment_reading told; /* at_ns: the end of the last one */
	size_t last;		     /* its last row */
	size_t row_cnt;
};

/* All zero but for what segment_log_init() sets. */
struct segment_log {
	struct segment_row rows[SEGMENT_LOG_ROWS];
	size_t row_cnt;
	struct segment_thread threads[SEGMENT_LOG_THREADS];
	size_t thread_cnt;
	uint16_t slots[SEGMENT_LOG_SLOTS]; /* numbers of threads, from 1 on; 0: free */
	/* Shorter ones are merged with what follows: those in which results were waited for, and
	 * others. */
	uint64_t result_least_ns, other_least_ns;
	uint64_t on_cpu_least_ns; /* threads that computed less have no segments */
};

/* @log is all zero. */
void segment_log_init(struct segment_log *log);

/* A thread's totals have grown to these: a segment ends here. Readings of a thread come in order
 * of time; any may be left out, and those that don't add up are. */
void segment_log_add(struct segment_log *log, struct segment_key key,
		     const struct segment_reading *reading);

/* How long after the last reading of a thread the next one is of use, at the soonest. */
uint64_t segment_log_least_ns(const struct segment_log *log);

/* The key that the log knows @thread of @obs by. */
typedef struct segment_key segment_key_of(const struct observation *obs,
					  const struct obs_thread *thread, const void *context);

/*
 * Makes obs->segments, of which there are none yet, when obs->threads have their last totals and
 * order. Instants of the readings count from @begin_ns. The log may go on. Returns 0 or -ENOMEM.
 */
int segment_log_sum(const struct segment_log *log, struct observation *obs, uint64_t begin_ns,
		    segment_key_of *key_of, const void *context);

#endif
