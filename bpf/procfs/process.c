/* What concerns a whole process: its CPU clock, its children's account, and what it is. */
#include <string.h>
#include <time.h>

#include "proc_file.h"
#include "sampler.h"

/* A fresh process changes fast (exec, the dynamic loader, the interpreter's start), an old one
 * seldom: it is looked at after 2 ms, then at growing distances. */
#define INSPECT_FIRST_NS 2000000ULL
#define INSPECT_LAST_NS	 2000000000ULL
/* Less unseen CPU time than this is the error of reading counters, not threads that were missed. */
#define UNSEEN_MIN_NS 100000ULL

static bool read_cpu_clock(struct tracked_process *process)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(process->pid, &clock) || clock_gettime(clock, &time))
		return false;
	process->cpu_clock_ns = (uint64_t)time.tv_sec * 1000000000ULL + (uint64_t)time.tv_nsec;
	return true;
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
	inspect_descriptors(row, NULL, 0);
}

static void inspect_if_due(struct sampler *sampler, struct tracked_process *process,
			   const struct proc_stat *stat, uint64_t now_ns)
{
	bool is_renamed = strcmp(process_row(sampler, process)->comm, stat->comm) != 0;

	if (is_renamed)
		process->inspect_step_ns = 0;
	if (!is_renamed && now_ns < process->next_inspect_ns)
		return;
	inspect(sampler, process);
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
	uint64_t before_ns = process->cpu_clock_ns;
	bool is_first = !process->is_seen;

	if (proc_stat_read(process->pid, &stat) || stat.starttime_ticks != process->starttime_ticks)
		return;
	process->is_seen = true;
	if (is_first && process->was_alive_at_start)
		process->children_cpu_base_ns = cpu_of_waited_ns(sampler, &stat);
	process->children_cpu_ns = cpu_of_waited_ns(sampler, &stat);
	if (read_cpu_clock(process)) {
		if (is_first && process->was_alive_at_start)
			before_ns = process->cpu_clock_base_ns = process->cpu_clock_ns;
		sample->interval.on_cpu_ns += process->cpu_clock_ns - before_ns;
	}
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

void process_close(struct sampler *sampler, struct tracked_process *process, uint64_t now_ns)
{
	struct obs_process *row = process_row(sampler, process);

	process->is_gone = true;
	row->exited = true;
	row->end_ns = now_ns;
	if (process->parent)
		process->parent->children_known_ns +=
			process->cpu_clock_ns + process->children_cpu_base_ns +
			process->children_known_ns + process->children_unseen_ns;
}

static void add_unseen_thread(struct sampler *sampler, const struct obs_process *process,
			      uint64_t on_cpu_ns)
{
	pid_t pid = process->pid;
	uint64_t start_ns = process->start_ns;
	struct obs_thread *row = observation_add_thread(&sampler->obs);

	sampler->obs.quality.lost_threads++;
	if (!row)
		return;
	row->pid = pid;
	row->comm = "(unseen)";
	row->exited = true;
	row->start_ns = start_ns;
	row->end_ns = start_ns + on_cpu_ns;
	row->on_cpu_ns = on_cpu_ns;
}

void process_settle(struct sampler *sampler, struct tracked_process *process)
{
	uint64_t own_ns = process->cpu_clock_ns - process->cpu_clock_base_ns;
	uint64_t unseen_ns = process->children_unseen_ns;
	uint64_t room_ns = sampler->obs.duration_ns - process_row(sampler, process)->start_ns;

	for (size_t i = 0; i < process->thread_cnt && own_ns > process->booked_on_cpu_ns; i++) {
		/* A running thread's counter lags behind the clock by up to a tick. */
		struct tracked_thread *thread = process->threads[i];
		uint64_t late_ns = own_ns - process->booked_on_cpu_ns;

		if (late_ns > thread->clock.open_ns)
			late_ns = thread->clock.open_ns;
		thread->clock.open_ns -= late_ns;
		thread_row(sampler, thread)->on_cpu_ns += late_ns;
		process->booked_on_cpu_ns += late_ns;
	}
	if (own_ns > process->booked_on_cpu_ns)
		unseen_ns += own_ns - process->booked_on_cpu_ns;
	if (unseen_ns < UNSEEN_MIN_NS || room_ns == 0)
		return;
	/* No thread can compute for longer than it lived: several, if need be. */
	for (; unseen_ns > room_ns; unseen_ns -= room_ns)
		add_unseen_thread(sampler, process_row(sampler, process), room_ns);
	add_unseen_thread(sampler, process_row(sampler, process), unseen_ns);
}
