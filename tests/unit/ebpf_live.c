/* Runs a program of the test's own under the eBPF observer and checks the observation. */
#include "ebpf_live.h"
#include "segment_check.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define CPU_TOLERANCE_NS 1000000ull

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

uint64_t live_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int live_setup(void **state)
{
	struct live *live = calloc(1, sizeof(*live));

	if (!live)
		return -1;
	/* Daemons of the tree come to us, so that none outlives the test. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	*state = live;
	return pipe2(live->release, O_CLOEXEC) || pipe2(live->ready, O_CLOEXEC) ? -1 : 0;
}

int live_teardown(void **state)
{
	struct live *live = *state;

	if (live->observer)
		live->observer->ops->free(live->observer);
	if (live->has_obs)
		observation_release(&live->obs);
	if (live->pid > 0)
		kill(live->pid, SIGKILL);
	for (int i = 0; i < 2; i++) {
		close(live->release[i]);
		close(live->ready[i]);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	free(live);
	return 0;
}

/* --- begin --- */

/* Whether the kernel lets us use BPF, asked without classify's help. Then probes that it refuses
 * are our fault, though it says so with the same error. */
static bool may_use_bpf(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_LRU_HASH, /* for CAP_BPF only */
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1 };
	int map = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (map >= 0)
		close(map);
	return map >= 0;
}

static void open_observer(struct live *live, const struct observer_options *options)
{
	char why[256];
	int error = 0;

	live->observer = ebpf_observer_new(options, &error, why, sizeof(why));
	if (!live->observer && (error == -EPERM || error == -ENOTSUP) && !may_use_bpf()) {
		print_message("SKIPPED, no eBPF here: %s\n", why);
		skip();
	}
	if (!live->observer)
		fail_msg("ebpf_observer_new: %s (%s)", strerror(-error), why);
}

/* In the child: says what CPU time it has used so far, waits for its release, runs. */
static _Noreturn void run_child(struct live *live, int (*program)(void *), void *arg)
{
	uint64_t cpu_ns;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (write(live->ready[1], &cpu_ns, sizeof(cpu_ns)) != sizeof(cpu_ns) ||
	    read(live->release[0], &byte, 1) != 1)
		_exit(99);
	_exit(program(arg));
}

static void fork_child(struct live *live, int (*program)(void *), void *arg)
{
	fflush(NULL);
	live->pid = fork();
	assert_true(live->pid >= 0);
	if (!live->pid)
		run_child(live, program, arg);
	assert_int_equal(read(live->ready[0], &live->cpu_ns, sizeof(live->cpu_ns)),
			 sizeof(live->cpu_ns));
}

void live_prepare(struct live *live, const struct observer_options *options, int (*program)(void *),
		  void *arg)
{
	open_observer(live, options);
	fork_child(live, program, arg);
	live_until_blocked(live, live->pid, SYS_read, live->release[0], 1);
	assert_int_equal(live->observer->ops->track(live->observer, live->pid), 0);
}

void live_release(struct live *live)
{
	assert_int_equal(write(live->release[1], "", 1), 1);
}

void live_begin(struct live *live, int (*program)(void *), void *arg)
{
	static const struct observer_options options = { .follow_children = true };

	live_prepare(live, &options, program, arg);
	live_release(live);
}

void live_attach(struct live *live, int (*program)(void *), void *arg, long call, size_t thread_cnt)
{
	static const struct observer_options options = { .follow_children = true };

	live_attach_with(live, &options, program, arg, call, thread_cnt);
}

void live_attach_with(struct live *live, const struct observer_options *options,
		      int (*program)(void *), void *arg, long call, size_t thread_cnt)
{
	open_observer(live, options);
	fork_child(live, program, arg);
	live_release(live);
	live_until_blocked(live, live->pid, call, LIVE_ANY, thread_cnt);
	assert_int_equal(live->observer->ops->track(live->observer, live->pid), 0);
	live->cpu_slack_ns = UINT64_MAX; /* what it used before isn't known */
}

/* --- meanwhile --- */

static FILE *open_of_thread(pid_t pid, const char *tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/%s", pid, tid, name);
	return fopen(path, "re");
}

/* As ps shows it: 'S', 'R', ...; 0 when there is no such thread. */
static char thread_state(pid_t pid, const char *tid)
{
	FILE *file = open_of_thread(pid, tid, "stat");
	char line[512] = "";
	const char *state;

	if (!file)
		return 0;
	state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return state ? state[2] : 0;
}

#define CALL_RUNNING (-2)

/* The system call that a thread off its CPU is in, and its first argument; -1 if it is in none (it
 * was stopped in its own code), CALL_RUNNING for one that runs. */
static long thread_call(pid_t pid, const char *tid, unsigned long long *arg)
{
	FILE *file = open_of_thread(pid, tid, "syscall");
	unsigned long long found_arg = 0;
	long call = CALL_RUNNING;

	if (!file)
		return CALL_RUNNING;
	if (fscanf(file, "%ld %llx", &call, &found_arg) != 2)
		call = CALL_RUNNING;
	fclose(file);
	if (arg)
		*arg = found_arg;
	return call;
}

/* A thread that has been woken but has yet to run shows the call that it slept in, as a stopped one
 * does: only its state tells, and it must be read first. */
static bool thread_blocks_in(pid_t pid, const char *tid, long call, long arg)
{
	char thread_is = thread_state(pid, tid);
	unsigned long long found_arg;

	return (thread_is == 'S' || thread_is == 'D') &&
	       thread_call(pid, tid, &found_arg) == call &&
	       (arg == LIVE_ANY || found_arg == (unsigned long long)arg);
}

static size_t count_blocked(pid_t pid, long call, long arg)
{
	struct dirent *entry;
	char path[64];
	size_t cnt = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return 0;
	while ((entry = readdir(tasks)))
		if (entry->d_name[0] != '.' && thread_blocks_in(pid, entry->d_name, call, arg))
			cnt++;
	closedir(tasks);
	return cnt;
}

bool live_peek(struct live *live, struct observation *obs)
{
	int error = live->observer->ops->peek(live->observer, obs);

	if (error) {
		observation_release(obs);
		assert_int_equal(error, -EAGAIN);
	}
	return !error;
}

/* Whoever looks at an observation doesn't disturb it: each is looked at all the while. */
static void drain(struct live *live)
{
	struct observation obs;

	assert_int_equal(live->observer->ops->drain(live->observer), 0);
	if (live_peek(live, &obs))
		observation_release(&obs);
}

void live_until_blocked(struct live *live, pid_t pid, long call, long arg, size_t cnt)
{
	uint64_t deadline_ns = live_now_ns() + LIVE_DEADLINE_S * 1000000000ull;

	while (count_blocked(pid, call, arg) < cnt) {
		if (live_now_ns() > deadline_ns)
			fail_msg("%d: fewer than %zu threads ever blocked in system call %ld", pid,
				 cnt, call);
		drain(live);
		poll(NULL, 0, 1);
	}
}

/* The parent is told of the stop before the child leaves its CPU for it. */
void live_until_stopped(struct live *live)
{
	uint64_t deadline_ns = live_now_ns() + LIVE_DEADLINE_S * 1000000000ull;
	char tid[16];

	snprintf(tid, sizeof(tid), "%d", live->pid);
	while (thread_state(live->pid, tid) != 'T' ||
	       thread_call(live->pid, tid, NULL) == CALL_RUNNING) {
		if (live_now_ns() > deadline_ns)
			fail_msg("%d never stopped", live->pid);
		drain(live);
		poll(NULL, 0, 1);
	}
}

void live_run_for(struct live *live, uint64_t duration_ns)
{
	uint64_t until_ns = live_now_ns() + duration_ns;

	while (live_now_ns() < until_ns) {
		drain(live);
		poll(NULL, 0, 1);
	}
}

pid_t live_orphan(void)
{
	char path[64];
	FILE *file;
	pid_t pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	return pid;
}

/* --- end --- */

static uint64_t timeval_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000ull + (uint64_t)tv->tv_usec * 1000ull;
}

void live_wait(struct live *live)
{
	uint64_t deadline_ns = live_now_ns() + LIVE_DEADLINE_S * 1000000000ull;
	int pidfd = (int)syscall(SYS_pidfd_open, live->pid, 0);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct rusage usage;

	assert_true(pidfd >= 0);
	while (!poll(&ended, 1, live->observer->ops->timeout_ms(live->observer))) {
		drain(live);
		if (live_now_ns() > deadline_ns)
			fail_msg("the child %d does not end", live->pid);
	}
	close(pidfd);
	assert_int_equal(wait4(live->pid, &live->status, 0, &usage), live->pid);
	live->pid = 0;
	live->cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime) - live->cpu_ns;
}

static void check_threads(const struct observation *obs)
{
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		const struct obs_thread *thread = &obs->threads[i];
		uint64_t states_ns = thread->on_cpu_ns + thread->run_queue_ns +
				     thread->preempted_ns + thread->throttled_ns +
				     obs_thread_wait_ns(thread);

		assert_true(thread->end_ns >= thread->start_ns);
		assert_int_equal(states_ns, thread->end_ns - thread->start_ns);
		assert_in_range(thread->on_cpu_ns, 0, obs->duration_ns);
		assert_in_range(thread->run_queue_ns, 0, obs->duration_ns);
		assert_in_range(thread->preempted_ns, 0, obs->duration_ns);
		assert_non_null(observation_find_process(obs, thread->pid));
	}
}

static void check_program_time(const struct observation *obs)
{
	const struct obs_program *program = &obs->program;
	uint64_t charged_ns = 0;

	if (program->computing_ns > obs->duration_ns || program->starved_ns > obs->duration_ns ||
	    program->quiet_ns > obs->duration_ns)
		fail_msg("of %" PRIu64 " ns, computing %" PRId64 ", starved %" PRId64
			 ", quiet %" PRId64,
			 obs->duration_ns, (int64_t)program->computing_ns,
			 (int64_t)program->starved_ns, (int64_t)program->quiet_ns);
	assert_int_equal(program->computing_ns + program->starved_ns + program->quiet_ns,
			 obs->duration_ns);
	for (size_t i = 0; i < obs->wait_cnt; i++)
		charged_ns += obs->waits[i].quiet_ns;
	assert_in_range(charged_ns, 0, program->quiet_ns);
	assert_in_range(program->quiet_open_ns, 0, program->quiet_ns);
}

/* The rows of a process and its threads tell of the same waits. */
static void check_rows_of(const struct observation *obs, pid_t pid, int reason)
{
	uint64_t threads_ns = 0, threads_cnt = 0, rows_ns = 0, rows_cnt = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		if (obs->threads[i].pid == pid) {
			threads_ns += obs->threads[i].wait_ns[reason];
			threads_cnt += obs->threads[i].wait_cnt[reason];
		}
	for (size_t i = 0; i < obs->wait_cnt; i++)
		if (obs->waits[i].pid == pid && (int)obs->waits[i].reason == reason) {
			rows_ns += obs->waits[i].wait_ns;
			rows_cnt += obs->waits[i].wait_cnt;
		}
	if (rows_ns != threads_ns || rows_cnt != threads_cnt)
		fail_msg("process %d, %s: rows %" PRIu64 " ns in %" PRIu64 ", threads %" PRIu64
			 " ns in %" PRIu64,
			 pid, wait_reason_name((enum wait_reason)reason), rows_ns, rows_cnt,
			 threads_ns, threads_cnt);
}

static void check_processes(const struct observation *obs)
{
	for (size_t i = 0; i < obs->process_cnt; i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(obs->processes[i].pid, obs->processes[j].pid);
		for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
			check_rows_of(obs, obs->processes[i].pid, reason);
	}
}

static void check_cpu_time(const struct live *live)
{
	uint64_t on_cpu_ns = 0, slack_ns = live->cpu_slack_ns;
	uint64_t difference_ns;

	if (slack_ns == UINT64_MAX || live->leaves_orphans)
		return;
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		on_cpu_ns += live->obs.threads[i].on_cpu_ns;
	difference_ns =
		on_cpu_ns > live->cpu_ns ? on_cpu_ns - live->cpu_ns : live->cpu_ns - on_cpu_ns;
	slack_ns += live->cpu_ns / 1000 > CPU_TOLERANCE_NS ? live->cpu_ns / 1000 : CPU_TOLERANCE_NS;
	if (difference_ns > slack_ns)
		fail_msg("on CPU %" PRIu64 " ns, the kernel says %" PRIu64 " ns", on_cpu_ns,
			 live->cpu_ns);
}

void live_finish(struct live *live)
{
	int error = live->observer->ops->finish(live->observer, &live->obs);

	live->has_obs = true;
	assert_int_equal(error, 0);
	assert_int_equal(live->obs.source, SOURCE_EBPF);
	assert_int_equal(live->obs.quality.lost_events, 0);
	assert_int_equal(live->obs.quality.lost_threads, 0);
	check_threads(&live->obs);
	check_program_time(&live->obs);
	check_processes(&live->obs);
	segment_check_all(&live->obs);
	slice_check(&live->obs);
}

void live_end(struct live *live)
{
	live_wait(live);
	live_finish(live);
	check_cpu_time(live);
}

void live_cut(struct live *live)
{
	drain(live);
	live_finish(live);
}

/* --- asking --- */

static void list_rows(const struct observation *obs)
{
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		const struct obs_wait *row = &obs->waits[i];

		print_error("  %d %s %s %s \"%s\"%s%s: %" PRIu64 " ns in %" PRIu64 "\n", row->pid,
			    wait_reason_name(row->reason), object_kind_name(row->kind),
			    wait_direction_name(row->direction), row->name,
			    row->via_event_loop ? " loop" : "", row->timed_out ? " timed out" : "",
			    row->wait_ns, row->wait_cnt);
	}
}

const struct obs_wait *live_row(const struct live *live, enum wait_reason reason,
				enum object_kind kind, enum wait_direction direction,
				const char *name)
{
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		const struct obs_wait *row = &live->obs.waits[i];

		if (row->reason == reason && row->kind == kind && row->direction == direction &&
		    (!name || !strcmp(row->name, name)))
			return row;
	}
	list_rows(&live->obs);
	fail_msg("no row %s %s %s \"%s\"", wait_reason_name(reason), object_kind_name(kind),
		 wait_direction_name(direction), name ? name : "");
	return NULL;
}

uint64_t live_wait_ns(const struct live *live, enum wait_reason reason)
{
	uint64_t wait_ns = 0;

	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		wait_ns += live->obs.threads[i].wait_ns[reason];
	return wait_ns;
}
