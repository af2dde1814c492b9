/* The report must come at once, however large the tree was: twice the processes may be hardly more
 * than twice the work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "observation_builder.h"
#include "work_counter.h"

#define PROCESS_CNT 10000
#define FIRST_PID   100
/* Sorting and searching take a little more than twice, walking all for each takes four times. */
#define GROWTH_MAX 2.5

static void add_row(struct observation *obs, pid_t pid, struct obs_wait row)
{
	struct obs_wait *to = observation_add_wait(obs);

	assert_non_null(to);
	row.pid = pid;
	row.name = row.name ? row.name : "";
	row.call = row.call ? row.call : "";
	row.device = "";
	row.far_end = row.far_end ? row.far_end : "";
	row.wait_ns = row.quiet_ns = MS;
	row.wait_cnt = 1;
	*to = row;
}

/* Waits of the kinds whose role turns on what else the tree has. */
static void add_rows(struct observation *obs, pid_t pid)
{
	static const struct obs_wait rows[] = {
		{ .reason = WAIT_POLL },
		{ .reason = WAIT_POLL, .via_event_loop = true, .timed_out = true },
		{ .reason = WAIT_TIMER, .kind = OBJECT_EPOLL, .timed_out = true },
		{ .reason = WAIT_SYNC, .kind = OBJECT_ANON, .name = "eventfd", .timed_out = true },
		{ .reason = WAIT_NETWORK, .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND },
		{ .reason = WAIT_CHILD, .kind = OBJECT_CHILD },
		{ .reason = WAIT_LOCK, .kind = OBJECT_FUTEX, .name = "0x7f00" },
	};
	char far_end[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add_row(obs, pid, rows[i]);
	snprintf(far_end, sizeof(far_end), "child[%d]", (int)pid);
	add_row(obs, pid,
		(struct obs_wait){ .reason = WAIT_IPC,
				   .kind = OBJECT_UNIX,
				   .far_end = observation_intern(obs, far_end, sizeof(far_end)) });
}

/* It computes first and waits then, so that each part is judged by itself. A few threads have
 * segments, as with the probes. */
static void add_phases(struct observation *obs)
{
	for (uint64_t at_ns = 0; at_ns < obs->duration_ns; at_ns += 50 * MS) {
		struct obs_slice *slice = observation_add_slice(obs);
		struct obs_segment *segment = observation_add_segment(obs);

		assert_non_null(slice);
		assert_non_null(segment);
		slice->start_ns = segment->start_ns = at_ns;
		slice->end_ns = segment->end_ns = at_ns + 50 * MS;
		if (at_ns < obs->program.computing_ns)
			slice->computing_ns = segment->on_cpu_ns = 50 * MS;
		else
			segment->wait_ns[WAIT_NETWORK] = 50 * MS;
	}
}

/* Of as many stacks as a long run leaves: each thread has two, 40 frames deep, which begin alike.
 */
static void add_stacks(struct observation *obs, pid_t pid, uint32_t row)
{
	enum { DEPTH = 40, LINES = 5000 };
	uint32_t caller = NO_CALLER;

	for (uint32_t depth = 0; depth < DEPTH; depth++) {
		struct obs_call *call;

		if (obs->call_cnt < DEPTH || depth >= DEPTH - 2) {
			call = observation_add_call(obs);
			assert_non_null(call);
			call->frame = ((uint32_t)pid * 7 + depth) % LINES;
			call->caller = caller;
			caller = (uint32_t)obs->call_cnt - 1;
		} else {
			caller = depth;
		}
	}
	while (obs->frame_cnt < LINES) {
		struct obs_frame *frame = observation_add_frame(obs);

		assert_non_null(frame);
		frame->function = "f";
		frame->file = "/srv/a.py";
		frame->line = (uint32_t)obs->frame_cnt;
		frame->language = LANGUAGE_PYTHON;
	}
	for (int waits = 0; waits < 2; waits++) {
		struct obs_stack_time *time = observation_add_stack_time(obs);

		assert_non_null(time);
		time->pid = time->tid = pid;
		time->call = caller - (uint32_t)waits;
		time->is_on_cpu = !waits;
		time->wait = row;
		time->time_ns = MS;
		time->sample_cnt = 30;
	}
	obs->stack_quality.are_taken = true;
}

static void build_tree(struct observation *obs, enum observation_source source, size_t cnt)
{
	build_observation(obs, 10000, 2000, 0, 2);
	obs->source = source;
	for (size_t i = 0; i < cnt; i++) {
		pid_t pid = FIRST_PID + (pid_t)i;

		build_process(obs, pid, "/bin/child")->parent_pid = i ? pid - 1 : 0;
		build_thread(obs, pid, pid, 1);
		add_rows(obs, pid);
		add_stacks(obs, pid, (uint32_t)obs->wait_cnt - 1);
	}
	add_phases(obs);
}

static void analyze_it(void *context, size_t cnt)
{
	const struct analyze_options options = { 0 };
	struct report report;

	(void)cnt;
	assert_int_equal(analyze(context, &options, &report), 0);
	assert_int_equal(report.phase_cnt, 2);
	report_release(&report);
}

static uint64_t work_for(int counter, enum observation_source source, size_t cnt)
{
	struct observation obs;
	uint64_t work;

	build_tree(&obs, source, cnt);
	work = work_counter_of(counter, analyze_it, &obs, cnt);
	observation_release(&obs);
	return work;
}

static void assert_twice_is_twice(enum observation_source source)
{
	int counter = work_counter_open();
	uint64_t work = work_for(counter, source, PROCESS_CNT);
	uint64_t doubled = work_for(counter, source, (size_t)2 * PROCESS_CNT);

	close(counter);
	print_message("instructions: %lu, of twice as many processes: %lu\n", work, doubled);
	assert_true((double)doubled < GROWTH_MAX * (double)work);
}

/* Each process runs a copy of an interpreter of its own, which is gone meanwhile, and is in code
 * that lies nowhere near. */
static void build_copies(struct observation *obs, size_t cnt)
{
	build_observation(obs, 10000, 2000, 0, 2);
	for (size_t i = 0; i < cnt; i++) {
		pid_t pid = FIRST_PID + (pid_t)i;
		struct obs_frame *frame = observation_add_frame(obs);
		char path[64];

		snprintf(path, sizeof(path), "/copy%zu/bin/python3", i);
		build_process(obs, pid, observation_intern(obs, path, sizeof(path)));
		build_thread(obs, pid, pid, 1);
		snprintf(path, sizeof(path), "/srv/lib%zu.so (deleted)", i);
		assert_non_null(frame);
		frame->function = "f";
		frame->file = "";
		frame->module = observation_intern(obs, path, sizeof(path));
	}
	add_rows(obs, FIRST_PID);
	add_stacks(obs, FIRST_PID, (uint32_t)obs->wait_cnt - 1);
	add_phases(obs);
}

static uint64_t work_for_copies(int counter, size_t cnt)
{
	struct observation obs;
	uint64_t work;

	build_copies(&obs, cnt);
	work = work_counter_of(counter, analyze_it, &obs, cnt);
	observation_release(&obs);
	return work;
}

static void many_interpreters_are_found_at_once(void **state)
{
	int counter = work_counter_open();
	uint64_t work = work_for_copies(counter, PROCESS_CNT);
	uint64_t doubled = work_for_copies(counter, (size_t)2 * PROCESS_CNT);

	(void)state;
	close(counter);
	assert_true((double)doubled < GROWTH_MAX * (double)work);
}

static void many_processes_are_analyzed_in_turn(void **state)
{
	(void)state;
	assert_twice_is_twice(SOURCE_EBPF);
}

/* Its quiet time is handed from thread to thread. */
static void so_are_those_of_procfs(void **state)
{
	(void)state;
	assert_twice_is_twice(SOURCE_PROCFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_processes_are_analyzed_in_turn),
		cmocka_unit_test(so_are_those_of_procfs),
		cmocka_unit_test(many_interpreters_are_found_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
