/* See far_end_slots.h. Little's law: at once in service = in flight * service / wait. */
#include "predict/far_end_slots.h"

#include <math.h>
#include "predict/limits.h"

struct waits {
	double first_ns;	     /* the shortest of the workers' first ones */
	double cnt, sum_ns, squares; /* of the later ones */
};

static struct waits look_at(const struct workload *workload, uint32_t workers)
{
	struct waits waits = { .first_ns = INFINITY };
	uint32_t seen = 0;

	for (size_t i = 0; i < workload->stretch_cnt; i++) {
		const struct stretch *stretch = &workload->stretches[i];

		/* Several in one tell of none. */
		if (stretch->cnt > 1 || stretch->delay_ns <= 0)
			continue;
		if (seen++ < workers) {
			waits.first_ns = fmin(waits.first_ns, stretch->delay_ns);
			continue;
		}
		waits.cnt++;
		waits.sum_ns += stretch->delay_ns;
		waits.squares += stretch->delay_ns * stretch->delay_ns;
	}
	return waits;
}

void far_end_slots_find(struct workload *workload, const struct model *model, uint64_t busy_ns)
{
	struct waits waits;
	double mean_ns, variation, in_flight;

	workload->far_end_part = 1;
	if (model->workers < QUEUEING_WORKERS || !busy_ns)
		return;
	waits = look_at(workload, model->workers);
	if (waits.cnt < QUEUEING_WAITS * model->workers)
		return;
	mean_ns = waits.sum_ns / waits.cnt;
	variation = sqrt(fmax(waits.squares / waits.cnt / (mean_ns * mean_ns) - 1, 0));
	if (variation >= QUEUEING_VARIATION || waits.first_ns >= QUEUEING_PART * mean_ns)
		return;
	in_flight = workload->sum.delay_ns / (double)busy_ns;
	workload->far_end_part = waits.first_ns / mean_ns;
	workload->far_end_slots = (uint32_t)fmax(round(in_flight * workload->far_end_part), 1);
}
