/* See slice_log.h. */
#include "observation/slice_log.h"

#include <errno.h>

#include "observation/observation.h"
#include "observation/parts.h"

static void absorb(struct slice_row *row, const struct slice_row *next)
{
	row->end_ns = next->end_ns;
	for (int i = 0; i < SLICE_PART_CNT; i++)
		row->part_ns[i] += next->part_ns[i];
}

/* Puts @row behind the first @cnt, or into the last of them while that one is short. */
static size_t append(struct slice_log *log, size_t cnt, const struct slice_row *row)
{
	struct slice_row *last = cnt ? &log->rows[cnt - 1] : NULL;

	if (last && last->end_ns - last->start_ns < log->least_ns) {
		absorb(last, row);
		return cnt;
	}
	log->rows[cnt] = *row;
	return cnt + 1;
}

/* Merges neighbours until a quarter of the room is free. */
static void make_room(struct slice_log *log)
{
	while (log->cnt > SLICE_LOG_ROWS * 3 / 4) {
		size_t cnt = log->cnt;

		log->least_ns = log->least_ns ? 2 * log->least_ns
					      : log->rows[cnt - 1].end_ns / SLICE_LOG_ROWS + 1;
		log->cnt = 0;
		for (size_t i = 0; i < cnt; i++) {
			const struct slice_row row = log->rows[i];

			log->cnt = append(log, log->cnt, &row);
		}
	}
}

static uint64_t told_until_ns(const struct slice_log *log)
{
	return log->cnt ? log->rows[log->cnt - 1].end_ns : 0;
}

void slice_log_add(struct slice_log *log, uint64_t at_ns, const uint64_t *part_ns)
{
	struct slice_row row = { .start_ns = told_until_ns(log), .end_ns = at_ns };

	if (at_ns <= row.start_ns ||
	    !parts_step(log->told_ns, part_ns, SLICE_PART_CNT, at_ns - row.start_ns, row.part_ns))
		return;
	if (log->cnt == SLICE_LOG_ROWS)
		make_room(log);
	log->cnt = append(log, log->cnt, &row);
}

int slice_log_sum(const struct slice_log *log, struct observation *obs)
{
	const uint64_t totals[SLICE_PART_CNT] = {
		[SLICE_COMPUTING] = obs->program.computing_ns,
		[SLICE_STARVED] = obs->program.starved_ns,
		[SLICE_QUIET] = obs->program.quiet_ns,
	};
	struct slice_log all = *log;
	struct part_rows rows = { all.rows[0].part_ns, sizeof(all.rows[0]), 0, SLICE_PART_CNT };

	/* A tree that is gone has no time after that. */
	while (all.cnt && told_until_ns(&all) > obs->duration_ns)
		all.cnt--;
	all.rows[all.cnt] =
		(struct slice_row){ .start_ns = told_until_ns(&all), .end_ns = obs->duration_ns };
	rows.row_cnt = all.cnt + 1;
	if (!parts_complete(&rows, totals))
		return 0;
	for (size_t i = 0; i <= all.cnt; i++) {
		const struct slice_row *row = &all.rows[i];
		struct obs_slice *slice;

		if (row->end_ns == row->start_ns)
			continue;
		slice = observation_add_slice(obs);
		if (!slice)
			return -ENOMEM;
		slice->start_ns = row->start_ns;
		slice->end_ns = row->end_ns;
		slice->computing_ns = row->part_ns[SLICE_COMPUTING];
		slice->starved_ns = row->part_ns[SLICE_STARVED];
	}
	return 0;
}
