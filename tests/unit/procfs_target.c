/* Children to observe; see procfs_target.h. */
#include "procfs_target.h"
#include "segment_check.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "observer.h"
#include "proc_file.h"
#include "syscall_line.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct target target_start(void (*run)(void *context), void *context)
{
	struct target target;
	int go[2];
	char byte;

	assert_int_equal(pipe(go), 0);
	target.pid = fork();
	assert_true(target.pid >= 0);
	if (target.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		if (read(go[0], &byte, 1) == 0) {
			close(go[0]);
			run(context);
		}
		_exit(0);
	}
	close(go[0]);
	target.go = go[1];
	return target;
}

void target_go(struct target *target)
{
	close(target->go);
	target->go = -1;
}

void target_await_syscall(pid_t tid, long number)
{
	char text[256];
	struct syscall_line line = { .is_running = true };

	while (line.is_running || line.number != number) {
		assert_true(proc_file_read(tid, "syscall", text, sizeof(text)) > 0);
		assert_true(syscall_line_parse(text, &line));
		sched_yield();
	}
}

void target_await_state(pid_t pid, char state)
{
	struct proc_stat stat = { .state = 0 };

	while (stat.state != state) {
		assert_int_equal(proc_stat_read(pid, &stat), 0);
		sched_yield();
	}
}

struct observer *target_observe(const struct target *target)
{
	const struct observer_options options = { .follow_children = true };
	char why[256];
	int error;
	struct observer *observer = procfs_observer_new(&options, &error, why, sizeof(why));

	assert_non_null(observer);
	assert_int_equal(observer->ops->track(observer, target->pid), 0);
	return observer;
}

static void assert_threads_sum(const struct observation *obs)
{
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		const struct obs_thread *thread = &obs->threads[i];

		assert_int_equal(thread->on_cpu_ns + thread->run_queue_ns + thread->preempted_ns +
					 thread->throttled_ns + obs_thread_wait_ns(thread),
				 thread->end_ns - thread->start_ns);
	}
}

static void assert_threads_end_in_time(const struct observation *obs)
{
	for (size_t i = 0; i < obs->thread_cnt; i++)
		assert_true(obs->threads[i].end_ns <= obs->duration_ns + 1000000);
}

static void assert_rows_sum(const struct observation *obs)
{
	uint64_t rows_ns = 0, threads_ns = 0, quiet_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		threads_ns += obs_thread_wait_ns(&obs->threads[i]);
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		rows_ns += obs->waits[i].wait_ns;
		quiet_ns += obs->waits[i].quiet_ns;
	}
	assert_int_equal(rows_ns, threads_ns);
	assert_int_equal(quiet_ns, obs->program.quiet_ns);
}

void target_sample(struct observer *observer, const struct target *target, unsigned ms)
{
	uint64_t end_ms = ms ? now_ms() + ms : UINT64_MAX;
	struct observation obs;
	struct pollfd fds[] = {
		{ .fd = (int)syscall(SYS_pidfd_open, target->pid, 0), .events = POLLIN },
		{ .fd = observer->ops->poll_fd(observer), .events = POLLIN },
	};

	assert_true(fds[0].fd >= 0);
	while (now_ms() < end_ms && !fds[0].revents) {
		assert_true(poll(fds, 2, -1) >= 1);
		assert_int_equal(observer->ops->drain(observer), 0);
		/* Whoever looks at an observation doesn't disturb it. */
		assert_int_equal(observer->ops->peek(observer, &obs), 0);
		assert_threads_sum(&obs);
		assert_rows_sum(&obs);
		observation_release(&obs);
	}
	close(fds[0].fd);
}

void target_finish(struct observer *observer, struct observation *obs)
{
	assert_int_equal(observer->ops->finish(observer, obs), 0);
	observer->ops->free(observer);
	assert_int_equal(obs->source, SOURCE_PROCFS);
	assert_true(obs->quality.sample_cnt > 0);
	assert_int_equal(obs->program.computing_ns + obs->program.starved_ns +
				 obs->program.quiet_ns,
			 obs->duration_ns);
	assert_threads_sum(obs);
	assert_threads_end_in_time(obs);
	assert_rows_sum(obs);
	segment_check_all(obs);
	slice_check(obs);
}

void target_stop(struct target *target)
{
	if (target->go >= 0)
		close(target->go);
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
}

const struct obs_wait *longest_wait(const struct observation *obs)
{
	const struct obs_wait *longest = NULL;

	for (size_t i = 0; i < obs->wait_cnt; i++)
		if (!longest || obs->waits[i].wait_ns > longest->wait_ns)
			longest = &obs->waits[i];
	return longest;
}

uint64_t total_on_cpu_ns(const struct observation *obs)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		sum_ns += obs->threads[i].on_cpu_ns;
	return sum_ns;
}
