/* Replays what classify recorded of real programs, and holds the analysis to what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "observation/recording.h"
#include "observation_builder.h"

struct recorded {
	const char *file; /* below tests/recordings */
	enum verdict_class verdict_class;
	const char *subclass; /* NULL: none */
	enum concurrency_model current;
	enum concurrency_model model;
	enum recommended_action action;
	const char *finding; /* NULL: none but of severity info */
};

static const struct recorded recordings[] = {
	{ "ebpf/api_sequential.json", CLASS_IO_BOUND, "network", MODEL_SYNC, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ "procfs/api_sequential.json", CLASS_IO_BOUND, "network", MODEL_SYNC, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ "ebpf/api_threads.json", CLASS_IO_BOUND, "network", MODEL_THREADS, MODEL_THREADS,
	  ACTION_KEEP, NULL },
	{ "procfs/api_threads.json", CLASS_IO_BOUND, "network", MODEL_THREADS, MODEL_THREADS,
	  ACTION_KEEP, NULL },
	{ "ebpf/api_asyncio.json", CLASS_IO_BOUND, "network", MODEL_ASYNC, MODEL_ASYNC, ACTION_KEEP,
	  NULL },
	{ "procfs/api_asyncio.json", CLASS_IO_BOUND, "network", MODEL_ASYNC, MODEL_ASYNC,
	  ACTION_KEEP, NULL },
	{ "ebpf/api_multiprocessing.json", CLASS_IO_BOUND, "network", MODEL_MULTIPROCESSING,
	  MODEL_THREADS, ACTION_CHANGE, "processes-for-io" },
	{ "procfs/api_multiprocessing.json", CLASS_IO_BOUND, "network", MODEL_MULTIPROCESSING,
	  MODEL_THREADS, ACTION_CHANGE, "processes-for-io" },
	{ "ebpf/api_asyncio_blocking.json", CLASS_IO_BOUND, "network", MODEL_ASYNC, MODEL_ASYNC,
	  ACTION_CHANGE, "blocking-call-on-event-loop" },
	{ "procfs/api_asyncio_blocking.json", CLASS_IO_BOUND, "network", MODEL_ASYNC, MODEL_ASYNC,
	  ACTION_CHANGE, "blocking-call-on-event-loop" },
	{ "ebpf/cpu_sequential.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, NULL },
	{ "procfs/cpu_sequential.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, NULL },
	{ "ebpf/cpu_threads.json", CLASS_CPU_BOUND, "gil", MODEL_THREADS, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "threads-for-cpu-work" },
	{ "procfs/cpu_threads.json", CLASS_CPU_BOUND, "gil", MODEL_THREADS, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "threads-for-cpu-work" },
	{ "ebpf/cpu_multiprocessing.json", CLASS_CPU_BOUND, "parallel", MODEL_MULTIPROCESSING,
	  MODEL_MULTIPROCESSING, ACTION_KEEP, NULL },
	{ "procfs/cpu_multiprocessing.json", CLASS_CPU_BOUND, "parallel", MODEL_MULTIPROCESSING,
	  MODEL_MULTIPROCESSING, ACTION_KEEP, NULL },
	{ "ebpf/cpu_multiprocessing_oversubscribed.json", CLASS_CPU_BOUND, "parallel",
	  MODEL_MULTIPROCESSING, MODEL_MULTIPROCESSING, ACTION_KEEP, "more-workers-than-cores" },
	{ "procfs/cpu_multiprocessing_oversubscribed.json", CLASS_CPU_BOUND, "parallel",
	  MODEL_MULTIPROCESSING, MODEL_MULTIPROCESSING, ACTION_KEEP, "more-workers-than-cores" },
	{ "ebpf/cpu_asyncio.json", CLASS_CPU_BOUND, NULL, MODEL_ASYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "cpu-work-on-event-loop" },
	{ "procfs/cpu_asyncio.json", CLASS_CPU_BOUND, NULL, MODEL_ASYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "cpu-work-on-event-loop" },
	{ "ebpf/join_busy.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, NULL },
	{ "procfs/join_busy.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, NULL },
	{ "ebpf/join_fetching.json", CLASS_IO_BOUND, "network", MODEL_SYNC, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ "procfs/join_fetching.json", CLASS_IO_BOUND, "network", MODEL_SYNC, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ "ebpf/idle_workers_beside_main.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC,
	  MODEL_MULTIPROCESSING, ACTION_CHANGE, NULL },
	{ "procfs/idle_workers_beside_main.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC,
	  MODEL_MULTIPROCESSING, ACTION_CHANGE, NULL },
	{ "ebpf/idle_server.json", CLASS_IDLE, NULL, MODEL_SYNC, MODEL_SYNC, ACTION_MEASURE_AGAIN,
	  NULL },
	{ "procfs/idle_server.json", CLASS_IDLE, NULL, MODEL_SYNC, MODEL_SYNC, ACTION_MEASURE_AGAIN,
	  NULL },
	{ "ebpf/timer.json", CLASS_TIMER_BOUND, NULL, MODEL_SYNC, MODEL_SYNC, ACTION_KEEP, NULL },
	{ "procfs/timer.json", CLASS_TIMER_BOUND, NULL, MODEL_SYNC, MODEL_SYNC, ACTION_KEEP, NULL },
	{ "ebpf/mixed.json", CLASS_MIXED, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING, ACTION_CHANGE,
	  "serial-io" },
	{ "procfs/mixed.json", CLASS_MIXED, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING, ACTION_CHANGE,
	  "serial-io" },
	{ "ebpf/c_cpu.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  NULL },
	{ "procfs/c_cpu.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  NULL },
	{ "ebpf/c_cpu_threads.json", CLASS_CPU_BOUND, "parallel", MODEL_THREADS, MODEL_THREADS,
	  ACTION_KEEP, NULL },
	{ "procfs/c_cpu_threads.json", CLASS_CPU_BOUND, "parallel", MODEL_THREADS, MODEL_THREADS,
	  ACTION_KEEP, NULL },
	{ "ebpf/c_disk.json", CLASS_IO_BOUND, "disk", MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  "serial-io" },
	{ "procfs/c_disk.json", CLASS_IO_BOUND, "disk", MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  "serial-io" },
	{ "ebpf/c_lock.json", CLASS_LOCK_BOUND, NULL, MODEL_THREADS, MODEL_THREADS, ACTION_KEEP,
	  "lock-contention" },
	{ "procfs/c_lock.json", CLASS_LOCK_BOUND, NULL, MODEL_THREADS, MODEL_THREADS, ACTION_KEEP,
	  "lock-contention" },
	{ "ebpf/c_timer.json", CLASS_TIMER_BOUND, NULL, MODEL_SYNC, MODEL_SYNC, ACTION_KEEP, NULL },
	{ "procfs/c_timer.json", CLASS_TIMER_BOUND, NULL, MODEL_SYNC, MODEL_SYNC, ACTION_KEEP,
	  NULL },
	{ "ebpf/c_ipc.json", CLASS_IO_BOUND, "ipc", MODEL_SYNC, MODEL_SYNC, ACTION_KEEP, NULL },
	{ "procfs/c_ipc.json", CLASS_IO_BOUND, "ipc", MODEL_SYNC, MODEL_SYNC, ACTION_KEEP, NULL },
	{ "ebpf/c_idle_server.json", CLASS_IDLE, NULL, MODEL_SYNC, MODEL_SYNC, ACTION_MEASURE_AGAIN,
	  NULL },
	{ "procfs/c_idle_server.json", CLASS_IDLE, NULL, MODEL_SYNC, MODEL_SYNC,
	  ACTION_MEASURE_AGAIN, NULL },
	{ "ebpf/curl_loop.json", CLASS_IO_BOUND, "network", MODEL_SYNC, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	/* Cold, from a disk that answers in 15 us: it computes as long as it waits. */
	{ "ebpf/find.json", CLASS_MIXED, NULL, MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  "serial-io" },
	{ "ebpf/xz.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE, NULL },
	{ "ebpf/gcc.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE, NULL },
	{ "ebpf/node_cpu.json", CLASS_CPU_BOUND, NULL, MODEL_ASYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "cpu-work-on-event-loop" },
	{ "ebpf/node_http.json", CLASS_IO_BOUND, "network", MODEL_ASYNC, MODEL_ASYNC, ACTION_KEEP,
	  NULL },
	{ "ebpf/pipeline.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  NULL },
	{ "ebpf/redis_idle.json", CLASS_IDLE, NULL, MODEL_ASYNC, MODEL_ASYNC, ACTION_MEASURE_AGAIN,
	  NULL },
	{ "ebpf/redis_load.json", CLASS_CPU_BOUND, NULL, MODEL_ASYNC, MODEL_ASYNC, ACTION_KEEP,
	  NULL },
	/* With segments and slices, which the first recordings lack. */
	{ "segments/api_sequential.json", CLASS_IO_BOUND, "network", MODEL_SYNC, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ "segments/api_threads.json", CLASS_IO_BOUND, "network", MODEL_THREADS, MODEL_THREADS,
	  ACTION_KEEP, NULL },
	{ "segments/api_asyncio.json", CLASS_IO_BOUND, "network", MODEL_ASYNC, MODEL_ASYNC,
	  ACTION_KEEP, NULL },
	{ "segments/api_multiprocessing.json", CLASS_IO_BOUND, "network", MODEL_MULTIPROCESSING,
	  MODEL_THREADS, ACTION_CHANGE, "processes-for-io" },
	{ "segments/cpu_sequential.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, NULL },
	{ "segments/cpu_threads.json", CLASS_CPU_BOUND, "gil", MODEL_THREADS, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "threads-for-cpu-work" },
	{ "segments/cpu_multiprocessing.json", CLASS_CPU_BOUND, "parallel", MODEL_MULTIPROCESSING,
	  MODEL_MULTIPROCESSING, ACTION_KEEP, NULL },
	{ "segments/join_fetching.json", CLASS_IO_BOUND, "network", MODEL_SYNC, MODEL_THREADS,
	  ACTION_CHANGE, "serial-io" },
	{ "segments/idle_workers_beside_main.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC,
	  MODEL_MULTIPROCESSING, ACTION_CHANGE, NULL },
	{ "segments/mixed.json", CLASS_MIXED, NULL, MODEL_SYNC, MODEL_MULTIPROCESSING,
	  ACTION_CHANGE, "serial-io" },
	{ "segments/c_disk.json", CLASS_IO_BOUND, "disk", MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  "serial-io" },
	{ "segments/xz.json", CLASS_CPU_BOUND, NULL, MODEL_SYNC, MODEL_THREADS, ACTION_CHANGE,
	  NULL },
};

static void replay(const struct recorded *recorded, struct report *report)
{
	char path[512], why[256] = "";
	struct observation obs;
	FILE *in;

	snprintf(path, sizeof(path), "%s/recordings/%s", TEST_DATA, recorded->file);
	in = fopen(path, "r");
	if (!in)
		fail_msg("%s: not there", path);
	if (recording_read(in, &obs, why, sizeof(why)))
		fail_msg("%s: %s", path, why);
	fclose(in);
	build_report(&obs, report);
}

static size_t count_warnings(const struct report *report)
{
	size_t cnt = 0;

	for (size_t i = 0; i < report->finding_cnt; i++)
		cnt += report->findings[i].severity > SEVERITY_INFO;
	return cnt;
}

static void recorded_programs_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++) {
		const struct recorded *recorded = &recordings[i];
		struct report report;

		replay(recorded, &report);
		print_message("%s: %s\n", recorded->file, report.verdict.summary);
		assert_string_equal(verdict_class_name(report.verdict.verdict_class),
				    verdict_class_name(recorded->verdict_class));
		assert_string_equal(report.verdict.subclass ? report.verdict.subclass : "(none)",
				    recorded->subclass ? recorded->subclass : "(none)");
		assert_string_equal(concurrency_model_name(report.concurrency.current),
				    concurrency_model_name(recorded->current));
		assert_string_equal(concurrency_model_name(report.recommendation.model),
				    concurrency_model_name(recorded->model));
		assert_string_equal(recommended_action_name(report.recommendation.action),
				    recommended_action_name(recorded->action));
		if (recorded->finding)
			assert_true(has_finding(&report, recorded->finding));
		else
			assert_int_equal(count_warnings(&report), 0);
		report_release(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_programs_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
