/*
 * The /proc sampler: an observer that needs no rights beyond those of the target's user. It looks
 * at each thread of the tree a hundred times a second, less often if that would cost too much.
 */
#include "observer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "sampler.h"

#define NS_PER_MS	       UINT64_C(1000000)
#define UNSEEN_WORTH_NOTING_NS UINT64_C(10000000)
#define INTERVAL_FIRST_NS      1000000ULL
#define INTERVAL_USUAL_NS      10000000ULL
#define INTERVAL_LONGEST_NS    1000000000ULL
/* A short program gets more samples: the interval grows to the usual one within half a second. */
#define INTERVAL_GROWTH 50
/* Share of one CPU that reading threads may take, as the inverse. What is read for other reasons
 * and less often (tables of sockets, ELF files) has budgets of its own. */
#define COST_INVERSE 40

struct procfs_observer {
	struct observer observer;
	struct sampler sampler;
	int timer;
	unsigned jitter; /* state of the generator */
	uint64_t mean_cost_ns;
};

static struct procfs_observer *of(const struct observer *observer)
{
	return (struct procfs_observer *)observer;
}

uint64_t sampler_now_ns(const struct sampler *sampler)
{
	return clock_ns(CLOCK_MONOTONIC) - sampler->start_mono_ns;
}

/* Reads all threads of @process; those that have ended leave the list. */
static void sample_threads(struct sampler *sampler, struct tracked_process *process,
			   struct sample *sample)
{
	size_t kept = 0;

	for (size_t i = 0; i < process->thread_cnt; i++) {
		struct tracked_thread *thread = process->threads[i];

		if (task_sample(sampler, process, thread, sample)) {
			process->threads[kept++] = thread;
			continue;
		}
		settle_note_end(sampler, process, thread, sample->now_ns);
		task_close(sampler, thread, true);
		free(thread);
	}
	process->thread_cnt = kept;
}

static void charge_quiet(struct sampler *sampler, const struct sample *sample, uint64_t quiet_ns)
{
	static const struct wait_cause unknown = { .reason = WAIT_OTHER, .name = "" };
	struct obs_wait *row;

	if (sampler->cgroup && !sample->thread_cnt)
		return; /* nobody is there who could wait */

	if (sample->best.name) {
		sampler->last_quiet = sample->best;
		sampler->last_quiet_pid = sample->best_pid;
	} else if (!sampler->last_quiet.name) {
		sampler->last_quiet = unknown;
		sampler->last_quiet_pid = sampler->root;
	}
	if (!quiet_ns)
		return;
	row = cause_rows_find(&sampler->rows, sampler->last_quiet_pid, &sampler->last_quiet);
	if (row)
		row->quiet_ns += quiet_ns;
}

static void note_peaks(struct sampler *sampler, const struct sample *sample)
{
	if (sample->thread_cnt > sampler->obs.threads_peak)
		sampler->obs.threads_peak = sample->thread_cnt;
	if (sample->process_cnt > sampler->obs.processes_peak)
		sampler->obs.processes_peak = sample->process_cnt;
}

static void read_clocks(struct sampler *sampler, struct sample *sample)
{
	sample->now_ns = sampler_now_ns(sampler);
	sample->interval.elapsed_ns = sample->now_ns - sampler->last_sample_ns;
	sampler->last_sample_ns = sample->now_ns;
	for (size_t i = 0; i < sampler->process_cnt; i++)
		if (!sampler->processes[i]->is_gone)
			process_read_clock(sampler->processes[i], sample);
	sample->interval.late_ns = sampler_now_ns(sampler) - sample->now_ns;
}

static int take_sample(struct sampler *sampler)
{
	struct sample sample = { 0 };
	int error = sampler_refresh(sampler, sampler_now_ns(sampler));

	if (error)
		return error;
	sampler->round++;
	read_clocks(sampler, &sample);
	for (size_t i = 0; i < sampler->process_cnt; i++) {
		struct tracked_process *process = sampler->processes[i];

		if (process->is_gone)
			continue;
		process_sample(sampler, process, &sample);
		sample_threads(sampler, process, &sample);
		sample.thread_cnt += (uint32_t)process->thread_cnt;
		sample.process_cnt += process->thread_cnt > 0;
		if (process->thread_cnt == 0)
			process_close(sampler, process, sample.now_ns);
	}
	for (size_t i = 0; sampler->follow_children && i < sampler->process_cnt; i++)
		process_count_unseen(sampler->processes[i], &sample);
	charge_quiet(sampler, &sample, program_clock_advance(&sampler->program, &sample.interval));
	sampler_note_slice(sampler);
	note_peaks(sampler, &sample);
	return 0;
}

static uint64_t next_interval_ns(struct procfs_observer *procfs, uint64_t cost_ns)
{
	uint64_t interval_ns = INTERVAL_FIRST_NS + procfs->sampler.last_sample_ns / INTERVAL_GROWTH;

	if (interval_ns > INTERVAL_USUAL_NS)
		interval_ns = INTERVAL_USUAL_NS;
	/* Costs that grow count at once, those that fall after a while. */
	procfs->mean_cost_ns = cost_ns > procfs->mean_cost_ns
				       ? (procfs->mean_cost_ns + cost_ns) / 2
				       : (7 * procfs->mean_cost_ns + cost_ns) / 8;
	if (interval_ns < procfs->mean_cost_ns * COST_INVERSE)
		interval_ns = procfs->mean_cost_ns * COST_INVERSE;
	if (interval_ns > INTERVAL_LONGEST_NS)
		interval_ns = INTERVAL_LONGEST_NS;
	/* From 3/4 to 5/4 of it: a program with a rhythm of its own must not keep step. */
	return interval_ns * 3 / 4 + interval_ns * (unsigned)rand_r(&procfs->jitter) / RAND_MAX / 2;
}

static int arm(struct procfs_observer *procfs, uint64_t interval_ns)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(interval_ns / NS_PER_S),
			      .tv_nsec = (long)(interval_ns % NS_PER_S) },
	};

	return timerfd_settime(procfs->timer, 0, &when, NULL) ? -errno : 0;
}

static int drain(struct observer *observer)
{
	struct procfs_observer *procfs = of(observer);
	struct sampler *sampler = &procfs->sampler;
	uint64_t side_ns = sampler->inspect_cost_ns + sampler->sockets.cost_ns;
	uint64_t cost_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int error = take_sample(sampler);

	if (error)
		return error;
	side_ns = sampler->inspect_cost_ns + sampler->sockets.cost_ns - side_ns;
	cost_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cost_ns - side_ns;
	host_watch_look(&sampler->host, sampler->last_sample_ns);
	memory_watch_look(&sampler->memory, sampler->last_sample_ns);
	far_ends_look(&sampler->sockets.far_ends, sampler->last_sample_ns, FAR_ENDS_LOOK_NS, false);
	return arm(procfs, next_interval_ns(procfs, cost_ns));
}

static int track(struct observer *observer, pid_t pid)
{
	struct procfs_observer *procfs = of(observer);
	struct sampler *sampler = &procfs->sampler;
	int error;

	sampler->root = pid;
	sampler->start_mono_ns = clock_ns(CLOCK_MONOTONIC);
	sampler->obs.started_at_unix_ns = (int64_t)clock_ns(CLOCK_REALTIME);
	getrusage(RUSAGE_CHILDREN, &sampler->reaped_before);
	error = sampler_begin(sampler, pid);
	if (error)
		return error;
	host_watch_begin(&sampler->host, &sampler->obs, pid, sampler->cgroup);
	return drain(observer);
}

static int adopt(struct observer *observer, const pid_t *pids, size_t cnt)
{
	struct sampler *sampler = &of(observer)->sampler;
	uint64_t now_ns = sampler_now_ns(sampler);
	int error = 0;

	for (size_t i = 0; i < cnt && !error; i++)
		error = sampler_adopt(sampler, pids[i], now_ns);
	return error;
}

static int poll_fd(const struct observer *observer)
{
	return of(observer)->timer;
}

static int timeout_ms(const struct observer *observer)
{
	(void)observer;
	return -1; /* the timer tells */
}

static uint64_t rusage_ns(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * NS_PER_S +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

/*
 * When the root was a child of this process and has been waited for, the kernel's account of it and
 * of all that was waited for below it is exact: what was not seen of it is known after all.
 */
static void reconcile_with_reaped(struct sampler *sampler)
{
	struct tracked_process *root = sampler->processes[0];
	struct rusage now;
	uint64_t reaped_ns, known_ns;

	getrusage(RUSAGE_CHILDREN, &now);
	reaped_ns = rusage_ns(&now) - rusage_ns(&sampler->reaped_before);
	known_ns = process_cpu_ns(root) + root->children_known_ns + root->children_unseen_ns;
	if (root->is_gone && sampler->follow_children && reaped_ns > known_ns)
		root->children_unseen_ns += reaped_ns - known_ns;
}

static void close_all(struct sampler *sampler)
{
	for (size_t i = 0; i < sampler->process_cnt; i++) {
		struct tracked_process *process = sampler->processes[i];

		for (size_t t = 0; t < process->thread_cnt; t++)
			task_close(sampler, process->threads[t], false);
		if (!process->is_gone)
			process_row(sampler, process)->end_ns = sampler->obs.duration_ns;
	}
}

static void count_samples(const struct sampler *sampler, struct observation *obs)
{
	obs->quality.sample_cnt = sampler->round;
	obs->quality.sample_interval_ns = obs->duration_ns / (sampler->round ? sampler->round : 1);
}

static void describe_quality(struct sampler *sampler)
{
	struct obs_quality *quality = &sampler->obs.quality;
	char note[256];
	int len;

	count_samples(sampler, &sampler->obs);
	len = snprintf(note, sizeof(note),
		       "what a thread waits for is looked at every %lu ms only, and processes that "
		       "end between two looks are partly missed",
		       quality->sample_interval_ns / NS_PER_MS + 1);
	if (sampler->unseen_ns >= UNSEEN_WORTH_NOTING_NS)
		len += snprintf(note + len, sizeof(note) - (size_t)len,
				" (here, %lu ms of CPU time)", sampler->unseen_ns / NS_PER_MS);
	quality->source_note = observation_intern(&sampler->obs, note, (size_t)len);
}

static void fill_program(const struct sampler *sampler, struct observation *obs)
{
	struct obs_program *program = &obs->program;

	/* Open at the end: a thread was in the run queue and nobody on a CPU. */
	program->computing_ns = sampler->program.computing_ns;
	program->starved_ns = sampler->program.starved_ns + sampler->program.open_ns;
	program->quiet_ns = sampler->program.quiet_ns;
}

/* A process that is gone, or a zombie that only its parent may ask how it ended. */
static bool has_ended(pid_t pid)
{
	struct pollfd ended = { .events = POLLIN };

	ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ended.fd < 0)
		return errno == ESRCH;
	poll(&ended, 1, 0);
	close(ended.fd);
	return ended.revents & POLLIN;
}

static int fill_far_ends(struct sampler *sampler)
{
	struct far_ends *ends = &sampler->sockets.far_ends;

	far_ends_look(ends, 0, FAR_ENDS_LOOK_LAST_NS, true);
	for (size_t i = 0; i < sampler->obs.wait_cnt; i++) {
		struct obs_wait *row = &sampler->obs.waits[i];

		if (row->direction == DIRECTION_OUTBOUND)
			row->far_end = far_ends_find(ends, row->kind, row->name);
	}
	return far_ends_book(ends, &sampler->obs);
}

/* As close_all(), of the copies in @obs: the threads go on. */
static void close_copies(const struct sampler *sampler, struct observation *obs)
{
	for (size_t i = 0; i < sampler->process_cnt; i++) {
		const struct tracked_process *process = sampler->processes[i];

		for (size_t t = 0; t < process->thread_cnt; t++)
			task_close_row(&obs->threads[process->threads[t]->row],
				       process->threads[t]);
		if (!process->is_gone)
			obs->processes[process->row].end_ns = obs->duration_ns;
	}
}

/* How things stood at the last sample. CPU time that no thread has been given yet stays out: it is
 * settled at the end. */
static int peek(struct observer *observer, struct observation *obs)
{
	struct sampler *sampler = &of(observer)->sampler;
	int error = observation_draft(obs, &sampler->obs);

	if (error)
		return error;
	obs->source = SOURCE_PROCFS;
	obs->duration_ns = sampler->last_sample_ns;
	close_copies(sampler, obs);
	host_watch_end(&sampler->host);
	host_watch_book(&sampler->host, obs);
	fill_program(sampler, obs);
	count_samples(sampler, obs);
	return sampler_sum_segments(sampler, obs);
}

static int finish(struct observer *observer, struct observation *obs)
{
	struct procfs_observer *procfs = of(observer);
	struct sampler *sampler = &procfs->sampler;
	int error = take_sample(sampler);

	sampler->obs.source = SOURCE_PROCFS;
	sampler->obs.duration_ns = sampler->last_sample_ns;
	sampler->obs.target.has_exited = !sampler->cgroup && has_ended(sampler->root);
	sampler->obs.target.exit_code = -1;
	reconcile_with_reaped(sampler);
	settle(sampler);
	close_all(sampler);
	host_watch_end(&sampler->host);
	host_watch_book(&sampler->host, &sampler->obs);
	fill_program(sampler, &sampler->obs);
	if (!error)
		error = fill_far_ends(sampler);
	cause_rows_name_futexes(&sampler->rows);
	describe_quality(sampler);
	if (!error)
		error = sampler_sum_segments(sampler, &sampler->obs);
	*obs = sampler->obs;
	observation_init(&sampler->obs);
	return error;
}

static void free_observer(struct observer *observer)
{
	struct procfs_observer *procfs;

	if (!observer)
		return;
	procfs = of(observer);
	sampler_release(&procfs->sampler);
	socket_index_release(&procfs->sampler.sockets);
	net_listeners_release(&procfs->sampler.listeners);
	cause_rows_release(&procfs->sampler.rows);
	free(procfs->sampler.tails);
	host_watch_release(&procfs->sampler.host);
	memory_watch_release(&procfs->sampler.memory);
	observation_release(&procfs->sampler.obs);
	if (procfs->timer >= 0)
		close(procfs->timer);
	free(procfs);
}

static const struct observer_ops procfs_ops = {
	.track = track,
	.adopt = adopt,
	.poll_fd = poll_fd,
	.timeout_ms = timeout_ms,
	.drain = drain,
	.peek = peek,
	.finish = finish,
	.free = free_observer,
};

struct observer *procfs_observer_new(const struct observer_options *options, int *error, char *why,
				     size_t why_size)
{
	struct procfs_observer *procfs = calloc(1, sizeof(*procfs));
	struct sampler *sampler;

	*error = -ENOMEM;
	snprintf(why, why_size, "out of memory");
	if (!procfs)
		return NULL;
	procfs->observer.ops = &procfs_ops;
	procfs->jitter = 1;
	procfs->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	sampler = &procfs->sampler;
	sampler->follow_children = options->follow_children;
	sampler->cgroup = options->cgroup;
	sampler->ns_per_tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	observation_init(&sampler->obs);
	segment_log_init(&sampler->segments);
	socket_index_init(&sampler->sockets, &sampler->obs);
	memory_watch_init(&sampler->memory, &sampler->obs);
	task_files_budget_init(&sampler->files_budget);
	if (procfs->timer < 0) {
		*error = -errno;
		snprintf(why, why_size, "cannot create a timer: %s", strerror(errno));
	} else if (!cause_rows_init(&sampler->rows, &sampler->obs)) {
		*error = 0;
		return &procfs->observer;
	}
	free_observer(&procfs->observer);
	return NULL;
}
