/* Gathers obs_slice while a tree is observed, from readings of program time: few, however long it
 * runs, and of about the same length. */
#ifndef CLASSIFY_SLICE_LOG_H
#define CLASSIFY_SLICE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct observation;

#define SLICE_LOG_ROWS 256

enum { SLICE_COMPUTING, SLICE_STARVED, SLICE_QUIET, SLICE_PART_CNT };

struct slice_row {
	uint64_t start_ns, end_ns;
	uint64_t part_ns[SLICE_PART_CNT];
};

/* All zero: empty. Instants count from the beginning of the observation. */
struct slice_log {
	struct slice_row rows[SLICE_LOG_ROWS + 1]; /* and the last one, at the end */
	size_t cnt;
	uint64_t told_ns[SLICE_PART_CNT]; /* what the rows sum to */
	uint64_t least_ns;
};

/* At @at_ns the parts, which sum to that, had grown to @part_ns. Readings that don't add up, or
 * come out of order, are left out: the next one tells. */
void slice_log_add(struct slice_log *log, uint64_t at_ns, const uint64_t *part_ns);

/* Makes obs->slices, of which there are none yet, when obs->program and the duration are what they
 * will be. The log may go on. Returns 0 or -ENOMEM. */
int slice_log_sum(const struct slice_log *log, struct observation *obs);

#endif
