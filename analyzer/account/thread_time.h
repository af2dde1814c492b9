/*
 * Thread time: where all threads of the tree together spent their lives. Exact: on-CPU, run
 * queue, throttled, stopped and the waits sum to wall_ns, and the objects of a wait to the wait.
 */
#ifndef CLASSIFY_THREAD_TIME_H
#define CLASSIFY_THREAD_TIME_H

#include "observation/observation.h"
#include "report.h"

struct arena;
struct wait_roles;

/* Fills @time with arrays and strings from @arena (out of memory is sticky there; @scratch for what
 * is needed meanwhile). Time of a thread's life that its observer could not account for counts as
 * the reason "other". */
void account_thread_time(const struct observation *obs, const struct wait_roles *roles,
			 struct arena *arena, struct arena *scratch,
			 struct report_thread_time *time);

/* The length of @thread's life; no less than what its states sum to. */
uint64_t thread_wall_ns(const struct obs_thread *thread);

/* Fills @waits (at least WAIT_REASON_CNT long) with the reasons of @wait_ns that are not zero and
 * not "stopped", largest first, with shares of @wall_ns. Returns how many. */
size_t waits_by_size(const uint64_t wait_ns[WAIT_REASON_CNT],
		     const uint64_t wait_cnt[WAIT_REASON_CNT], uint64_t wall_ns,
		     struct report_wait *waits);

/* part / whole, 0 when there is no whole. */
double share_of(uint64_t part, uint64_t whole);

/* part * numerator / denominator without overflow; 0 when the denominator is 0. */
uint64_t scale_ns(uint64_t part_ns, uint64_t numerator, uint64_t denominator);

#endif
