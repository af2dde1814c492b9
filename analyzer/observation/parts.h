/*
 * Splitting a length into parts that sum to it, over and over: from readings of totals that only
 * grow to what lies between them, and so that all of it sums to the last totals exactly.
 *
 * Totals may be put right later, by moving a little (or what was a guess) from one part to another:
 * a difference may come out below zero, and the last totals may not be what the differences sum to.
 */
#ifndef CLASSIFY_PARTS_H
#define CLASSIFY_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows of @part_cnt parts each, one every @row_bytes from @first on. */
struct part_rows {
	void *first;
	size_t row_bytes;
	size_t row_cnt;
	size_t part_cnt;
};

/*
 * What has come since @cut, to @reading; @cut becomes the sum of what was given out. The parts of
 * @step sum to @length; what is below zero is made up by the largest. Returns false, and does
 * nothing, when the readings don't differ by @length.
 */
bool parts_step(uint64_t *cut, const uint64_t *reading, size_t part_cnt, uint64_t length,
		uint64_t *step);

/*
 * Fills the last row, which is all zero, with what the others lack of @totals; and moves between
 * the parts of each row, from the first on, until all rows sum to @totals. The sum of each other
 * row stays. Returns false, and does nothing, when the others sum to more than @totals do.
 */
bool parts_complete(const struct part_rows *rows, const uint64_t *totals);

#endif
