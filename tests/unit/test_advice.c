/* The recommendation beyond the lecture's programs: how many workers, when to keep, what to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define SERVER .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443"

/* A client of @exe with one thread that computes @computing_ms of 1000 and waits the rest. */
static void build_client(struct observation *obs, const char *exe, uint64_t computing_ms,
			 uint64_t waits)
{
	build_observation(obs, 1000, computing_ms, 0, 4);
	build_process(obs, 10, exe);
	build_thread(obs, 10, 10, computing_ms);
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = 1000 - computing_ms, .cnt = waits,
	       .quiet_ms = 1000 - computing_ms, SERVER);
}

static struct report report_of_client(const char *exe, uint64_t computing_ms, uint64_t waits,
				      uint32_t planned)
{
	struct observation obs;
	struct report report;

	build_client(&obs, exe, computing_ms, waits);
	build_report_for(&obs, planned, &report);
	return report;
}

static void assert_advice(const struct report *report, enum recommended_action action,
			  enum concurrency_model model, uint32_t workers)
{
	assert_string_equal(recommended_action_name(report->recommendation.action),
			    recommended_action_name(action));
	assert_string_equal(concurrency_model_name(report->recommendation.model),
			    concurrency_model_name(model));
	assert_int_equal(report->recommendation.workers, workers);
}

static void io_workers_follow_goetz(void **state)
{
	/* (C+W)/C under the GIL: 100 + 900 over 100. */
	struct report under_gil = report_of_client(PYTHON, 100, 20, 0);
	struct report native = report_of_client("/bin/a", 100, 500, 0);

	(void)state;
	assert_advice(&under_gil, ACTION_CHANGE, MODEL_THREADS, 10);
	assert_string_equal(under_gil.recommendation.api,
			    "concurrent.futures.ThreadPoolExecutor(max_workers=10)");
	/* Without it, on 4 CPUs, four times that: beyond what is advised unseen. */
	assert_advice(&native, ACTION_CHANGE, MODEL_THREADS, 16);
	report_release(&under_gil);
	report_release(&native);
}

static void io_workers_are_bounded(void **state)
{
	struct report many = report_of_client(PYTHON, 5, 500, 0);
	struct report few = report_of_client(PYTHON, 1, 3, 0);

	(void)state;
	assert_advice(&many, ACTION_CHANGE, MODEL_THREADS, 16);
	assert_advice(&few, ACTION_CHANGE, MODEL_THREADS, 3);
	report_release(&many);
	report_release(&few);
}

static void planned_concurrency_decides(void **state)
{
	struct report threads = report_of_client(PYTHON, 10, 100, 99);
	struct report async = report_of_client(PYTHON, 10, 100, 100);

	(void)state;
	assert_advice(&threads, ACTION_CHANGE, MODEL_THREADS, 99);
	assert_advice(&async, ACTION_CHANGE, MODEL_ASYNC, 0);
	assert_string_equal(async.recommendation.api, "asyncio with an async client");
	report_release(&threads);
	report_release(&async);
}

/* Eight processes on two CPUs, each of which computes for @computing_ms of 1000, waits for others
 * for @waiting_ms, and is ready to run for the rest. */
static struct report report_of_pool(uint64_t computing_ms, uint64_t waiting_ms)
{
	struct observation obs;
	struct report report;

	build_observation(&obs, 1000, 1000, 0, 2);
	for (pid_t pid = 10; pid < 18; pid++) {
		build_process(&obs, pid, PYTHON);
		build_thread(&obs, pid, pid, computing_ms)->run_queue_ns =
			(1000 - computing_ms - waiting_ms) * 1000000;
		if (waiting_ms)
			WAITED(&obs, pid, .reason = WAIT_NETWORK, .ms = waiting_ms, .cnt = 20,
			       SERVER);
	}
	build_report(&obs, &report);
	return report;
}

/* Those that only compute are too many; those that wait as well leave the CPUs to each other. */
static void only_workers_that_compute_are_too_many(void **state)
{
	struct report computing = report_of_pool(250, 0);
	struct report waiting = report_of_pool(250, 300);

	(void)state;
	assert_advice(&computing, ACTION_KEEP, MODEL_MULTIPROCESSING, 2);
	assert_true(has_finding(&computing, "more-workers-than-cores"));
	assert_int_equal(waiting.recommendation.action, ACTION_KEEP);
	assert_int_not_equal(waiting.recommendation.workers, 2);
	assert_null(strstr(waiting.recommendation.summary, "run 2 workers"));
	assert_false(has_finding(&waiting, "more-workers-than-cores"));
	report_release(&computing);
	report_release(&waiting);
}

static void a_stopped_program_is_to_go_on_first(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 10, 0, 4);
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, 10);
	WAITED(&obs, 10, .reason = WAIT_STOPPED, .ms = 990, .quiet_ms = 990);
	build_report(&obs, &report);
	assert_int_equal(report.recommendation.action, ACTION_MEASURE_AGAIN);
	assert_non_null(strstr(report.recommendation.summary, "kill -CONT"));
	report_release(&report);
}

/* Interpreters without threads: what they have instead. */
static void no_threads_where_there_are_none(void **state)
{
	static const struct {
		const char *exe, *async, *processes;
	} rows[] = {
		{ "/usr/bin/perl", "IO::Async", "Parallel::ForkManager with 4" },
		{ "/usr/bin/php8.2", "curl_multi", "4 workers" },
		{ "/usr/bin/lua5.4", "luv", "4 processes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report computing = report_of_client(rows[i].exe, 990, 9, 0);
		struct report waiting = report_of_client(rows[i].exe, 10, 500, 0);

		assert_advice(&computing, ACTION_CHANGE, MODEL_MULTIPROCESSING, 4);
		assert_non_null(strstr(computing.recommendation.api, rows[i].processes));
		assert_advice(&waiting, ACTION_CHANGE, MODEL_ASYNC, 0);
		assert_non_null(strstr(waiting.recommendation.api, rows[i].async));
		report_release(&computing);
		report_release(&waiting);
	}
}

static struct report report_of_reader(const char *exe, uint64_t computing_ms, uint32_t planned)
{
	struct observation obs;
	struct report report;

	build_observation(&obs, 1000, computing_ms, 0, 4);
	build_process(&obs, 10, exe);
	build_thread(&obs, 10, 10, computing_ms);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 1000 - computing_ms, .cnt = 9000,
	       .quiet_ms = 1000 - computing_ms, .kind = OBJECT_FILE, .name = "/data/x");
	build_report_for(&obs, planned, &report);
	return report;
}

static void files_are_read_by_processes_where_there_are_no_threads(void **state)
{
	struct report bound = report_of_reader("/usr/bin/perl", 10, 0);
	struct report mixed = report_of_reader("/usr/bin/perl", 500, 0);

	(void)state;
	assert_advice(&bound, ACTION_CHANGE, MODEL_MULTIPROCESSING, 4);
	assert_int_equal(mixed.verdict.verdict_class, CLASS_MIXED);
	assert_advice(&mixed, ACTION_CHANGE, MODEL_MULTIPROCESSING, 4);
	report_release(&bound);
	report_release(&mixed);
}

static bool says(const struct report *report, const char *words)
{
	for (size_t i = 0; i < report->recommendation.reason_cnt; i++)
		if (strstr(report->recommendation.reasons[i], words))
			return true;
	return false;
}

/* Whatever is planned, a disk serves a few at a time. */
static void plans_end_at_the_disk(void **state)
{
	struct report bound = report_of_reader("/bin/a", 10, 5000);
	struct report mixed = report_of_reader("/bin/a", 500, 5000);
	struct report modest = report_of_reader("/bin/a", 10, 6);

	(void)state;
	assert_advice(&bound, ACTION_CHANGE, MODEL_THREADS, 4);
	assert_true(says(&bound, "5000 things at once, but more than 4 at a time would only queue "
				 "for the disk"));
	assert_advice(&mixed, ACTION_CHANGE, MODEL_THREADS, 8);
	assert_true(says(
		&mixed,
		"5000 things at once, but more than 8 at a time would only queue for the disk"));
	assert_advice(&modest, ACTION_CHANGE, MODEL_THREADS, 4);
	report_release(&bound);
	report_release(&mixed);
	report_release(&modest);
}

/* What a program waited for one after another is named, and nothing else. */
static void serial_io_names_what_it_counts(void **state)
{
	static const struct {
		uint64_t network_ms, disk_ms;
		const char *name;
	} rows[] = {
		{ 300, 500, "for network and disk for 80%" },
		{ 790, 10, "for the network for 80%" },
		{ 10, 790, "for the disk for 80%" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct observation obs;
		struct report report;

		build_observation(&obs, 1000, 200, 0, 2);
		build_process(&obs, 10, "/bin/a");
		build_thread(&obs, 10, 10, 200);
		WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = rows[i].network_ms, .cnt = 9,
		       .quiet_ms = rows[i].network_ms, SERVER);
		WAITED(&obs, 10, .reason = WAIT_DISK, .ms = rows[i].disk_ms, .cnt = 9,
		       .quiet_ms = rows[i].disk_ms, .kind = OBJECT_FILE, .name = "/data/x");
		build_report(&obs, &report);
		assert_true(has_finding(&report, "serial-io"));
		assert_non_null(strstr(report.findings[0].summary, rows[i].name));
		report_release(&report);
	}
}

/* Node's workers are threads, so it is not told to do without. */
static void node_may_use_its_workers(void **state)
{
	struct report report = report_of_client("/usr/bin/node", 990, 9, 0);

	(void)state;
	assert_non_null(strstr(report.recommendation.api, "worker_threads"));
	assert_null(strstr(report.recommendation.avoid, "threads"));
	assert_true(says(&report, "JavaScript computes on one thread"));
	report_release(&report);
}

/* What is kept because nothing can overlap is not said to be able to. */
static void a_pipe_is_not_said_to_overlap(void **state)
{
	struct report client = report_of_client(PYTHON, 100, 500, 0);
	struct observation obs;
	struct report reader;

	(void)state;
	build_observation(&obs, 1000, 10, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, 10);
	WAITED(&obs, 10, .reason = WAIT_IPC, .ms = 990, .cnt = 40, .quiet_ms = 990,
	       .kind = OBJECT_PIPE, .name = "pipe:[1]");
	build_report(&obs, &reader);
	assert_advice(&reader, ACTION_KEEP, MODEL_SYNC, 0);
	assert_false(says(&reader, "can overlap"));
	assert_true(says(&client, "can overlap"));
	report_release(&reader);
	report_release(&client);
}

static void one_wait_overlaps_with_nothing(void **state)
{
	struct report report = report_of_client("/usr/bin/curl", 50, 1, 0);

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_IO_BOUND);
	assert_advice(&report, ACTION_KEEP, MODEL_SYNC, 0);
	report_release(&report);
}

static void a_short_program_stays_as_it_is(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 60, 60, 0, 4);
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, 60);
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_CPU_BOUND);
	assert_advice(&report, ACTION_KEEP, MODEL_SYNC, 0);
	report_release(&report);
}

static void one_cpu_is_no_reason_to_spread(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 1);
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, 1000);
	build_report(&obs, &report);
	assert_advice(&report, ACTION_KEEP, MODEL_SYNC, 0);
	report_release(&report);
}

static void a_quota_narrows_the_cpus(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 8);
	obs.host.cpu_quota = 3;
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, 1000);
	build_report(&obs, &report);
	assert_advice(&report, ACTION_CHANGE, MODEL_MULTIPROCESSING, 3);
	report_release(&report);
}

/* NumPy, hashlib, zlib: native code that lets go of the GIL computes in threads. */
static void threads_that_escape_the_gil_stay(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 4);
	build_process(&obs, 10, PYTHON);
	for (pid_t tid = 11; tid < 15; tid++)
		build_thread(&obs, 10, tid, 950);
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_CPU_BOUND);
	assert_string_equal(report.verdict.subclass, "parallel");
	assert_advice(&report, ACTION_KEEP, MODEL_THREADS, 4);
	assert_false(has_finding(&report, "threads-for-cpu-work"));
	report_release(&report);
}

static void free_threaded_python_takes_threads(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 4);
	build_process(&obs, 10, PYTHON)->is_free_threaded = true;
	build_thread(&obs, 10, 10, 1000);
	build_report(&obs, &report);
	assert_int_equal(report.runtime.global_lock, GLOBAL_LOCK_NONE);
	assert_advice(&report, ACTION_CHANGE, MODEL_THREADS, 4);
	report_release(&report);
}

static void build_threads_in_flight(struct observation *obs, int cnt)
{
	build_observation(obs, 1000, 200, 0, 2);
	build_process(obs, 10, PYTHON);
	for (pid_t tid = 11; tid < 11 + cnt; tid++) {
		build_thread(obs, 10, tid, 1);
		WAITED(obs, tid, .reason = WAIT_NETWORK, .ms = 990, .cnt = 9,
		       .quiet_ms = 800 / (uint64_t)cnt, SERVER);
	}
}

/* A loop would carry them too, and no faster. */
static void many_in_flight_are_kept(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_threads_in_flight(&obs, 120);
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_THREADS);
	assert_int_equal(report.concurrency.workers, 120);
	assert_true(report.concurrency.in_flight_mean > 110);
	assert_advice(&report, ACTION_KEEP, MODEL_THREADS, 0);
	report_release(&report);
}

static void a_loop_does_not_tell_what_is_in_flight(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_client(&obs, PYTHON, 100, 20);
	obs.processes[0].has_event_loop = true;
	obs.waits[0].via_event_loop = true;
	obs.threads[0].event_loop_wait_ns = obs.waits[0].wait_ns;
	obs.threads[0].event_loop_wait_cnt = obs.waits[0].wait_cnt;
	build_report(&obs, &report);
	assert_true(report.concurrency.in_flight_mean == -1);
	assert_true(report.concurrency.in_flight_peak == -1);
	assert_advice(&report, ACTION_KEEP, MODEL_ASYNC, 0);
	report_release(&report);
}

static void disk_waits_gain_from_threads_not_async(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 10, 0, 2);
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, 10);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 990, .cnt = 300, .quiet_ms = 990,
	       .kind = OBJECT_FILE, .name = "/data/x");
	build_report_for(&obs, 200, &report);
	assert_string_equal(report.verdict.subclass, "disk");
	assert_int_equal(report.recommendation.model, MODEL_THREADS);
	assert_non_null(strstr(report.recommendation.avoid, "event loop"));
	report_release(&report);
}

/* Reading its own modules when cold is no blocking call. */
static void cold_start_blocks_no_loop(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 100, 0, 2);
	build_process(&obs, 10, PYTHON)->has_event_loop = true;
	build_thread(&obs, 10, 10, 100);
	WAITED(&obs, 10, .reason = WAIT_DISK, .ms = 300, .cnt = 90, .quiet_ms = 300,
	       .kind = OBJECT_FILE, .name = "/usr/lib/python3.11/asyncio/base_events.py");
	WAITED(&obs, 10, .reason = WAIT_PAGING, .ms = 200, .cnt = 90, .quiet_ms = 200);
	WAITED(&obs, 10, .reason = WAIT_NETWORK, .ms = 400, .cnt = 9, .quiet_ms = 400,
	       .via_event_loop = true, SERVER);
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_ASYNC);
	assert_false(has_finding(&report, "blocking-call-on-event-loop"));
	report_release(&report);
}

/* Whether a loop's thread that waits 900 ms of 1000 for the file @name is found to block. */
static bool blocks_loop_by_reading(const char *name)
{
	struct observation obs;
	struct report report;
	bool is_found;

	build_client(&obs, PYTHON, 100, 20);
	obs.processes[0].has_event_loop = true;
	obs.waits[0].reason = WAIT_DISK;
	obs.waits[0].kind = OBJECT_FILE;
	obs.waits[0].name = name;
	obs.threads[0].wait_ns[WAIT_DISK] = obs.threads[0].wait_ns[WAIT_NETWORK];
	obs.threads[0].wait_cnt[WAIT_DISK] = obs.threads[0].wait_cnt[WAIT_NETWORK];
	obs.threads[0].wait_ns[WAIT_NETWORK] = 0;
	obs.threads[0].wait_cnt[WAIT_NETWORK] = 0;
	build_report(&obs, &report);
	is_found = has_finding(&report, "blocking-call-on-event-loop");
	report_release(&report);
	return is_found;
}

/* What is data by its name is data, wherever it lies. */
static void only_program_text_may_block_a_loop(void **state)
{
	static const char *const text[] = { "/app/a.py",     "/app/a.pyc",
					    "/app/a.cjs",    "/lib/x86_64-linux-gnu/libc.so.6",
					    "/opt/x.so.1.2", "/app/node_modules/a/package.json" };
	static const char *const data[] = { "/srv/data.json", "/usr/share/data/words",
					    "/lib/firmware/x.bin", "/srv/x.so.txt", "/srv/py" };

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		assert_false(blocks_loop_by_reading(text[i]));
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
		assert_true(blocks_loop_by_reading(data[i]));
}

static void blocking_sleep_on_a_loop_is_named(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_client(&obs, PYTHON, 100, 20);
	obs.processes[0].has_event_loop = true;
	build_report(&obs, &report);
	assert_int_equal(report.finding_cnt, 1);
	assert_string_equal(report.findings[0].id, "blocking-call-on-event-loop");
	assert_int_equal(report.findings[0].severity, SEVERITY_HIGH);
	assert_non_null(strstr(report.findings[0].summary, "10.0.0.5:443"));
	report_release(&report);
}

/* A loop that ticks in a helper thread doesn't make the main thread's work asynchronous. */
static void a_loop_beside_the_work_drives_nothing(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, 10, PYTHON)->has_event_loop = true;
	build_thread(&obs, 10, 10, 990);
	build_thread(&obs, 10, 11, 5);
	WAITED(&obs, 11, .reason = WAIT_TIMER, .ms = 995, .cnt = 50, .kind = OBJECT_EPOLL,
	       .via_event_loop = true, .timed_out = true);
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_SYNC);
	assert_false(has_finding(&report, "cpu-work-on-event-loop"));
	report_release(&report);
}

/* A shell or make that runs commands, each @ms long, @at_once of them at a time. */
static void build_commands(struct observation *obs, const char *exe, int cnt, int at_once)
{
	uint64_t each_ms = 100;

	build_observation(obs, each_ms * (uint64_t)(cnt / at_once), 0, 0, 2);
	obs->program.computing_ns = obs->program.quiet_ns;
	obs->program.quiet_ns = 0;
	build_process(obs, 10, "/usr/bin/make")->is_exec = true;
	build_thread(obs, 10, 10, 1);
	WAITED(obs, 10, .reason = WAIT_CHILD, .ms = each_ms, .by_tree = true);
	for (int i = 0; i < cnt; i++) {
		struct obs_process *command = build_process(obs, 20 + i, exe);
		struct obs_thread *thread = build_thread(obs, 20 + i, 20 + i, each_ms - 1);

		command->is_exec = true;
		command->parent_pid = 10;
		command->start_ns = (uint64_t)(i / at_once) * each_ms * MS;
		command->end_ns = command->start_ns + each_ms * MS;
		thread->start_ns = command->start_ns;
		thread->end_ns = command->end_ns;
	}
}

static void commands_in_turn_can_run_at_once(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_commands(&obs, "/usr/lib/gcc/cc1", 10, 1);
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_SYNC);
	assert_advice(&report, ACTION_CHANGE, MODEL_MULTIPROCESSING, 2);
	assert_string_equal(report.recommendation.api, "xargs -P 2, make -j2 or GNU parallel -j 2");
	report_release(&report);
}

static void commands_at_once_are_processes(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_commands(&obs, "/usr/lib/gcc/cc1", 10, 2);
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_MULTIPROCESSING);
	assert_int_equal(report.concurrency.workers, 2);
	assert_advice(&report, ACTION_KEEP, MODEL_MULTIPROCESSING, 2);
	report_release(&report);
}

static void a_loop_per_process_is_mixed(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	for (pid_t pid = 10; pid < 12; pid++) {
		struct obs_process *worker = build_process(&obs, pid, "/usr/sbin/nginx");

		worker->has_event_loop = true;
		worker->listening_cnt = 1;
		build_thread(&obs, pid, pid, 950);
	}
	build_report(&obs, &report);
	assert_int_equal(report.concurrency.current, MODEL_MIXED);
	assert_advice(&report, ACTION_KEEP, MODEL_MULTIPROCESSING, 2);
	report_release(&report);
}

/* A pool's main process waits for pipes that its own workers write to: it is no worker, whether the
 * wakers are known (eBPF) or not (procfs). */
static void build_pool(struct observation *obs, bool by_tree)
{
	build_observation(obs, 1000, 1000, 0, 2);
	build_process(obs, 10, PYTHON);
	build_thread(obs, 10, 10, 10);
	WAITED(obs, 10, .reason = WAIT_POLL, .ms = 990, .cnt = 16, .kind = OBJECT_EPOLL,
	       .by_tree = by_tree, .by_unknown = !by_tree);
	build_thread(obs, 10, 11, 1);
	WAITED(obs, 11, .reason = WAIT_IPC, .ms = 990, .cnt = 16, .kind = OBJECT_PIPE,
	       .by_tree = by_tree, .by_unknown = !by_tree);
	for (pid_t pid = 20; pid < 22; pid++) {
		build_process(obs, pid, PYTHON);
		build_thread(obs, pid, pid, 990);
	}
}

static void a_pools_main_process_is_no_worker(void **state)
{
	(void)state;
	for (int by_tree = 0; by_tree < 2; by_tree++) {
		struct observation obs;
		struct report report;

		build_pool(&obs, by_tree);
		build_report(&obs, &report);
		assert_int_equal(report.concurrency.current, MODEL_MULTIPROCESSING);
		assert_int_equal(report.concurrency.workers, 2);
		assert_true(report.concurrency.in_flight_mean == 0);
		report_release(&report);
	}
}

/* Roles group what is alike, and say of each what it does. */
static void roles_say_who_does_what(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, 10, PYTHON);
	build_thread(&obs, 10, 10, 1000);
	for (pid_t tid = 11; tid < 14; tid++) {
		build_thread(&obs, 10, tid, 0);
		WAITED(&obs, tid, .reason = WAIT_NETWORK, .ms = 1000, .cnt = 3, SERVER);
	}
	build_report(&obs, &report);
	assert_int_equal(report.role_cnt, 2);
	assert_string_equal(report.roles[0].name, "python3.11: waiting for the network");
	assert_string_equal(report.roles[0].kind, "workers");
	assert_int_equal(report.roles[0].thread_cnt, 3);
	assert_int_equal(report.roles[0].verdict_class, CLASS_IO_BOUND);
	assert_string_equal(report.roles[1].name, "python3.11 (main)");
	assert_string_equal(report.roles[1].kind, "main");
	assert_int_equal(report.roles[1].verdict_class, CLASS_CPU_BOUND);
	report_release(&report);
}

static void one_phase_spans_the_run(void **state)
{
	struct report report = report_of_client(PYTHON, 100, 500, 0);

	(void)state;
	assert_int_equal(report.phase_cnt, 1);
	assert_int_equal(report.phases[0].end_ns, 1000 * MS);
	assert_int_equal(report.phases[0].verdict_class, CLASS_IO_BOUND);
	report_release(&report);
}

/* Everything in the report outlives the observation. */
static void what_passes_through_is_copied(void **state)
{
	const char *argv[] = { "python3", "x.py" };
	struct observation obs;
	struct report report;

	(void)state;
	build_client(&obs, PYTHON, 100, 500);
	obs.target.argv = argv;
	obs.target.argc = 2;
	obs.target.pid = 10;
	obs.target.has_exited = true;
	obs.target.exit_code = 3;
	assert_int_equal(observation_add_missing_probe(&obs, "sock: absent"), 0);
	assert_int_equal(analyze(&obs, &(struct analyze_options){ .is_replay = true }, &report), 0);
	obs.target.argv = NULL;
	obs.target.argc = 0;
	observation_release(&obs);
	assert_true(report.is_replay);
	assert_int_equal(report.command_cnt, 2);
	assert_string_equal(report.command[1], "x.py");
	assert_int_equal(report.exit_code, 3);
	assert_int_equal(report.missing_probe_cnt, 1);
	assert_string_equal(report.missing_probes[0], "sock: absent");
	assert_int_equal(report.switch_cnt, 1000);
	assert_string_equal(report.host.kernel, "");
	report_release(&report);
	report_release(&report); /* a released report may be released again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(io_workers_follow_goetz),
		cmocka_unit_test(io_workers_are_bounded),
		cmocka_unit_test(planned_concurrency_decides),
		cmocka_unit_test(only_workers_that_compute_are_too_many),
		cmocka_unit_test(a_stopped_program_is_to_go_on_first),
		cmocka_unit_test(no_threads_where_there_are_none),
		cmocka_unit_test(files_are_read_by_processes_where_there_are_no_threads),
		cmocka_unit_test(plans_end_at_the_disk),
		cmocka_unit_test(serial_io_names_what_it_counts),
		cmocka_unit_test(node_may_use_its_workers),
		cmocka_unit_test(a_pipe_is_not_said_to_overlap),
		cmocka_unit_test(one_wait_overlaps_with_nothing),
		cmocka_unit_test(a_short_program_stays_as_it_is),
		cmocka_unit_test(one_cpu_is_no_reason_to_spread),
		cmocka_unit_test(a_quota_narrows_the_cpus),
		cmocka_unit_test(threads_that_escape_the_gil_stay),
		cmocka_unit_test(free_threaded_python_takes_threads),
		cmocka_unit_test(many_in_flight_are_kept),
		cmocka_unit_test(a_loop_does_not_tell_what_is_in_flight),
		cmocka_unit_test(disk_waits_gain_from_threads_not_async),
		cmocka_unit_test(cold_start_blocks_no_loop),
		cmocka_unit_test(only_program_text_may_block_a_loop),
		cmocka_unit_test(blocking_sleep_on_a_loop_is_named),
		cmocka_unit_test(a_loop_beside_the_work_drives_nothing),
		cmocka_unit_test(commands_in_turn_can_run_at_once),
		cmocka_unit_test(commands_at_once_are_processes),
		cmocka_unit_test(a_loop_per_process_is_mixed),
		cmocka_unit_test(a_pools_main_process_is_no_worker),
		cmocka_unit_test(roles_say_who_does_what),
		cmocka_unit_test(one_phase_spans_the_run),
		cmocka_unit_test(what_passes_through_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
