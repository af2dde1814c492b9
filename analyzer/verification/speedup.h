/*
 * How much runs vary, and what that leaves open of a speedup between two programs.
 *
 * The interval of the speedup is that of Hodges and Lehmann: of all ratios between a run of the one
 * and a run of the other, those that the rank sum test (Mann, Whitney) does not rule out. It
 * assumes nothing about how times are distributed, and one odd run does not carry it off.
 */
#ifndef CLASSIFY_SPEEDUP_H
#define CLASSIFY_SPEEDUP_H

#include <stddef.h>
#include <stdint.h>

enum { VERIFIED_RUN_MAX = 100 };

struct run_spread {
	uint64_t median_ns; /* of an even number of runs, the mean of the middle two */
	uint64_t min_ns, max_ns;
	size_t cnt;
};

struct speedup {
	double measured; /* the ratio of the medians; above 1 the second is faster */
	double low, high;
	double confidence; /* that it lies between them, 0..1; 0: too few runs to tell */
};

/* Of @cnt (1..VERIFIED_RUN_MAX) times. */
struct run_spread run_spread_of(const uint64_t *wall_ns, size_t cnt);

/*
 * Of @before (@before_cnt times, each above 0) against @after. One run or two of either say too
 * little about how they vary: then at least SPREAD_ASSUMED is left open on both sides.
 */
struct speedup speedup_between(const uint64_t *before_ns, size_t before_cnt,
			       const uint64_t *after_ns, size_t after_cnt);

/* By which the same program's runs differ easily on a machine that does little else. */
#define SPREAD_ASSUMED 0.05

#endif
