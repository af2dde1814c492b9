/* Sorted ranges and a binary search; see range_map.h. */
#include "symbols/range_map.h"
#include <stdlib.h>

#define RANGES_MAX (32u << 20)
/* Ranges nest a little (an entry point inside a function). Looking back further than this serves
 * only files that were made to slow us down. */
#define LOOK_BACK_MAX 256

bool range_map_add(struct range_map *map, uint64_t start, uint64_t end, uint32_t value)
{
	if (start >= end)
		return true;
	if (map->cnt == map->room_cnt) {
		size_t room_cnt = map->room_cnt ? 2 * map->room_cnt : 64;
		struct range *ranges = NULL;

		if (map->cnt < RANGES_MAX)
			ranges = realloc(map->ranges, room_cnt * sizeof(*ranges));
		if (!ranges)
			return false;
		map->ranges = ranges;
		map->room_cnt = room_cnt;
	}
	map->ranges[map->cnt++] = (struct range){ .start = start, .end = end, .value = value };
	map->is_sorted = false;
	return true;
}

static int by_place(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

static void sort(struct range_map *map)
{
	uint64_t max_end = 0;

	if (map->cnt)
		qsort(map->ranges, map->cnt, sizeof(*map->ranges), by_place);
	for (size_t i = 0; i < map->cnt; i++) {
		if (map->ranges[i].end > max_end)
			max_end = map->ranges[i].end;
		map->ranges[i].max_end = max_end;
	}
	map->is_sorted = true;
}

const struct range *range_map_find(struct range_map *map, uint64_t address)
{
	size_t low = 0, high;

	if (!map->is_sorted)
		sort(map);
	for (high = map->cnt; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (map->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < LOOK_BACK_MAX; i--) {
		if (map->ranges[i - 1].end > address)
			return &map->ranges[i - 1];
		if (map->ranges[i - 1].max_end <= address)
			return NULL;
	}
	return NULL;
}

void range_map_release(struct range_map *map)
{
	free(map->ranges);
	*map = (struct range_map){ 0 };
}
