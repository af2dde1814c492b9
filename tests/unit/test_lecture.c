/* The lecture's programs and their like, as small observations: class, model, advice, findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define SERVER .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "127.0.0.1:8000"

static void api_sequential(struct observation *obs)
{
	build_observation(obs, 1000, 100, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 100);
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = 900, .cnt = 9, .quiet_ms = 900, SERVER);
}

static void build_workers_that_fetch(struct observation *obs, pid_t pid, int cnt)
{
	for (int i = 1; i <= cnt; i++) {
		build_thread(obs, pid, pid + i, 10);
		WAITED(obs, pid + i, .reason = WAIT_NETWORK, .ms = 900, .cnt = 9,
		       .quiet_ms = 800 / (uint64_t)cnt, SERVER);
	}
}

static void api_threads(struct observation *obs)
{
	build_observation(obs, 1000, 200, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 100);
	WAITED(obs, 10, .reason = WAIT_SYNC, .ms = 900, .kind = OBJECT_FUTEX, .by_tree = true);
	build_workers_that_fetch(obs, 10, 8);
}

static void api_asyncio(struct observation *obs)
{
	build_observation(obs, 1000, 150, 0, 2);
	build_process(obs, 10, PYTHON)->has_event_loop = true;
	build_thread(obs, 10, 10, 150);
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = 850, .cnt = 20, .quiet_ms = 850,
	       .via_event_loop = true, SERVER);
}

static void api_multiprocessing(struct observation *obs)
{
	build_observation(obs, 1000, 200, 0, 2);
	build_process(obs, 10, PYTHON)->is_exec = true;
	build_thread(obs, 10, 10, 100);
	WAITED(obs, 10, .reason = WAIT_IPC, .ms = 900, .kind = OBJECT_PIPE, .by_tree = true);
	for (int i = 20; i < 24; i++) {
		build_process(obs, i, PYTHON)->parent_pid = 10;
		build_thread(obs, i, i, 25);
		WAITED(obs, i, .reason = WAIT_NETWORK, .ms = 850, .cnt = 9, .quiet_ms = 200,
		       SERVER);
	}
}

static void asyncio_with_blocking_calls(struct observation *obs)
{
	build_observation(obs, 1000, 150, 0, 2);
	build_process(obs, 10, PYTHON)->has_event_loop = true;
	build_thread(obs, 10, 10, 150);
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = 850, .cnt = 20, .quiet_ms = 850, SERVER);
}

static void cpu_sequential(struct observation *obs)
{
	build_observation(obs, 1000, 990, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 990);
	WAITED(obs, 10, .reason = WAIT_DISK, .ms = 10, .quiet_ms = 10, .kind = OBJECT_FILE,
	       .name = "/data");
}

static void build_gil_bound_threads(struct observation *obs)
{
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 10);
	WAITED(obs, 10, .reason = WAIT_SYNC, .ms = 990, .kind = OBJECT_FUTEX, .by_tree = true);
	for (int i = 11; i < 15; i++) {
		build_thread(obs, 10, i, 245);
		WAITED(obs, i, .reason = WAIT_GIL, .ms = 750, .cnt = 150, .kind = OBJECT_FUTEX,
		       .by_tree = true);
	}
}

static void cpu_threads(struct observation *obs)
{
	build_observation(obs, 1000, 1000, 0, 2);
	build_gil_bound_threads(obs);
}

static void build_computing_processes(struct observation *obs, int cnt, uint64_t on_cpu_ms)
{
	build_process(obs, 10, PYTHON)->is_exec = true;
	build_thread(obs, 10, 10, 20);
	WAITED(obs, 10, .reason = WAIT_IPC, .ms = 980, .kind = OBJECT_PIPE, .by_tree = true);
	for (int i = 20; i < 20 + cnt; i++) {
		build_process(obs, i, PYTHON)->parent_pid = 10;
		build_thread(obs, i, i, on_cpu_ms)->preempted_ns = (980 - on_cpu_ms) * MS;
		obs->processes[obs->process_cnt - 1].start_ns = 20 * MS;
		obs->threads[obs->thread_cnt - 1].start_ns = 20 * MS;
	}
}

static void cpu_multiprocessing(struct observation *obs)
{
	build_observation(obs, 1000, 1000, 0, 2);
	build_computing_processes(obs, 2, 960);
}

static void eight_processes_on_two_cores(struct observation *obs)
{
	build_observation(obs, 1000, 1000, 0, 2);
	build_computing_processes(obs, 8, 245);
}

static void cpu_asyncio(struct observation *obs)
{
	build_observation(obs, 1000, 990, 0, 2);
	build_process(obs, 10, PYTHON)->has_event_loop = true;
	build_thread(obs, 10, 10, 990);
	WAITED(obs, 10, .reason = WAIT_POLL, .ms = 10, .quiet_ms = 10, .kind = OBJECT_EPOLL,
	       .via_event_loop = true);
}

static void main_joins_busy_worker(struct observation *obs)
{
	build_observation(obs, 1000, 990, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 20);
	WAITED(obs, 10, .reason = WAIT_SYNC, .ms = 980, .quiet_ms = 10, .kind = OBJECT_FUTEX,
	       .by_tree = true);
	build_thread(obs, 10, 11, 970);
}

static void main_joins_fetching_worker(struct observation *obs)
{
	build_observation(obs, 1000, 100, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 50);
	WAITED(obs, 10, .reason = WAIT_SYNC, .ms = 950, .kind = OBJECT_FUTEX, .by_tree = true);
	build_thread(obs, 10, 11, 50);
	WAITED(obs, 11, .reason = WAIT_NETWORK, .ms = 900, .cnt = 9, .quiet_ms = 900, SERVER);
}

/* A database on the same machine: it can be asked for several things at once. */
static void client_of_a_unix_socket(struct observation *obs)
{
	build_observation(obs, 1000, 100, 0, 2);
	build_process(obs, 10, "/usr/bin/pgbench");
	build_thread(obs, 10, 10, 100);
	WAITED(obs, 10, .reason = WAIT_IPC, .ms = 900, .cnt = 900, .quiet_ms = 900,
	       .kind = OBJECT_UNIX, .direction = DIRECTION_OUTBOUND, .name = "/run/db");
}

/* A lock around each request, which Python's futexes don't tell from a condition variable. */
static void threads_that_take_turns(struct observation *obs)
{
	build_observation(obs, 1000, 100, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 20);
	WAITED(obs, 10, .reason = WAIT_SYNC, .ms = 980, .kind = OBJECT_FUTEX, .by_tree = true);
	for (int i = 11; i < 15; i++) {
		build_thread(obs, 10, i, 20);
		WAITED(obs, i, .reason = WAIT_NETWORK, .ms = 225, .cnt = 5, .quiet_ms = 225,
		       SERVER);
		WAITED(obs, i, .reason = WAIT_SYNC, .ms = 755, .kind = OBJECT_FUTEX,
		       .by_tree = true);
	}
}

static void idle_workers_beside_computing_main(struct observation *obs)
{
	build_observation(obs, 1000, 990, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 985);
	for (int i = 11; i < 27; i++) {
		build_thread(obs, 10, i, 0);
		WAITED(obs, i, .reason = WAIT_SYNC, .ms = 1000, .kind = OBJECT_FUTEX);
	}
}

static void idle_server(struct observation *obs)
{
	build_observation(obs, 2000, 5, 0, 2);
	build_process(obs, 10, "/usr/bin/idle_server")->listening_cnt = 1;
	build_thread(obs, 10, 10, 5);
	WAITED(obs, 10, .reason = WAIT_ACCEPT, .ms = 1995, .quiet_ms = 1995, .kind = OBJECT_TCP,
	       .direction = DIRECTION_LISTENING, .name = "0.0.0.0:80");
}

static void two_native_threads_compute(struct observation *obs)
{
	build_observation(obs, 1000, 1000, 0, 2);
	build_process(obs, 10, "/tmp/cpu_threads");
	build_thread(obs, 10, 10, 1);
	WAITED(obs, 10, .reason = WAIT_SYNC, .ms = 999, .kind = OBJECT_FUTEX, .by_tree = true);
	build_thread(obs, 10, 11, 990);
	build_thread(obs, 10, 12, 990);
}

static void native_computes_alone(struct observation *obs)
{
	build_observation(obs, 1000, 995, 0, 2);
	build_process(obs, 10, "/usr/bin/xz");
	build_thread(obs, 10, 10, 995);
}

static void disk_reader(struct observation *obs)
{
	build_observation(obs, 1000, 200, 0, 2);
	build_process(obs, 10, "/usr/bin/find");
	build_thread(obs, 10, 10, 200);
	WAITED(obs, 10, .reason = WAIT_DISK, .ms = 800, .cnt = 300, .quiet_ms = 800,
	       .kind = OBJECT_DIRECTORY, .name = "/data");
}

static void four_threads_on_one_mutex(struct observation *obs)
{
	build_observation(obs, 1000, 1000, 0, 2);
	build_process(obs, 10, "/tmp/lock");
	build_thread(obs, 10, 10, 0);
	WAITED(obs, 10, .reason = WAIT_SYNC, .ms = 1000, .kind = OBJECT_FUTEX, .by_tree = true);
	for (int i = 11; i < 15; i++) {
		build_thread(obs, 10, i, 260);
		WAITED(obs, i, .reason = WAIT_LOCK, .ms = 740, .cnt = 500, .kind = OBJECT_FUTEX,
		       .name = "0x55d0", .by_tree = true);
	}
}

static void sleep_loop(struct observation *obs)
{
	build_observation(obs, 1000, 50, 0, 2);
	build_process(obs, 10, "/tmp/sleeper");
	build_thread(obs, 10, 10, 50);
	WAITED(obs, 10, .reason = WAIT_TIMER, .ms = 950, .cnt = 95, .quiet_ms = 950,
	       .timed_out = true);
}

static void half_computing_half_waiting(struct observation *obs)
{
	build_observation(obs, 1000, 500, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 500);
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = 500, .cnt = 10, .quiet_ms = 500, SERVER);
}

/* Each command is a process of its own, and the shell waits for each in turn. */
static void curl_in_a_shell_loop(struct observation *obs)
{
	build_observation(obs, 1000, 150, 0, 2);
	build_process(obs, 10, "/usr/bin/dash")->is_exec = true;
	build_thread(obs, 10, 10, 10);
	WAITED(obs, 10, .reason = WAIT_CHILD, .ms = 990, .cnt = 10, .by_tree = true);
	for (int i = 0; i < 10; i++) {
		struct obs_process *curl = build_process(obs, 20 + i, "/usr/bin/curl");
		struct obs_thread *thread;

		curl->is_exec = true;
		curl->start_ns = (uint64_t)i * 100 * MS;
		curl->end_ns = (uint64_t)(i + 1) * 100 * MS;
		thread = build_thread(obs, 20 + i, 20 + i, 14);
		thread->start_ns = (uint64_t)i * 100 * MS;
		thread->end_ns = (uint64_t)(i + 1) * 100 * MS;
		WAITED(obs, 20 + i, .reason = WAIT_NETWORK, .ms = 85, .cnt = 2, .quiet_ms = 85,
		       SERVER);
	}
}

static void build_redis(struct observation *obs, uint64_t on_cpu_ms)
{
	struct obs_process *redis = build_process(obs, 10, "/usr/bin/redis-server");

	redis->has_event_loop = true;
	redis->listening_cnt = 2;
	build_thread(obs, 10, 10, on_cpu_ms);
	for (int i = 11; i < 15; i++) {
		build_thread(obs, 10, i, 0);
		WAITED(obs, i, .reason = WAIT_SYNC, .ms = 5000, .kind = OBJECT_FUTEX);
	}
}

static void redis_at_rest(struct observation *obs)
{
	build_observation(obs, 5000, 10, 0, 2);
	build_redis(obs, 10);
	WAITED(obs, 10, .reason = WAIT_TIMER, .ms = 4990, .cnt = 50, .quiet_ms = 4990,
	       .kind = OBJECT_EPOLL, .via_event_loop = true, .timed_out = true);
}

static void redis_under_load(struct observation *obs)
{
	build_observation(obs, 5000, 4800, 0, 2);
	build_redis(obs, 4800);
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = 200, .cnt = 900, .quiet_ms = 200,
	       .kind = OBJECT_TCP, .direction = DIRECTION_INBOUND, .via_event_loop = true);
}

static void node_that_computes(struct observation *obs)
{
	build_observation(obs, 1000, 990, 0, 2);
	build_process(obs, 10, "/usr/bin/node")->has_event_loop = true;
	build_thread(obs, 10, 10, 980);
	for (int i = 11; i < 20; i++) {
		build_thread(obs, 10, i, 2);
		WAITED(obs, i, .reason = WAIT_SYNC, .ms = 998, .kind = OBJECT_FUTEX);
	}
	/* V8's scheduler of delayed tasks has a loop of its own, and nothing to do. */
	build_thread(obs, 10, 20, 1);
	WAITED(obs, 20, .reason = WAIT_POLL, .ms = 999, .kind = OBJECT_EPOLL,
	       .via_event_loop = true);
}

static void throttled_by_a_quota(struct observation *obs)
{
	build_observation(obs, 1000, 500, 500, 2);
	obs->host.cpu_quota = 0.5;
	build_process(obs, 10, "/usr/bin/xz");
	build_thread(obs, 10, 10, 500)->throttled_ns = 500 * MS;
}

static void starved_by_others(struct observation *obs)
{
	build_observation(obs, 1000, 300, 700, 2);
	build_process(obs, 10, "/usr/bin/xz");
	build_thread(obs, 10, 10, 300)->preempted_ns = 700 * MS;
}

static void too_short_to_tell(struct observation *obs)
{
	build_observation(obs, 5, 4, 0, 2);
	build_process(obs, 10, "/usr/bin/true");
	build_thread(obs, 10, 10, 4);
}

static void nothing_was_seen(struct observation *obs)
{
	observation_init(obs);
}

/* A program, and what its report must say. */
struct lecture_case {
	const char *name;
	void (*build)(struct observation *obs);
	enum verdict_class verdict_class;
	const char *subclass; /* NULL: none */
	enum concurrency_model current;
	uint32_t workers;
	enum concurrency_model model;
	enum recommended_action action;
	const char *findings; /* all there are, with a blank between two */
};

#define PROGRAM(build) #build, build

static const struct lecture_case cases[] = {
	{ PROGRAM(api_sequential), CLASS_IO_BOUND, "network", MODEL_SYNC, 1, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ PROGRAM(api_threads), CLASS_IO_BOUND, "network", MODEL_THREADS, 8, MODEL_THREADS,
	  ACTION_KEEP, "" },
	{ PROGRAM(api_asyncio), CLASS_IO_BOUND, "network", MODEL_ASYNC, 1, MODEL_ASYNC, ACTION_KEEP,
	  "" },
	{ PROGRAM(api_multiprocessing), CLASS_IO_BOUND, "network", MODEL_MULTIPROCESSING, 4,
	  MODEL_THREADS, ACTION_CHANGE, "processes-for-io" },
	{ PROGRAM(asyncio_with_blocking_calls), CLASS_IO_BOUND, "network", MODEL_ASYNC, 1,
	  MODEL_ASYNC, ACTION_CHANGE, "blocking-call-on-event-loop" },
	{ PROGRAM(cpu_sequential), CLASS_CPU_BOUND, NULL, MODEL_SYNC, 1, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "" },
	{ PROGRAM(cpu_threads), CLASS_CPU_BOUND, "gil", MODEL_THREADS, 4, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "threads-for-cpu-work gil-contention" },
	{ PROGRAM(cpu_multiprocessing), CLASS_CPU_BOUND, "parallel", MODEL_MULTIPROCESSING, 2,
	  MODEL_MULTIPROCESSING, ACTION_KEEP, "" },
	{ PROGRAM(eight_processes_on_two_cores), CLASS_CPU_BOUND, "parallel", MODEL_MULTIPROCESSING,
	  8, MODEL_MULTIPROCESSING, ACTION_KEEP, "more-workers-than-cores" },
	{ PROGRAM(cpu_asyncio), CLASS_CPU_BOUND, NULL, MODEL_ASYNC, 1, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "cpu-work-on-event-loop" },
	{ PROGRAM(main_joins_busy_worker), CLASS_CPU_BOUND, NULL, MODEL_SYNC, 1,
	  MODEL_MULTIPROCESSING, ACTION_CHANGE, "" },
	{ PROGRAM(main_joins_fetching_worker), CLASS_IO_BOUND, "network", MODEL_SYNC, 1,
	  MODEL_THREADS, ACTION_CHANGE, "serial-io" },
	{ PROGRAM(threads_that_take_turns), CLASS_IO_BOUND, "network", MODEL_THREADS, 4,
	  MODEL_THREADS, ACTION_KEEP, "workers-take-turns" },
	{ PROGRAM(client_of_a_unix_socket), CLASS_IO_BOUND, "ipc", MODEL_SYNC, 1, MODEL_THREADS,
	  ACTION_CHANGE, "" },
	{ PROGRAM(idle_workers_beside_computing_main), CLASS_CPU_BOUND, NULL, MODEL_SYNC, 1,
	  MODEL_MULTIPROCESSING, ACTION_CHANGE, "idle-workers" },
	{ PROGRAM(idle_server), CLASS_IDLE, NULL, MODEL_SYNC, 1, MODEL_SYNC, ACTION_MEASURE_AGAIN,
	  "" },
	{ PROGRAM(two_native_threads_compute), CLASS_CPU_BOUND, "parallel", MODEL_THREADS, 2,
	  MODEL_THREADS, ACTION_KEEP, "" },
	{ PROGRAM(native_computes_alone), CLASS_CPU_BOUND, NULL, MODEL_SYNC, 1, MODEL_THREADS,
	  ACTION_CHANGE, "" },
	{ PROGRAM(disk_reader), CLASS_IO_BOUND, "disk", MODEL_SYNC, 1, MODEL_THREADS, ACTION_CHANGE,
	  "serial-io" },
	{ PROGRAM(four_threads_on_one_mutex), CLASS_LOCK_BOUND, NULL, MODEL_THREADS, 4,
	  MODEL_THREADS, ACTION_KEEP, "lock-contention" },
	{ PROGRAM(sleep_loop), CLASS_TIMER_BOUND, NULL, MODEL_SYNC, 1, MODEL_SYNC, ACTION_KEEP,
	  "" },
	{ PROGRAM(half_computing_half_waiting), CLASS_MIXED, NULL, MODEL_SYNC, 1,
	  MODEL_MULTIPROCESSING, ACTION_CHANGE, "serial-io" },
	{ PROGRAM(curl_in_a_shell_loop), CLASS_IO_BOUND, "network", MODEL_SYNC, 1, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ PROGRAM(redis_at_rest), CLASS_IDLE, NULL, MODEL_ASYNC, 1, MODEL_ASYNC,
	  ACTION_MEASURE_AGAIN, "" },
	{ PROGRAM(redis_under_load), CLASS_CPU_BOUND, NULL, MODEL_ASYNC, 1, MODEL_ASYNC,
	  ACTION_KEEP, "idle-workers" },
	{ PROGRAM(node_that_computes), CLASS_CPU_BOUND, NULL, MODEL_ASYNC, 1, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "cpu-work-on-event-loop" },
	{ PROGRAM(throttled_by_a_quota), CLASS_CPU_STARVED, "throttled", MODEL_SYNC, 1, MODEL_SYNC,
	  ACTION_KEEP, "cpu-throttled cpu-starved" },
	{ PROGRAM(starved_by_others), CLASS_CPU_STARVED, "oversubscribed", MODEL_SYNC, 1,
	  MODEL_SYNC, ACTION_KEEP, "cpu-starved" },
	{ PROGRAM(too_short_to_tell), CLASS_INCONCLUSIVE, NULL, MODEL_SYNC, 1, MODEL_SYNC,
	  ACTION_MEASURE_AGAIN, "" },
	{ PROGRAM(nothing_was_seen), CLASS_INCONCLUSIVE, NULL, MODEL_SYNC, 1, MODEL_SYNC,
	  ACTION_MEASURE_AGAIN, "" },
};

#define CASE_CNT (sizeof(cases) / sizeof(cases[0]))

static void assert_findings(const struct report *report, const char *expected)
{
	char list[256];
	size_t cnt = 0;

	assert_true(strlen(expected) < sizeof(list));
	strcpy(list, expected);
	for (char *id = strtok(list, " "); id; id = strtok(NULL, " "), cnt++)
		assert_true(has_finding(report, id));
	assert_int_equal(report->finding_cnt, cnt);
}

static void check_case(void **state)
{
	const struct lecture_case *expected = *state;
	struct observation obs;
	struct report report;

	expected->build(&obs);
	build_report(&obs, &report);
	assert_string_equal(verdict_class_name(report.verdict.verdict_class),
			    verdict_class_name(expected->verdict_class));
	assert_string_equal(report.verdict.subclass ? report.verdict.subclass : "(none)",
			    expected->subclass ? expected->subclass : "(none)");
	assert_string_equal(concurrency_model_name(report.concurrency.current),
			    concurrency_model_name(expected->current));
	assert_int_equal(report.concurrency.workers, expected->workers);
	assert_string_equal(concurrency_model_name(report.recommendation.model),
			    concurrency_model_name(expected->model));
	assert_string_equal(recommended_action_name(report.recommendation.action),
			    recommended_action_name(expected->action));
	assert_findings(&report, expected->findings);
	report_release(&report);
}

int main(void)
{
	struct CMUnitTest tests[CASE_CNT];

	for (size_t i = 0; i < CASE_CNT; i++)
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = check_case,
			.initial_state = (void *)&cases[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
