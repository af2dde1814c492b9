/* What concerns a whole process: its CPU clock, its children's account, and what it is. */
#include <string.h>

#include "clock.h"
#include "proc_file.h"
#include "sampler.h"

/* A fresh process changes fast (exec, the dynamic loader, the interpreter's start), an old one
 * seldom: it is looked at after 2 ms, then at growing distances. With many processes, looking
 * again must not take more than its share of a CPU either. */
#define INSPECT_FIRST_NS       2000000ULL
#define INSPECT_LAST_NS	       30000000000ULL
#define INSPECT_COST_INVERSE   50
#define INSPECT_COST_CREDIT_NS 1000000000ULL
#define DESCRIPTORS_STEP_NS    60000000ULL

void process_read_clock(struct tracked_process *process, struct sample *sample)
{
	clockid_t clock;
	uint64_t now_ns = clock_getcpuclockid(process->pid, &clock) ? 0 : clock_ns(clock);

	if (now_ns <= process->cpu_clock_ns)
		return;
	if (!process->is_seen && process->was_alive_at_start)
		process->cpu_clock_base_ns = now_ns;
	else
		sample->interval.on_cpu_ns += now_ns - process->cpu_clock_ns;
	process->cpu_clock_ns = now_ns;
}

static void set_exec(struct sampler *sampler, const struct tracked_process *process,
		     const char *exe_before, const char *command_before)
{
	struct obs_process *row = process_row(sampler, process);

	if (!*exe_before && process->parent) {
		exe_before = process_row(sampler, process->parent)->exe;
		command_before = process_row(sampler, process->parent)->command;
	}
	if (*exe_before && (strcmp(exe_before, row->exe) || strcmp(command_before, row->command)))
		row->is_exec = true;
}

static void inspect(struct sampler *sampler, struct tracked_process *process)
{
	struct obs_process *row = process_row(sampler, process);
	const char *exe_before = row->exe, *command_before = row->command;

	inspect_process(&sampler->obs, row, &process->gil);
	set_exec(sampler, process, exe_before, command_before);
	/* Tables of sockets are costly to read: not while it changes by the millisecond. */
	if (process->inspect_step_ns >= DESCRIPTORS_STEP_NS)
		inspect_descriptors(row, &sampler->listeners);
}

static bool is_over_budget(const struct sampler *sampler, uint64_t now_ns)
{
	return sampler->inspect_cost_ns * INSPECT_COST_INVERSE > now_ns + INSPECT_COST_CREDIT_NS;
}

static void inspect_if_due(struct sampler *sampler, struct tracked_process *process,
			   const struct proc_stat *stat, uint64_t now_ns)
{
	bool is_renamed = strcmp(process_row(sampler, process)->comm, stat->comm) != 0;
	uint64_t cost_ns;

	if (is_renamed)
		process->inspect_step_ns = 0;
	if (!is_renamed && (now_ns < process->next_inspect_ns || is_over_budget(sampler, now_ns)))
		return;
	cost_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	inspect(sampler, process);
	sampler->inspect_cost_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cost_ns;
	process->inspect_step_ns =
		process->inspect_step_ns ? 2 * process->inspect_step_ns : INSPECT_FIRST_NS;
	if (process->inspect_step_ns > INSPECT_LAST_NS)
		process->inspect_step_ns = INSPECT_LAST_NS;
	process->next_inspect_ns = now_ns + process->inspect_step_ns;
}

static uint64_t cpu_of_waited_ns(const struct sampler *sampler, const struct proc_stat *stat)
{
	return (stat->cutime_ticks + stat->cstime_ticks) * sampler->ns_per_tick;
}

void process_sample(struct sampler *sampler, struct tracked_process *process, struct sample *sample)
{
	struct proc_stat stat;
	bool is_first = !process->is_seen;

	if (proc_stat_read(process->pid, &stat) || stat.starttime_ticks != process->starttime_ticks)
		return;
	process->is_seen = true;
	process->was_threaded |= stat.thread_cnt > 1;
	if (is_first && process->was_alive_at_start)
		process->children_cpu_base_ns = cpu_of_waited_ns(sampler, &stat);
	process->children_cpu_ns = cpu_of_waited_ns(sampler, &stat);
	if (stat.state != 'Z')
		inspect_if_due(sampler, process, &stat, sample->now_ns);
}

void process_count_unseen(struct tracked_process *process, struct sample *sample)
{
	uint64_t waited_ns = process->children_cpu_ns - process->children_cpu_base_ns;
	uint64_t known_ns = process->children_known_ns + process->children_unseen_ns;

	if (waited_ns <= known_ns)
		return;
	process->children_unseen_ns += waited_ns - known_ns;
	sample->interval.unseen_ns += waited_ns - known_ns;
}

uint64_t process_cpu_ns(const struct tracked_process *process)
{
	/* The clock is read before the threads are, which may have gone on since. */
	uint64_t booked_ns = process->cpu_clock_base_ns + process->booked_on_cpu_ns;

	return process->cpu_clock_ns > booked_ns ? process->cpu_clock_ns : booked_ns;
}

void process_close(struct sampler *sampler, struct tracked_process *process, uint64_t now_ns)
{
	struct obs_process *row = process_row(sampler, process);

	process->is_gone = true;
	row->exited = true;
	row->end_ns = now_ns;
	if (process->parent)
		process->parent->children_known_ns +=
			process_cpu_ns(process) + process->children_cpu_base_ns +
			process->children_known_ns + process->children_unseen_ns;
}
