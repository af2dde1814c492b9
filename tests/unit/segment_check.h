/* What holds for the segments and slices of every observation. */
#ifndef CLASSIFY_SEGMENT_CHECK_H
#define CLASSIFY_SEGMENT_CHECK_H

#include <stddef.h>

struct observation;

/* They tile the life of each thread that has any, and sum to its totals. Returns how many have. */
size_t segment_check(const struct observation *obs);

/* Also that each thread has some, where there are few enough. */
void segment_check_all(const struct observation *obs);

/* They tile the observation, and sum to its program time. */
void slice_check(const struct observation *obs);

#endif
