/* Charges the tree's quiet time to reasons, and takes idle time out of it. */
#include "arena.h"
#include "program_time.h"
#include "thread_time.h"
#include "ticker.h"
#include "wait_objects.h"
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

/* Fills @parts, parallel to the rows, with what the quiet time charged to each counts as. */
static void charge(const struct observation *obs, const struct wait_roles *roles,
		   const uint64_t *quiet_ns, struct object_part *parts)
{
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		const struct obs_wait *row = &obs->waits[i];
		enum wait_role role = quiet_role(roles, row);

		parts[i] = (struct object_part){
			.row = row,
			.reason = role == WAITS_FOR_TIME ? WAIT_TIMER : row->reason,
			.role = role,
			.ns = quiet_ns[i],
		};
	}
}

/* Moves the parts that are idle behind the others. Returns how many those are. */
static size_t set_idle_apart(struct object_part *parts, size_t cnt)
{
	size_t busy_cnt = 0;

	for (size_t i = 0; i < cnt; i++) {
		struct object_part part = parts[i];

		if (part.role == WAITS_FOR_WORK)
			continue;
		parts[i] = parts[busy_cnt];
		parts[busy_cnt++] = part;
	}
	return busy_cnt;
}

static void add_idle(struct object_part *parts, size_t cnt, struct arena *arena,
		     struct arena *scratch, struct report_program_time *time)
{
	struct report_wait idle = { .objects = NULL };

	for (size_t i = 0; i < cnt; i++) {
		idle.wait_ns += parts[i].ns;
		/* One list, whatever the reasons. */
		parts[i].reason = WAIT_ACCEPT;
	}
	wait_objects_sort(parts, cnt);
	wait_objects_list(parts, cnt, arena, scratch, &idle);
	time->idle_ns = idle.wait_ns;
	time->idle_objects = idle.objects;
	time->idle_object_cnt = idle.object_cnt;
}

/* How long an observed cgroup had no process in it, as while a unit restarts. */
static uint64_t nobody_there_ns(const struct observation *obs)
{
	uint64_t gap_ns = 0, until_ns = 0;

	if (!*obs->target.cgroup)
		return 0;
	for (size_t i = 0; i < obs->process_cnt; i++) {
		const struct obs_process *process = &obs->processes[i];

		if (process->start_ns > until_ns)
			gap_ns += process->start_ns - until_ns;
		if (process->end_ns > until_ns)
			until_ns = process->end_ns;
	}
	return gap_ns + (obs->duration_ns > until_ns ? obs->duration_ns - until_ns : 0);
}

static void add_waits(const struct observation *obs, struct object_part *parts, size_t cnt,
		      struct arena *arena, struct arena *scratch, struct report_program_time *time)
{
	uint64_t by_reason[WAIT_REASON_CNT] = { 0 };
	uint64_t rest_ns = obs->program.quiet_ns - time->idle_ns;
	uint64_t nobody_ns;

	for (size_t i = 0; i < cnt; i++) {
		if (is_unexplained(parts[i].reason, parts[i].role, true))
			time->unexplained_ns += parts[i].ns;
		/* A stop is not a wait that thread time lists, but quiet time must sum. */
		if (parts[i].reason == WAIT_STOPPED) {
			parts[i].reason = WAIT_OTHER;
			time->stopped_ns += parts[i].ns;
		}
		by_reason[parts[i].reason] += parts[i].ns;
		rest_ns -= parts[i].ns;
	}
	nobody_ns = nobody_there_ns(obs);
	if (nobody_ns > rest_ns)
		nobody_ns = rest_ns;
	time->idle_ns += nobody_ns;
	rest_ns -= nobody_ns;
	by_reason[WAIT_OTHER] += rest_ns;
	time->unexplained_ns += rest_ns;
	time->waits = arena_array(arena, WAIT_REASON_CNT, sizeof(*time->waits));
	if (!time->waits)
		return;
	time->wait_cnt = waits_by_size(by_reason, NULL, time->wall_ns, time->waits);
	wait_objects_sort(parts, cnt);
	wait_objects_fill(parts, cnt, arena, scratch, time->waits, time->wait_cnt);
}

static double parallelism(const struct observation *obs)
{
	uint64_t on_cpu_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		on_cpu_ns += obs->threads[i].on_cpu_ns;
	return share_of(on_cpu_ns, obs->program.computing_ns);
}

void account_program_time(const struct observation *obs, const struct wait_roles *roles,
			  struct arena *arena, struct arena *scratch,
			  struct report_program_time *time)
{
	uint64_t *quiet_ns = quiet_of_rows(obs, scratch);
	struct object_part *parts = arena_array(scratch, obs->wait_cnt, sizeof(*parts));
	size_t cnt = parts && quiet_ns ? obs->wait_cnt : 0;
	size_t busy_cnt = 0;

	time->computing_ns = obs->program.computing_ns;
	time->starved_ns = obs->program.starved_ns;
	time->quiet_ns = obs->program.quiet_ns;
	time->wall_ns = time->computing_ns + time->starved_ns + time->quiet_ns;
	time->parallelism = parallelism(obs);
	if (cnt) {
		if (obs->source == SOURCE_PROCFS) /* the probes do it exactly */
			ticker_hand_over(obs, roles, scratch, quiet_ns);
		charge(obs, roles, quiet_ns, parts);
		busy_cnt = set_idle_apart(parts, cnt);
		add_idle(parts + busy_cnt, cnt - busy_cnt, arena, scratch, time);
	}
	add_waits(obs, parts, busy_cnt, arena, scratch, time);
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
