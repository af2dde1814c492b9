/* Splits the tree's time; see program_clock.h. */
#include "program_clock.h"

static uint64_t take(uint64_t *from_ns, uint64_t wanted_ns)
{
	uint64_t taken_ns = wanted_ns < *from_ns ? wanted_ns : *from_ns;

	*from_ns -= taken_ns;
	return taken_ns;
}

uint64_t program_clock_advance(struct program_clock *clock, const struct program_interval *interval)
{
	uint64_t on_cpu_ns = clock->early_ns + interval->on_cpu_ns;
	uint64_t computing_ns, unseen_ns, quiet_ns;

	clock->open_ns += interval->elapsed_ns;
	computing_ns = take(&clock->open_ns, on_cpu_ns);
	clock->computing_ns += computing_ns;
	/* More than the interval holds was at the same time, or it is of the next interval. */
	on_cpu_ns -= computing_ns;
	clock->early_ns = on_cpu_ns < interval->late_ns ? on_cpu_ns : interval->late_ns;
	/* What a dead child used is known when its parent has waited for it, in clock ticks: it
	 * comes late and in lumps, so what doesn't fit waits for the next interval. */
	clock->unseen_ns += interval->unseen_ns;
	unseen_ns = take(&clock->open_ns, clock->unseen_ns);
	clock->unseen_ns -= unseen_ns;
	clock->computing_ns += unseen_ns;
	clock->starved_ns += take(&clock->open_ns, interval->run_queue_ns);

	quiet_ns = clock->open_ns > interval->open_ns ? clock->open_ns - interval->open_ns : 0;
	clock->open_ns -= quiet_ns;
	clock->quiet_ns += quiet_ns;
	return quiet_ns;
}
