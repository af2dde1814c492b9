/* See parts.h. */
#include "observation/parts.h"

#define PARTS_MAX 32

bool parts_step(uint64_t *cut, const uint64_t *reading, size_t part_cnt, uint64_t length,
		uint64_t *step)
{
	uint64_t sum = 0, owed = 0;

	for (size_t i = 0; i < part_cnt; i++)
		sum += reading[i] - cut[i];
	if (sum != length)
		return false;
	for (size_t i = 0; i < part_cnt; i++) {
		step[i] = reading[i] - cut[i];
		if ((int64_t)step[i] < 0) {
			owed -= step[i];
			step[i] = 0;
		}
	}
	while (owed) {
		size_t largest = 0;
		uint64_t taken;

		for (size_t i = 1; i < part_cnt; i++)
			if (step[i] > step[largest])
				largest = i;
		taken = owed < step[largest] ? owed : step[largest];
		step[largest] -= taken;
		owed -= taken;
	}
	for (size_t i = 0; i < part_cnt; i++)
		cut[i] += step[i];
	return true;
}

static uint64_t *row_at(const struct part_rows *rows, size_t index)
{
	return (uint64_t *)((char *)rows->first + index * rows->row_bytes);
}

/* Moves within @row what is too much in one part and missing in another. */
static void level_row(uint64_t *row, int64_t *missing, size_t part_cnt)
{
	for (size_t from = 0; from < part_cnt; from++) {
		for (size_t to = 0; to < part_cnt && missing[from] < 0; to++) {
			uint64_t moved = row[from];

			if (missing[to] <= 0)
				continue;
			if (moved > (uint64_t)-missing[from])
				moved = (uint64_t)-missing[from];
			if (moved > (uint64_t)missing[to])
				moved = (uint64_t)missing[to];
			row[from] -= moved;
			row[to] += moved;
			missing[from] += (int64_t)moved;
			missing[to] -= (int64_t)moved;
		}
	}
}

bool parts_complete(const struct part_rows *rows, const uint64_t *totals)
{
	int64_t missing[PARTS_MAX], room = 0;
	uint64_t *last = row_at(rows, rows->row_cnt - 1);

	for (size_t part = 0; part < rows->part_cnt; part++) {
		missing[part] = (int64_t)totals[part];
		for (size_t i = 0; i + 1 < rows->row_cnt; i++)
			missing[part] -= (int64_t)row_at(rows, i)[part];
		room += missing[part];
	}
	if (room < 0)
		return false;
	for (size_t part = 0; part < rows->part_cnt; part++) {
		int64_t given = missing[part] < room ? missing[part] : room;

		if (given <= 0)
			continue;
		last[part] = (uint64_t)given;
		missing[part] -= given;
		room -= given;
	}
	for (size_t i = 0; i < rows->row_cnt; i++)
		level_row(row_at(rows, i), missing, rows->part_cnt);
	return true;
}
