/* Reads one thread and books its time; see sampler.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc_file.h"
#include "sampler.h"
#include "syscall_line.h"

static bool read_schedstat(struct sampler *sampler, struct tracked_thread *thread,
			   struct thread_reading *reading)
{
	char text[128];

	if (task_files_read(&thread->files, &sampler->files_budget, TASK_SCHEDSTAT, text,
			    sizeof(text)) < 0)
		return false;
	return sscanf(text, "%lu %lu %lu", &reading->on_cpu_ns, &reading->run_queue_ns,
		      &reading->run_cnt) == 3;
}

static bool read_state(struct sampler *sampler, struct tracked_thread *thread)
{
	char text[1024];
	struct proc_stat stat;
	struct obs_thread *row = thread_row(sampler, thread);

	if (task_files_read(&thread->files, &sampler->files_budget, TASK_STAT, text, sizeof(text)) <
		    0 ||
	    proc_stat_parse(text, &stat))
		return false;
	thread->state = stat.state;
	if (strcmp(row->comm, stat.comm)) {
		const char *comm = observation_intern(&sampler->obs, stat.comm, strlen(stat.comm));

		row->comm = comm ? comm : row->comm;
	}
	return true;
}

static bool is_dead(const struct tracked_thread *thread)
{
	return thread->state == 'Z' || thread->state == 'X';
}

/* Counts of switches by kind; schedstat has only their sum. */
static uint64_t read_switches(struct sampler *sampler, struct tracked_thread *thread)
{
	char text[4096];
	const char *voluntary;
	uint64_t before = thread->voluntary_cnt;
	struct obs_thread *row = thread_row(sampler, thread);
	uint64_t involuntary_before = thread->involuntary_cnt;

	if (task_files_read(&thread->files, &sampler->files_budget, TASK_STATUS, text,
			    sizeof(text)) < 0)
		return 0;
	/* The last lines: what is before them may hold anything. */
	voluntary = strstr(text, "\nvoluntary_ctxt_switches:");
	if (!voluntary ||
	    sscanf(voluntary, "\nvoluntary_ctxt_switches: %lu nonvoluntary_ctxt_switches: %lu",
		   &thread->voluntary_cnt, &thread->involuntary_cnt) != 2)
		return 0;
	row->switch_cnt +=
		thread->voluntary_cnt - before + thread->involuntary_cnt - involuntary_before;
	row->preempt_cnt += thread->involuntary_cnt - involuntary_before;
	return thread->voluntary_cnt - before;
}

static void find_cause(struct sampler *sampler, struct tracked_process *process,
		       struct tracked_thread *thread)
{
	char text[256];
	struct syscall_line line;
	const struct wait_cause before = thread->cause;
	const struct wait_context context = {
		.obs = &sampler->obs,
		.sockets = &sampler->sockets,
		.now_ns = thread->clock.now_ns,
		.last_socket = &process->last_socket,
		.pid = process->pid,
		.tid = thread->tid,
		.gil = process->gil,
	};

	if (task_files_read(&thread->files, &sampler->files_budget, TASK_SYSCALL, text,
			    sizeof(text)) < 0 ||
	    !syscall_line_parse(text, &line)) {
		if (proc_file_read(thread->tid, "wchan", text, sizeof(text)) < 0)
			*text = '\0';
		wait_cause_of_wchan(&context, thread->state, text, &thread->cause);
	} else if (!line.is_running) {
		wait_cause_of_syscall(&context, thread->state, &line, &before, &thread->cause);
	} /* else it has woken up since: its last wait is as good a guess as any */
	if (thread->cause.kind == OBJECT_PIPE)
		thread->cause.is_internal = pipe_ends_in_tree(sampler, &thread->cause);
}

static void book_wait(struct sampler *sampler, const struct tracked_process *process,
		      struct tracked_thread *thread, uint64_t wait_ns, uint64_t wait_cnt)
{
	static const struct wait_cause unknown = { .reason = WAIT_OTHER, .name = "" };
	const struct wait_cause *cause = thread->cause.name ? &thread->cause : &unknown;
	struct obs_thread *thread_sum = thread_row(sampler, thread);
	struct obs_wait *row;

	if (!wait_ns && !wait_cnt)
		return;
	thread_sum->wait_ns[cause->reason] += wait_ns;
	thread_sum->wait_cnt[cause->reason] += wait_cnt;
	if (cause->via_event_loop) {
		thread_sum->event_loop_wait_ns += wait_ns;
		thread_sum->event_loop_wait_cnt += wait_cnt;
		process_row(sampler, process)->has_event_loop = true;
	}
	row = cause_rows_find(&sampler->rows, process->pid, cause);
	if (!row)
		return;
	row->wait_ns += wait_ns;
	row->wait_cnt += wait_cnt;
	if (thread->clock.now_ns - thread->wait_since_ns > row->max_ns)
		row->max_ns = thread->clock.now_ns - thread->wait_since_ns;
}

/* Is this thread's wait a better reason for a quiet interval than the best so far? */
static void offer_quiet_cause(struct sample *sample, pid_t pid, const struct tracked_thread *thread,
			      const struct thread_share *share)
{
	uint64_t wait_ns = share->wait_ns + share->old_wait_ns;
	int rank;

	if (!wait_ns || !thread->cause.name)
		return;
	rank = wait_cause_rank(&thread->cause);
	if (rank < sample->best_rank ||
	    (rank == sample->best_rank && share->has_run < sample->best_has_run) ||
	    (rank == sample->best_rank && share->has_run == sample->best_has_run &&
	     wait_ns <= sample->best_wait_ns))
		return;
	sample->best_rank = rank;
	sample->best_has_run = share->has_run;
	sample->best_wait_ns = wait_ns;
	sample->best_pid = pid;
	sample->best = thread->cause;
}

static void book_running(struct sampler *sampler, struct tracked_process *process,
			 struct tracked_thread *thread, const struct thread_share *share,
			 uint64_t preempted_cnt, uint64_t wait_cnt)
{
	struct obs_thread *row = thread_row(sampler, thread);
	uint64_t switches = preempted_cnt + wait_cnt;
	/* Each switch leads through the run queue once: which kind it was tells how often. */
	uint64_t preempted_ns = switches ? share->run_queue_ns / switches * preempted_cnt : 0;

	row->on_cpu_ns += share->on_cpu_ns;
	row->preempted_ns += preempted_ns;
	row->run_queue_ns += share->run_queue_ns - preempted_ns;
	process->booked_on_cpu_ns += share->on_cpu_ns;
}

static void begin(struct sampler *sampler, const struct tracked_process *process,
		  struct tracked_thread *thread, const struct thread_reading *reading)
{
	const struct obs_thread *row = thread_row(sampler, thread);
	bool was_alive = process->was_alive_at_start && row->start_ns == process->adopted_at_ns;

	thread->is_seen = true;
	thread->wait_since_ns = row->start_ns;
	thread_clock_init(&thread->clock, row->start_ns, was_alive ? reading : NULL);
	if (was_alive) {
		struct obs_thread zero = *row;

		/* Switches before the observation are none of ours. */
		read_switches(sampler, thread);
		thread_row(sampler, thread)->switch_cnt = zero.switch_cnt;
		thread_row(sampler, thread)->preempt_cnt = zero.preempt_cnt;
	}
}

/* A thread's counter lags by a tick at most, 10 ms with the slowest timer. */
#define LAG_MAX_NS 10000000ULL

/* A single thread's time is its process's, and that clock doesn't lag. What is more than a lag is
 * the time of threads that have been born meanwhile. */
static void use_process_clock(const struct tracked_process *process, struct thread_reading *reading)
{
	if (!process->was_threaded && process->cpu_clock_ns > reading->on_cpu_ns &&
	    process->cpu_clock_ns - reading->on_cpu_ns <= LAG_MAX_NS)
		reading->on_cpu_ns = process->cpu_clock_ns;
}

bool task_sample(struct sampler *sampler, struct tracked_process *process,
		 struct tracked_thread *thread, struct sample *sample)
{
	struct thread_reading reading = { 0 };
	struct thread_share share;
	uint64_t wait_cnt = 0, preempted_before;
	char state_before = thread->state;

	if (!read_schedstat(sampler, thread, &reading) || !read_state(sampler, thread))
		return false;
	use_process_clock(process, &reading);
	reading.now_ns = sampler_now_ns(sampler);
	reading.is_runnable = thread->state == 'R';
	if (!thread->is_seen)
		begin(sampler, process, thread, &reading);
	thread_clock_advance(&thread->clock, &reading, &share);

	preempted_before = thread->involuntary_cnt;
	if (share.has_run) {
		sampler_note_segment(sampler, thread);
		wait_cnt = read_switches(sampler, thread);
	}
	book_running(sampler, process, thread, &share, thread->involuntary_cnt - preempted_before,
		     wait_cnt);
	if (is_dead(thread)) {
		book_wait(sampler, process, thread, share.wait_ns, wait_cnt);
		offer_quiet_cause(sample, process->pid, thread, &share);
		return false;
	}
	book_wait(sampler, process, thread, share.old_wait_ns, 0);
	if (!reading.is_runnable &&
	    (share.has_run || !thread->cause.name || thread->cause.is_provisional ||
	     thread->state != state_before)) {
		if (share.has_run)
			thread->wait_since_ns = reading.now_ns - share.wait_ns;
		find_cause(sampler, process, thread);
	}
	book_wait(sampler, process, thread, share.wait_ns, wait_cnt);
	offer_quiet_cause(sample, process->pid, thread, &share);
	if (share.run_queue_ns > sample->interval.run_queue_ns)
		sample->interval.run_queue_ns = share.run_queue_ns;
	if (thread->clock.open_ns > sample->interval.open_ns)
		sample->interval.open_ns = thread->clock.open_ns;
	return true;
}

/* It has been there for as long as its times add up to. */
static void end_row(struct obs_thread *row)
{
	row->end_ns = row->start_ns + row->on_cpu_ns + row->run_queue_ns + row->preempted_ns +
		      row->throttled_ns + obs_thread_wait_ns(row);
}

void task_close_row(struct obs_thread *row, const struct tracked_thread *thread)
{
	row->run_queue_ns += thread->clock.open_ns;
	end_row(row);
}

void task_close(struct sampler *sampler, struct tracked_thread *thread, bool has_exited)
{
	struct obs_thread *row = thread_row(sampler, thread);

	/* What was open at the end of a thread that vanished is not known, and left out of its
	 * life; a living one is runnable and has waited for a CPU. */
	if (!has_exited)
		row->run_queue_ns += thread->clock.open_ns;
	thread->clock.open_ns = 0;
	row->exited = has_exited;
	end_row(row);
	task_files_close(&thread->files, &sampler->files_budget);
}
