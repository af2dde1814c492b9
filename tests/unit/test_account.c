/* Thread time and program time: exact sums, objects, idle time, tickers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

static const struct report_wait *find_wait(const struct report_wait *waits, size_t cnt,
					   enum wait_reason reason)
{
	for (size_t i = 0; i < cnt; i++)
		if (waits[i].reason == reason)
			return &waits[i];
	return NULL;
}

static uint64_t program_wait_ms(const struct report *report, enum wait_reason reason)
{
	const struct report_wait *wait =
		find_wait(report->program_time.waits, report->program_time.wait_cnt, reason);

	return wait ? wait->wait_ns / MS : 0;
}

static const struct report_wait *thread_wait(const struct report *report, enum wait_reason reason)
{
	const struct report_wait *wait =
		find_wait(report->thread_time.waits, report->thread_time.wait_cnt, reason);

	assert_non_null(wait);
	return wait;
}

static void thread_time_sums_every_state(void **state)
{
	struct observation obs;
	struct obs_thread *thread;
	struct report report;

	(void)state;
	build_observation(&obs, 100, 30, 20, 2);
	build_process(&obs, 10, "/bin/a");
	thread = build_thread(&obs, 10, 10, 30);
	thread->run_queue_ns = 10 * MS;
	thread->preempted_ns = 6 * MS;
	thread->throttled_ns = 4 * MS;
	thread->wait_ns[WAIT_STOPPED] = 15 * MS;
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 25, .cnt = 3);
	build_report(&obs, &report);
	assert_int_equal(report.thread_time.on_cpu_ns, 30 * MS);
	assert_int_equal(report.thread_time.run_queue_ns, 16 * MS);
	assert_int_equal(report.thread_time.throttled_ns, 4 * MS);
	assert_int_equal(report.thread_time.stopped_ns, 15 * MS);
	assert_int_equal(report.thread_time.wall_ns, 100 * MS);
	assert_int_equal(thread_wait(&report, WAIT_DISK)->wait_cnt, 3);
	/* The 10 ms of its life that nothing accounts for are told, not hidden. */
	assert_int_equal(thread_wait(&report, WAIT_OTHER)->wait_ns, 10 * MS);
	report_release(&report);
}

static void equal_objects_of_processes_merge(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_wait *network;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	for (pid_t pid = 10; pid < 13; pid++) {
		build_process(&obs, pid, "/bin/a");
		build_thread(&obs, pid, pid, 0);
		WAITED(&obs, pid, .reason = WAIT_NETWORK, .ms = 40, .cnt = 2, .kind = OBJECT_TCP,
		       .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443");
		WAITED(&obs, pid, .reason = WAIT_NETWORK, .ms = 10, .kind = OBJECT_TCP,
		       .direction = DIRECTION_INBOUND, .name = "10.0.0.5:443");
	}
	build_report(&obs, &report);
	network = thread_wait(&report, WAIT_NETWORK);
	assert_int_equal(network->object_cnt, 2);
	assert_string_equal(network->objects[0].name, "tcp 10.0.0.5:443");
	assert_int_equal(network->objects[0].direction, DIRECTION_OUTBOUND);
	assert_int_equal(network->objects[0].wait_ns, 120 * MS);
	assert_int_equal(network->objects[0].wait_cnt, 6);
	assert_int_equal(network->objects[1].wait_ns, 30 * MS);
	report_release(&report);
}

/* What is for work and what is for a result, a read and a sync, are told apart; calls are not: the
 * one waited in longest stands for them. */
static void objects_split_by_role_and_operation(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_object *objects;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 30, .kind = OBJECT_FILE, .name = "/a",
	       .operation = OPERATION_READ, .call = "read", .device = "sda1");
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 20, .kind = OBJECT_FILE, .name = "/a",
	       .operation = OPERATION_READ, .call = "pread64");
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 20, .kind = OBJECT_FILE, .name = "/a",
	       .operation = OPERATION_READ, .call = "pread64", .via_event_loop = true);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 10, .kind = OBJECT_FILE, .name = "/a",
	       .operation = OPERATION_SYNC, .call = "fsync");
	WAITED(&obs, 10, .reason = WAIT_POLL, .ms = 8, .kind = OBJECT_EPOLL, .name = "");
	WAITED(&obs, 10, .reason = WAIT_POLL, .ms = 4, .kind = OBJECT_EPOLL, .name = "",
	       .timed_out = true);
	build_report(&obs, &report);
	assert_int_equal(thread_wait(&report, WAIT_DISK)->object_cnt, 2);
	objects = thread_wait(&report, WAIT_DISK)->objects;
	assert_int_equal(objects[0].wait_ns, 70 * MS);
	assert_string_equal(objects[0].call, "pread64");
	assert_string_equal(objects[0].device, "sda1");
	assert_int_equal(objects[0].operation, OPERATION_READ);
	assert_null(objects[0].far_end);
	assert_string_equal(objects[1].call, "fsync");
	assert_int_equal(objects[1].operation, OPERATION_SYNC);
	objects = thread_wait(&report, WAIT_POLL)->objects;
	assert_int_equal(objects[0].role, WAITS_FOR_RESULT);
	assert_int_equal(objects[1].role, WAITS_FOR_TIME);
	report_release(&report);
}

/* Each view has its own share of an object: all of its time, or the quiet that it ended. */
static void program_time_has_its_own_objects(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_wait *network;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a")->listening_cnt = 1;
	build_thread(&obs, 10, 10, 0);
	build_thread(&obs, 10, 11, 0);
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 90, .quiet_ms = 25, .kind = OBJECT_TCP,
	       .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:5432", .far_end = "postgres[8]");
	WAITED(&obs, 11, .reason = WAIT_ACCEPT, .ms = 60, .quiet_ms = 60, .kind = OBJECT_TCP,
	       .direction = DIRECTION_INBOUND, .name = "10.0.0.9:40000");
	WAITED(&obs, 11, .reason = WAIT_ACCEPT, .ms = 40, .quiet_ms = 15, .kind = OBJECT_TCP,
	       .direction = DIRECTION_LISTENING, .name = "0.0.0.0:80");
	build_report(&obs, &report);
	network = find_wait(report.program_time.waits, report.program_time.wait_cnt, WAIT_NETWORK);
	assert_non_null(network);
	assert_int_equal(network->object_cnt, 1);
	assert_int_equal(network->objects[0].wait_ns, 25 * MS);
	assert_string_equal(network->objects[0].far_end, "postgres[8]");
	assert_int_equal(report.program_time.idle_ns, 75 * MS);
	assert_int_equal(report.program_time.idle_object_cnt, 2);
	assert_string_equal(report.program_time.idle_objects[0].name, "tcp 10.0.0.9:40000");
	assert_int_equal(report.program_time.idle_objects[1].role, WAITS_FOR_WORK);
	report_release(&report);
}

/* 100 ms: a process of 30, nobody for 50, another of 15, nobody for 5. Of a process and its tree,
 * somebody is always there. */
static uint64_t idle_of_two_lives(const char *cgroup, uint64_t *unexplained_ns)
{
	struct observation obs;
	struct obs_process *process;
	struct report report;
	uint64_t idle_ns;

	build_observation(&obs, 100, 5, 0, 2);
	obs.target.cgroup = cgroup;
	process = build_process(&obs, 10, "/bin/a");
	process->end_ns = 30 * MS;
	build_thread(&obs, 10, 10, 5);
	process = build_process(&obs, 11, "/bin/a");
	process->start_ns = 80 * MS;
	process->end_ns = 95 * MS;
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 25, .quiet_ms = 25, .kind = OBJECT_TCP,
	       .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:5432");
	build_thread(&obs, 11, 11, 0);
	WAITED(&obs, 11, .reason = WAIT_NETWORK, .ms = 12, .quiet_ms = 12, .kind = OBJECT_TCP,
	       .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:5432");
	build_report(&obs, &report);
	idle_ns = report.program_time.idle_ns;
	*unexplained_ns = report.program_time.unexplained_ns;
	report_release(&report);
	return idle_ns;
}

static void a_cgroup_without_processes_is_idle(void **state)
{
	uint64_t unexplained_ns;

	(void)state;
	assert_int_equal(idle_of_two_lives("/sys/fs/cgroup/x", &unexplained_ns), 55 * MS);
	assert_int_equal(unexplained_ns, 3 * MS);
	assert_int_equal(idle_of_two_lives("", &unexplained_ns), 0);
	assert_int_equal(unexplained_ns, 58 * MS);
}

static void small_objects_share_a_row(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_wait *disk;
	char name[32];

	(void)state;
	build_observation(&obs, 1000, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 0);
	for (unsigned int i = 1; i <= 15; i++) {
		snprintf(name, sizeof(name), "/data/%u", i);
		WAITED(&obs, 10, .reason = WAIT_DISK, .ms = i, .kind = OBJECT_FILE, .name = name);
	}
	build_report(&obs, &report);
	disk = thread_wait(&report, WAIT_DISK);
	assert_int_equal(disk->object_cnt, 11);
	assert_string_equal(disk->objects[0].name, "/data/15");
	assert_int_equal(disk->objects[9].wait_ns, 6 * MS);
	/* 1 + 2 + 3 + 4 + 5 of the five smallest: last, though larger than most. */
	assert_string_equal(disk->objects[10].name, "(others)");
	assert_int_equal(disk->objects[10].wait_ns, 15 * MS);
	report_release(&report);
}

static void rows_that_miss_time_leave_a_remainder(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_wait *disk;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 30, .kind = OBJECT_FILE, .name = "/a");
	obs.threads[0].wait_ns[WAIT_DISK] = 100 * MS;
	build_report(&obs, &report);
	disk = thread_wait(&report, WAIT_DISK);
	assert_int_equal(disk->object_cnt, 2);
	assert_string_equal(disk->objects[0].name, "/a");
	assert_string_equal(disk->objects[1].name, "(others)");
	assert_int_equal(disk->objects[1].wait_ns, 70 * MS);
	report_release(&report);
}

static void waits_for_nothing_in_particular_have_no_objects(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_TIMER, .ms = 30);
	build_report(&obs, &report);
	assert_int_equal(thread_wait(&report, WAIT_TIMER)->wait_ns, 30 * MS);
	assert_int_equal(thread_wait(&report, WAIT_TIMER)->object_cnt, 0);
	report_release(&report);
}

static void rows_that_tell_too_much_are_cut(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_wait *disk;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 60, .kind = OBJECT_FILE, .name = "/a");
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 50, .kind = OBJECT_FILE, .name = "/b");
	obs.threads[0].wait_ns[WAIT_DISK] = 55 * MS;
	build_report(&obs, &report);
	disk = thread_wait(&report, WAIT_DISK);
	assert_int_equal(disk->wait_ns, 55 * MS);
	assert_int_equal(disk->object_cnt, 1);
	assert_string_equal(disk->objects[0].name, "/a");
	report_release(&report);
}

/* One process with one thread that waits 100 ms, all of it quiet. Returns its report. */
static struct report report_of_quiet(struct wait_spec spec, uint32_t listening_cnt)
{
	struct observation obs;
	struct report report;

	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a")->listening_cnt = listening_cnt;
	build_thread(&obs, 10, 10, 0);
	spec.ms = spec.quiet_ms = 100;
	build_wait(&obs, 10, spec);
	build_report(&obs, &report);
	return report;
}

#define assert_quiet_is_idle(listening_cnt, ...)                                           \
	do {                                                                               \
		struct report report =                                                     \
			report_of_quiet((struct wait_spec){ __VA_ARGS__ }, listening_cnt); \
		assert_int_equal(report.program_time.idle_ns, 100 * MS);                   \
		report_release(&report);                                                   \
	} while (0)

#define assert_quiet_is(expected, listening_cnt, ...)                                      \
	do {                                                                               \
		struct report report =                                                     \
			report_of_quiet((struct wait_spec){ __VA_ARGS__ }, listening_cnt); \
		assert_int_equal(report.program_time.idle_ns, 0);                          \
		assert_int_equal(program_wait_ms(&report, expected), 100);                 \
		report_release(&report);                                                   \
	} while (0)

static void waiting_to_be_asked_is_idle(void **state)
{
	(void)state;
	assert_quiet_is_idle(1, .reason = WAIT_ACCEPT);
	assert_quiet_is_idle(0, .reason = WAIT_TTY);
	assert_quiet_is_idle(1, .reason = WAIT_NETWORK, .direction = DIRECTION_LISTENING);
	assert_quiet_is_idle(1, .reason = WAIT_ACCEPT, .direction = DIRECTION_INBOUND);
	assert_quiet_is_idle(0, .reason = WAIT_ACCEPT, .kind = OBJECT_UNIX);
	assert_quiet_is_idle(0, .reason = WAIT_IPC, .kind = OBJECT_ANON, .name = "inotify");
	assert_quiet_is_idle(0, .reason = WAIT_IPC, .kind = OBJECT_SYSCALL, .name = "pause");
	assert_quiet_is_idle(0, .reason = WAIT_TTY, .call = "read");
	assert_quiet_is_idle(1, .reason = WAIT_IPC, .kind = OBJECT_PIPE, .timed_out = true);
	assert_quiet_is_idle(1, .reason = WAIT_SYNC, .kind = OBJECT_ANON, .timed_out = true);
	assert_quiet_is_idle(1, .reason = WAIT_POLL, .via_event_loop = true);
	assert_quiet_is_idle(1, .reason = WAIT_TIMER, .via_event_loop = true, .timed_out = true,
			     .kind = OBJECT_EPOLL);
	assert_quiet_is_idle(1, .reason = WAIT_TIMER, .kind = OBJECT_TCP, .timed_out = true);
}

static void waiting_for_results_is_not_idle(void **state)
{
	(void)state;
	assert_quiet_is(WAIT_NETWORK, 1, .reason = WAIT_NETWORK, .direction = DIRECTION_OUTBOUND);
	assert_quiet_is(WAIT_POLL, 0, .reason = WAIT_POLL, .via_event_loop = true);
	assert_quiet_is(WAIT_DISK, 1, .reason = WAIT_DISK);
	assert_quiet_is(WAIT_IPC, 0, .reason = WAIT_IPC, .kind = OBJECT_PIPE);
	assert_quiet_is(WAIT_CHILD, 0, .reason = WAIT_CHILD);
	/* Its client, or the terminal, is slow to take what it has to say. */
	assert_quiet_is(WAIT_NETWORK, 1, .reason = WAIT_NETWORK, .direction = DIRECTION_INBOUND,
			.call = "sendto");
	assert_quiet_is(WAIT_IPC, 1, .reason = WAIT_IPC, .kind = OBJECT_UNIX,
			.direction = DIRECTION_INBOUND, .call = "write");
	assert_quiet_is(WAIT_TTY, 0, .reason = WAIT_TTY, .call = "write");
	/* A server's latch: no client is among what it waits for. */
	assert_quiet_is(WAIT_TIMER, 1, .reason = WAIT_TIMER, .via_event_loop = true,
			.timed_out = true);
}

/* "redis[11]" at the far end is a process of the tree, "postgres[812]" is none. */
static void a_far_end_in_the_tree_is_the_tree(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_process(&obs, 11, "/bin/redis");
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 60, .kind = OBJECT_TCP, .name = "a",
	       .direction = DIRECTION_OUTBOUND, .far_end = "redis[11]");
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 30, .kind = OBJECT_TCP, .name = "b",
	       .direction = DIRECTION_OUTBOUND, .far_end = "postgres[812]");
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 10, .kind = OBJECT_TCP, .name = "c",
	       .direction = DIRECTION_OUTBOUND, .far_end = "odd[1");
	build_report(&obs, &report);
	assert_int_equal(thread_wait(&report, WAIT_NETWORK)->objects[0].role, WAITS_FOR_TREE);
	assert_int_equal(thread_wait(&report, WAIT_NETWORK)->objects[1].role, WAITS_FOR_RESULT);
	assert_int_equal(thread_wait(&report, WAIT_NETWORK)->objects[2].role, WAITS_FOR_RESULT);
	report_release(&report);
}

/* Thread time: "other", what a thread can't account for, and polls that nothing is known of. In
 * program time also waits for each other while nobody ran. A stop is known. */
static void what_is_unexplained_is_summed(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_OTHER, .ms = 10, .quiet_ms = 10, .kind = OBJECT_SYSCALL);
	WAITED(&obs, 10, .reason = WAIT_POLL, .ms = 20, .quiet_ms = 20, .kind = OBJECT_EPOLL,
	       .via_event_loop = true);
	WAITED(&obs, 10, .reason = WAIT_POLL, .ms = 40, .quiet_ms = 40, .kind = OBJECT_EPOLL,
	       .via_event_loop = true, .timed_out = true);
	WAITED(&obs, 10, .reason = WAIT_STOPPED, .ms = 80, .quiet_ms = 80);
	WAITED(&obs, 10, .reason = WAIT_SYNC, .ms = 160, .quiet_ms = 160, .kind = OBJECT_FUTEX);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 320, .quiet_ms = 320, .kind = OBJECT_FILE);
	build_report(&obs, &report);
	/* 370 ms of its life and of quiet time are not told at all. */
	assert_int_equal(report.thread_time.unexplained_ns, (10 + 20 + 370) * MS);
	assert_int_equal(report.program_time.unexplained_ns, (10 + 20 + 160 + 370) * MS);
	assert_int_equal(report.program_time.stopped_ns, 80 * MS);
	assert_int_equal(program_wait_ms(&report, WAIT_OTHER), 10 + 80 + 370);
	report_release(&report);
}

/* What a row tells of a poll beyond what its threads counted explains nothing away. */
static void unexplained_polls_are_no_more_than_polls(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 100, 0, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 0);
	WAITED(&obs, 10, .reason = WAIT_POLL, .ms = 100, .quiet_ms = 50, .kind = OBJECT_EPOLL);
	obs.threads[0].wait_ns[WAIT_POLL] = 60 * MS;
	obs.threads[0].wait_ns[WAIT_NETWORK] = 40 * MS;
	build_report(&obs, &report);
	assert_int_equal(report.thread_time.unexplained_ns, 60 * MS);
	report_release(&report);
}

/* A session that was handed its client doesn't listen; what it polls for when nothing is known is
 * what it polls for otherwise. */
static void unknown_polls_are_for_what_the_others_are_for(void **state)
{
	static const enum wait_reason known[] = { WAIT_ACCEPT, WAIT_NETWORK };
	static const uint64_t idle_ms[] = { 100, 0 };
	struct observation obs;
	struct report report;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		build_observation(&obs, 100, 0, 0, 2);
		build_process(&obs, 10, "/usr/sbin/sshd");
		build_thread(&obs, 10, 10, 0);
		WAITED(&obs, 10, .reason = known[i], .ms = 60, .quiet_ms = 60, .kind = OBJECT_TCP,
		       .via_event_loop = true);
		WAITED(&obs, 10, .reason = WAIT_POLL, .ms = 30, .quiet_ms = 30,
		       .kind = OBJECT_EPOLL, .via_event_loop = true);
		WAITED(&obs, 10, .reason = WAIT_TIMER, .ms = 10, .quiet_ms = 10 * (1 - i),
		       .kind = OBJECT_EPOLL, .via_event_loop = true, .timed_out = true);
		build_report(&obs, &report);
		assert_int_equal(report.program_time.idle_ns, idle_ms[i] * MS);
		report_release(&report);
	}
}

static void timeouts_are_timers(void **state)
{
	(void)state;
	assert_quiet_is(WAIT_TIMER, 0, .reason = WAIT_TIMER, .timed_out = true);
	assert_quiet_is(WAIT_TIMER, 1, .reason = WAIT_TIMER, .timed_out = true); /* plain sleep */
	assert_quiet_is(WAIT_TIMER, 0, .reason = WAIT_POLL, .timed_out = true);
	assert_quiet_is(WAIT_TIMER, 0, .reason = WAIT_SYNC, .timed_out = true);
	assert_quiet_is(WAIT_TIMER, 0, .reason = WAIT_LOCK, .timed_out = true);
	assert_quiet_is(WAIT_SYNC, 0, .reason = WAIT_SYNC);
	assert_quiet_is(WAIT_LOCK, 0, .reason = WAIT_LOCK);
	/* The GIL's own 5 ms are not what the program sleeps for. */
	assert_quiet_is(WAIT_GIL, 0, .reason = WAIT_GIL, .timed_out = true);
	assert_quiet_is(WAIT_OTHER, 0, .reason = WAIT_STOPPED);
}

static void quiet_that_no_wait_ended_is_other(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 100, 40, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 40);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 60, .quiet_ms = 45);
	build_report(&obs, &report);
	assert_int_equal(program_wait_ms(&report, WAIT_DISK), 45);
	assert_int_equal(program_wait_ms(&report, WAIT_OTHER), 15);
	report_release(&report);
}

static void rows_with_too_much_quiet_are_scaled(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 100, 40, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 40);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 90, .quiet_ms = 90);
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 30, .quiet_ms = 30);
	build_report(&obs, &report);
	assert_int_equal(program_wait_ms(&report, WAIT_DISK), 45);
	assert_int_equal(program_wait_ms(&report, WAIT_NETWORK), 15);
	report_release(&report);
}

static void parallelism_and_ratios(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 200, 50, 10, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 50);
	build_thread(&obs, 10, 11, 25);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 40, .quiet_ms = 40);
	WAITED(&obs, 11, .reason = WAIT_ACCEPT, .ms = 100, .quiet_ms = 100);
	build_report(&obs, &report);
	assert_true(report.program_time.parallelism == 1.5);
	assert_true(report.ratios.cpu == 0.5);
	assert_true(report.ratios.wait == 0.4);
	assert_true(report.ratios.run_queue == 0.1);
	assert_true(report.ratios.wait_to_compute == 0.8);
	report_release(&report);
}

static void nothing_computed_has_no_ratio(void **state)
{
	struct report report = report_of_quiet((struct wait_spec){ .reason = WAIT_DISK }, 0);

	(void)state;
	assert_true(report.ratios.wait_to_compute == -1);
	assert_true(report.program_time.parallelism == 0);
	report_release(&report);
}

/* A thread that ticks every 10 ms ends nearly every quiet stretch of a program that waits for a
 * result: the time goes to the result. */
static void tickers_hide_nothing(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 10, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 5);
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 990, .cnt = 2, .quiet_ms = 10,
	       .direction = DIRECTION_OUTBOUND);
	build_thread(&obs, 10, 11, 5);
	WAITED(&obs, 11, .reason = WAIT_TIMER, .ms = 990, .cnt = 99, .quiet_ms = 980,
	       .timed_out = true);
	obs.source = SOURCE_PROCFS;
	build_report(&obs, &report);
	assert_in_range(program_wait_ms(&report, WAIT_NETWORK), 980, 990);
	report_release(&report);
}

static void ticker_of_an_idle_server_is_idle(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 10, 0, 2);
	build_process(&obs, 10, "/usr/bin/java")->listening_cnt = 1;
	build_thread(&obs, 10, 10, 5);
	WAITED(&obs, 10, .reason = WAIT_ACCEPT, .ms = 990);
	build_thread(&obs, 10, 11, 5);
	WAITED(&obs, 11, .reason = WAIT_SYNC, .ms = 990, .cnt = 20, .quiet_ms = 990,
	       .timed_out = true);
	obs.source = SOURCE_PROCFS;
	build_report(&obs, &report);
	assert_int_equal(report.program_time.idle_ns, 990 * MS);
	report_release(&report);
}

/* The probes have charged every stretch exactly: nothing is moved after them. */
static void exact_charges_stay(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 10, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 5);
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 990, .cnt = 2, .quiet_ms = 10,
	       .direction = DIRECTION_OUTBOUND);
	build_thread(&obs, 10, 11, 5);
	WAITED(&obs, 11, .reason = WAIT_TIMER, .ms = 990, .cnt = 99, .quiet_ms = 980,
	       .timed_out = true);
	build_report(&obs, &report);
	assert_int_equal(program_wait_ms(&report, WAIT_NETWORK), 10);
	report_release(&report);
}

/* What the main thread does is what the program does; and so is a worker that sleeps alone. */
static void sleeping_main_is_no_ticker(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 10, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 10);
	WAITED(&obs, 10, .reason = WAIT_TIMER, .ms = 990, .cnt = 99, .quiet_ms = 990,
	       .timed_out = true);
	build_thread(&obs, 10, 11, 0);
	WAITED(&obs, 11, .reason = WAIT_NETWORK, .ms = 1000, .direction = DIRECTION_OUTBOUND);
	obs.source = SOURCE_PROCFS;
	build_report(&obs, &report);
	assert_int_equal(program_wait_ms(&report, WAIT_TIMER), 990);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_time_sums_every_state),
		cmocka_unit_test(equal_objects_of_processes_merge),
		cmocka_unit_test(objects_split_by_role_and_operation),
		cmocka_unit_test(program_time_has_its_own_objects),
		cmocka_unit_test(a_cgroup_without_processes_is_idle),
		cmocka_unit_test(small_objects_share_a_row),
		cmocka_unit_test(rows_that_miss_time_leave_a_remainder),
		cmocka_unit_test(waits_for_nothing_in_particular_have_no_objects),
		cmocka_unit_test(rows_that_tell_too_much_are_cut),
		cmocka_unit_test(waiting_to_be_asked_is_idle),
		cmocka_unit_test(waiting_for_results_is_not_idle),
		cmocka_unit_test(a_far_end_in_the_tree_is_the_tree),
		cmocka_unit_test(what_is_unexplained_is_summed),
		cmocka_unit_test(unexplained_polls_are_no_more_than_polls),
		cmocka_unit_test(unknown_polls_are_for_what_the_others_are_for),
		cmocka_unit_test(timeouts_are_timers),
		cmocka_unit_test(quiet_that_no_wait_ended_is_other),
		cmocka_unit_test(rows_with_too_much_quiet_are_scaled),
		cmocka_unit_test(parallelism_and_ratios),
		cmocka_unit_test(nothing_computed_has_no_ratio),
		cmocka_unit_test(tickers_hide_nothing),
		cmocka_unit_test(ticker_of_an_idle_server_is_idle),
		cmocka_unit_test(exact_charges_stay),
		cmocka_unit_test(sleeping_main_is_no_ticker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
