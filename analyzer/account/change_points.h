/*
 * Finds where a series changes its level: an exact search for the cuts that leave the least spread
 * around the means of the pieces, each cut paying a penalty.
 *
 * Optimal partitioning: Jackson et al., "An algorithm for optimal partitioning of data on an
 * interval", IEEE Signal Processing Letters 12 (2005); a penalty per cut as in Killick, Fearnhead
 * and Eckley, "Optimal detection of changepoints with a linear computational cost", JASA 107
 * (2012). The few hundred points that we have need no pruning.
 */
#ifndef CLASSIFY_CHANGE_POINTS_H
#define CLASSIFY_CHANGE_POINTS_H

#include <stddef.h>

struct arena;

/* Points one after the other, each of @width numbers that count alike (shares: 0..1). */
struct series {
	const double *values;
	size_t cnt;
	size_t width;
};

/*
 * Fills @ends with where pieces end (one past their last point), in order, the last being
 * series->cnt; there must be room for @pieces_max (at least 1). A piece of @shortest points must
 * differ clearly to be cut out; one of half as many is, if it differs so much that it would blur
 * its neighbours, and none is shorter. Returns how many there are; 1 where there is nothing to cut,
 * 0 without any points or memory. Uses @scratch meanwhile.
 */
size_t change_points(const struct series *series, size_t shortest, size_t pieces_max, size_t *ends,
		     struct arena *scratch);

#endif
