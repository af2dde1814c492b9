/* Charges the tree's quiet time to reasons, and takes idle time out of it. */
#include "arena.h"
#include "process_index.h"
#include "program_time.h"
#include "thread_time.h"
#include "ticker.h"
#include "wait_role.h"

/* Returns a copy of the rows' quiet time whose sum is no more than the tree's. */
static uint64_t *quiet_of_rows(const struct observation *obs, struct arena *scratch)
{
	uint64_t *quiet_ns = arena_array(scratch, obs->wait_cnt, sizeof(*quiet_ns));
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < obs->wait_cnt; i++)
		sum_ns += obs->waits[i].quiet_ns;
	for (size_t i = 0; quiet_ns && i < obs->wait_cnt; i++) {
		quiet_ns[i] = obs->waits[i].quiet_ns;
		if (sum_ns > obs->program.quiet_ns)
			quiet_ns[i] = scale_ns(quiet_ns[i], obs->program.quiet_ns, sum_ns);
	}
	return quiet_ns;
}

static void charge(const struct observation *obs, const struct process_index *index,
		   const uint64_t *quiet_ns, uint64_t *idle_ns, uint64_t by_reason[WAIT_REASON_CNT])
{
	uint64_t rest_ns = obs->program.quiet_ns;

	for (size_t i = 0; quiet_ns && i < obs->wait_cnt; i++) {
		const struct obs_wait *row = &obs->waits[i];

		rest_ns -= quiet_ns[i];
		switch (quiet_role(obs, row, process_index_get(index, row->pid))) {
		case WAITS_FOR_WORK:
			*idle_ns += quiet_ns[i];
			break;
		case WAITS_FOR_TIME:
			by_reason[WAIT_TIMER] += quiet_ns[i];
			break;
		default:
			by_reason[row->reason] += quiet_ns[i];
			break;
		}
	}
	by_reason[WAIT_OTHER] += rest_ns;
}

static double parallelism(const struct observation *obs)
{
	uint64_t on_cpu_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		on_cpu_ns += obs->threads[i].on_cpu_ns;
	return share_of(on_cpu_ns, obs->program.computing_ns);
}

void account_program_time(const struct observation *obs, const struct process_index *index,
			  struct arena *arena, struct arena *scratch,
			  struct report_program_time *time)
{
	uint64_t by_reason[WAIT_REASON_CNT] = { 0 };
	uint64_t *quiet_ns = quiet_of_rows(obs, scratch);

	time->computing_ns = obs->program.computing_ns;
	time->starved_ns = obs->program.starved_ns;
	time->quiet_ns = obs->program.quiet_ns;
	time->wall_ns = time->computing_ns + time->starved_ns + time->quiet_ns;
	time->parallelism = parallelism(obs);
	if (quiet_ns && obs->source == SOURCE_PROCFS) /* the probes do it exactly */
		ticker_hand_over(obs, index, scratch, quiet_ns);
	charge(obs, index, quiet_ns, &time->idle_ns, by_reason);
	/* A stop is not a wait that thread time lists, but quiet time must sum. */
	by_reason[WAIT_OTHER] += by_reason[WAIT_STOPPED];
	by_reason[WAIT_STOPPED] = 0;
	time->waits = arena_array(arena, WAIT_REASON_CNT, sizeof(*time->waits));
	if (time->waits)
		time->wait_cnt = waits_by_size(by_reason, NULL, time->wall_ns, time->waits);
}

void account_ratios(const struct report_program_time *time, struct report_ratios *ratios)
{
	uint64_t busy_ns = time->wall_ns - time->idle_ns;
	uint64_t waiting_ns = time->quiet_ns - time->idle_ns;

	ratios->cpu = share_of(time->computing_ns, busy_ns);
	ratios->wait = share_of(waiting_ns, busy_ns);
	ratios->run_queue = share_of(time->starved_ns, busy_ns);
	ratios->wait_to_compute =
		time->computing_ns ? share_of(waiting_ns, time->computing_ns) : -1;
}
