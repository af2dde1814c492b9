/* Finds the range that an address is in, among many that should not overlap but may. */
#ifndef CLASSIFY_RANGE_MAP_H
#define CLASSIFY_RANGE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t start, end; /* end is the first address after it */
	uint64_t max_end;    /* the highest end of this one and all before it */
	uint32_t value;	     /* what the range stands for */
};

/* Zeroed at first. */
struct range_map {
	struct range *ranges;
	size_t cnt, room_cnt;
	bool is_sorted;
};

/* False when out of memory or when there are too many. */
bool range_map_add(struct range_map *map, uint64_t start, uint64_t end, uint32_t value);

/* Of the ranges around @address the one that begins last, and ends first among those that begin
 * together; NULL if there is none. The first search after an addition sorts them all. */
const struct range *range_map_find(struct range_map *map, uint64_t address);

void range_map_release(struct range_map *map);

#endif
