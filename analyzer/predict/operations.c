/* See operations.h. */
#include "predict/operations.h"

#include <stdlib.h>
#include "arena.h"

/* So many operations that took so long. */
struct weighted {
	double length_ns;
	double cnt;
};

static int by_length(const void *a, const void *b)
{
	const struct weighted *left = a, *right = b;

	return (left->length_ns > right->length_ns) - (left->length_ns < right->length_ns);
}

/* The length that @part of the @total operations in @sorted stay below. */
static double quantile(const struct weighted *sorted, size_t cnt, double total, double part)
{
	double seen = 0;

	for (size_t i = 0; i < cnt; i++) {
		seen += sorted[i].cnt;
		if (seen >= part * total)
			return sorted[i].length_ns;
	}
	return cnt ? sorted[cnt - 1].length_ns : 0;
}

static double waited_ns(const struct stretch *stretch)
{
	return stretch_own_ns(stretch) - stretch->computed_ns;
}

static double computed_ns(const struct stretch *stretch)
{
	return stretch->computed_ns;
}

static struct report_spread spread_of(const struct workload *workload,
				      double (*length_ns)(const struct stretch *stretch),
				      struct weighted *room)
{
	size_t cnt = workload->stretch_cnt;

	for (size_t i = 0; i < cnt; i++)
		room[i] = (struct weighted){ length_ns(&workload->stretches[i]) /
						     workload->stretches[i].cnt,
					     workload->stretches[i].cnt };
	qsort(room, cnt, sizeof(*room), by_length);
	return (struct report_spread){
		.mean_ns = length_ns(&workload->sum) / workload->operation_cnt,
		.median_ns = quantile(room, cnt, workload->operation_cnt, 0.50),
		.p95_ns = quantile(room, cnt, workload->operation_cnt, 0.95),
	};
}

void operations_describe(const struct workload *workload, struct arena *scratch,
			 struct report_operations *operations)
{
	struct weighted *room = arena_array(scratch, workload->stretch_cnt, sizeof(*room));
	const struct stretch *sum = &workload->sum;
	double cnt = workload->operation_cnt;

	if (!room)
		return;
	*operations = (struct report_operations){
		.cnt = cnt,
		.computed = spread_of(workload, computed_ns, room),
		.waited = spread_of(workload, waited_ns, room),
		.computed_locked_ns = sum->gil_part * sum->computed_ns / cnt,
		.far_end_ns = sum->delay_ns / cnt,
		.neighbour_ns = sum->neighbour_ns / cnt,
		.disk_ns = sum->disk_ns / cnt,
		.lock_part = workload->lock_part,
		.start_ns = workload->start_ns,
	};
}
