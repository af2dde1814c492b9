/* One report of each kind that people will meet, with numbers as measured ones would be. */
#include "render_samples.h"

#include <math.h>
#include <signal.h>

#include "report.h"

#define MS			 1000000ULL
#define S			 (1000 * MS)
#define CNT(array)		 (sizeof(array) / sizeof((array)[0]))
#define LIST(member, cnt, array) .member = (array), .cnt = CNT(array)
#define OBJECT(title, asked, ns, waits, ...)                                                 \
	{                                                                                    \
		.name = (title), .direction = (asked), .wait_ns = (ns), .wait_cnt = (waits), \
		__VA_ARGS__                                                                  \
	}
#define STARTED_AT_NS 1700000000123456789

/* Sequential API calls: twenty requests, one after the other. */
static struct report_object io_objects[] = {
	OBJECT("tcp 127.0.0.1:8080", DIRECTION_OUTBOUND, 2304 * MS, 20, .kind = OBJECT_TCP,
	       .call = "recvfrom", .far_end = "nginx[812]"),
	OBJECT("udp 10.0.0.2:53", DIRECTION_OUTBOUND, 3 * MS, 2, .kind = OBJECT_UDP),
};
static struct report_wait io_thread_waits[] = {
	{ WAIT_NETWORK, 2307 * MS, 0.957, 22, LIST(objects, object_cnt, io_objects) },
};
static struct report_wait io_waits[] = { { .reason = WAIT_NETWORK,
					   .wait_ns = 2307 * MS,
					   .share = 0.957,
					   LIST(objects, object_cnt, io_objects) } };
static const char *io_command[] = { "python3", "samples/python/fetch_sequential.py" };
static const char *io_reasons[] = {
	"20 waits for tcp 127.0.0.1:8080, of 115 ms each, never overlapped.",
	"The GIL is free while a thread waits, so threads overlap fully.",
	"20 operations are too few to be worth an event loop.",
};
static const char *io_notes[] = {
	"Threads take its blocking calls and callbacks as they are.",
	"With requests or urllib3, raise what they keep open to one host from 10 to 20.",
};
static struct obs_far_end io_far_ends[] = { { .name = "nginx[812]",
					      .cpu_ns = 12 * MS,
					      .since_ns = 21 * MS,
					      .is_one_thread = true,
					      .thread_cnt = 1 } };
#define PREDICTION(of_model, of_workers, low, expected, high, bytes)                           \
	.bottleneck = "workers", .model = of_model, .workers = of_workers, .speedup_low = low, \
	.speedup_expected = expected, .speedup_high = high, .extra_memory_bytes = bytes
static const char *io_assumptions[] = { "the requests are independent",
					"tcp 127.0.0.1:8080 serves 20 at once" };
static struct report_prediction io_predictions[] = {
	{ PREDICTION(MODEL_THREADS, 20, 9.4, 14.2, 18.1, 164 << 20),
	  LIST(assumptions, assumption_cnt, io_assumptions) },
	{ PREDICTION(MODEL_ASYNC, 20, 9.1, 14.5, 18.6, 6 << 20),
	  LIST(assumptions, assumption_cnt, io_assumptions) },
	{ PREDICTION(MODEL_MULTIPROCESSING, 20, 4.2, 6.0, 7.7, 400 << 20) },
};
static struct report_evidence io_evidence[] = {
	{ "waits", 20, "count", "thread_time.waits[network]" },
	{ "in_flight_peak", 1, "operations", "concurrency" },
};
static struct report_finding io_findings[] = {
	{ "serial-io", SEVERITY_WARNING,
	  "20 waits for tcp 127.0.0.1:8080 came one after the other, never two at once.",
	  LIST(evidence, evidence_cnt, io_evidence) },
};
static struct report_expectation io_expectations[] = {
	{ .text = "io-bound/disk,mixed",
	  .seen = "io-bound/network",
	  .complaint = "expected io-bound/disk,mixed, but it is io-bound/network" },
	{ .text = "wait>=0.6", .is_met = true, .seen_number = 0.956 },
	{ .text = "in_flight_mean>=8", .seen_number = NAN, .complaint = "it is not known" },
};
static struct report_frame io_frames[] = {
	{ "__GI___libc_recv", "", 0, "/usr/lib/x86_64-linux-gnu/libc.so.6", 0xfe2a1, LANGUAGE_C,
	  false, false },
	{ "SocketIO.readinto", "/usr/lib/python3.11/socket.py", 706, "", 0, LANGUAGE_PYTHON, false,
	  false },
	{ "get", "/usr/lib/python3/dist-packages/requests/api.py", 73, "", 0, LANGUAGE_PYTHON,
	  false, false },
	{ "fetch", "/srv/samples/python/fetch_sequential.py", 12, "", 0, LANGUAGE_PYTHON, false,
	  true },
	{ "", "", 0, "/usr/bin/python3.11", 0x1c3f2, LANGUAGE_UNKNOWN, false, false },
};
static const uint32_t io_stack_frames[] = { 0, 1, 2, 3, 4 };
static const uint32_t io_parse_frames[] = { 3, 4 };
static struct report_stack io_stacks[] = {
	{ .frames = io_stack_frames,
	  .frame_cnt = CNT(io_stack_frames),
	  .is_complete = true,
	  .pid = 4242,
	  .tid = 4242,
	  .process = "python3",
	  .thread = "MainThread",
	  .task = "",
	  .reason = WAIT_NETWORK,
	  .object = "tcp 127.0.0.1:8080",
	  .time_ns = 2304 * MS,
	  .sample_cnt = 20 },
	{ .frames = io_parse_frames,
	  .frame_cnt = CNT(io_parse_frames),
	  .is_complete = true,
	  .pid = 4242,
	  .tid = 4242,
	  .process = "python3",
	  .thread = "MainThread",
	  .task = "",
	  .is_on_cpu = true,
	  .object = "",
	  .time_ns = 91 * MS,
	  .sample_cnt = 9 },
};
static struct report_hot_spot io_spots[] = {
	{ .reason = WAIT_NETWORK,
	  .time_ns = 2304 * MS,
	  .share = 0.956,
	  .place = { "fetch", "/srv/samples/python/fetch_sequential.py", 12, "", 0, LANGUAGE_PYTHON,
		     false, true },
	  .callee = "requests.get",
	  .object = "tcp 127.0.0.1:8080",
	  .task = "",
	  .sample_cnt = 20,
	  .stack = &io_stacks[0] },
	{ .is_on_cpu = true,
	  .time_ns = 91 * MS,
	  .share = 0.038,
	  .share_error = 0.013,
	  .place = { "parse", "/srv/samples/python/feed.py", 118, "", 0, LANGUAGE_PYTHON, false,
		     true },
	  .callee = "",
	  .object = "",
	  .task = "Task-3",
	  .gil_held_ns = 90 * MS,
	  .is_gil_known = true,
	  .sample_cnt = 9,
	  .stack = &io_stacks[1] },
};
static struct report_wait io_function_waits[] = {
	{ .reason = WAIT_NETWORK, .wait_ns = 2304 * MS, .share = 1 }
};
static struct report_function io_functions[] = {
	{ .place = { "fetch", "/srv/samples/python/fetch_sequential.py", 10, "", 0, LANGUAGE_PYTHON,
		     false, true },
	  .time_ns = 2304 * MS,
	  .share = 0.956,
	  LIST(waits, wait_cnt, io_function_waits),
	  .verdict_class = CLASS_IO_BOUND,
	  .advice = "" },
	{ .place = { "parse", "/srv/samples/python/feed.py", 0, "", 0, LANGUAGE_PYTHON, false,
		     true },
	  .time_ns = 91 * MS,
	  .share = 0.038,
	  .on_cpu_ns = 91 * MS,
	  .gil_held_ns = 90 * MS,
	  .is_gil_known = true,
	  .verdict_class = CLASS_CPU_BOUND,
	  .advice = "process-pool" },
};
static const char *io_stack_notes[] = { "/usr/bin/python3.11: no debug information" };
static const struct report io_report = {
	LIST(frames, frame_cnt, io_frames),
	LIST(stacks, stack_cnt, io_stacks),
	LIST(hot_spots, hot_spot_cnt, io_spots),
	LIST(functions, function_cnt, io_functions),
	.stack_quality = { true, 10, 20, 0, 1, 0.99, NULL, LIST(notes, note_cnt, io_stack_notes) },
	LIST(expectations, expectation_cnt, io_expectations),
	.started_at_unix_ns = STARTED_AT_NS,
	.mode = TARGET_WRAP,
	LIST(command, command_cnt, io_command),
	.pid = 4242,
	.cgroup = "",
	.has_exited = true,
	.runtime = { "CPython", "3.11", GLOBAL_LOCK_GIL },
	.processes_peak = 1,
	.threads_peak = 1,
	.host = { .kernel = "6.18.0", .cpus_online = 2, .cpus_usable = 2, .cpu_quota = 0 },
	LIST(far_ends, far_end_cnt, io_far_ends),
	.source = SOURCE_EBPF,
	.duration_ns = 2410 * MS,
	.switch_cnt = 1204,
	.source_note = "",
	.thread_time = { 2410 * MS, 100 * MS, 3 * MS, 0, 0,
			 LIST(waits, wait_cnt, io_thread_waits) },
	.program_time = { 2410 * MS, 100 * MS, 3 * MS, 2307 * MS, 0,
			  LIST(waits, wait_cnt, io_waits), 1 },
	.ratios = { 0.0415, 0.957, 0.0012, 23.07, 0.038, 0.045, 0.953, 0.961 },
	.verdict = { CLASS_IO_BOUND, "network", 0.953,
		     "It waits for the network 96% of the time and computes in 4% of it.", true,
		     CLASS_MIXED, "if the network answered 14 times faster", -1, false },
	.concurrency = { MODEL_SYNC, 1, 0.96, 1 },
	.recommendation = { MODEL_THREADS, ACTION_CHANGE, 20,
			    "concurrent.futures.ThreadPoolExecutor",
			    "Change to threads: ThreadPoolExecutor(max_workers=20).",
			    "Don't use multiprocessing: it would add memory and start-up time for "
			    "waits that need no CPU.",
			    LIST(reasons, reason_cnt, io_reasons), .notes = io_notes,
			    .note_cnt = 2 },
	LIST(predictions, prediction_cnt, io_predictions),
	LIST(findings, finding_cnt, io_findings),
};

/* Four CPU-bound threads under a GIL. */
static struct report_object gil_objects[] = { OBJECT("the GIL of python3 (pid 77)", DIRECTION_NONE,
						     23940 * MS, 4788, .kind = OBJECT_FUTEX) };
static struct report_wait gil_thread_waits[] = {
	{ WAIT_GIL, 23940 * MS, 0.7439, 4788, LIST(objects, object_cnt, gil_objects) },
	{ WAIT_SYNC, 8 * MS, 0.0002, 4, NULL, 0 },
};
static struct report_wait gil_waits[] = {
	{ .reason = WAIT_DISK, .wait_ns = 40 * MS, .share = 0.005 }
};
static const char *gil_command[] = { "python3", "-c", "from threading import Thread\n..." };
static const char *gil_reasons[] = {
	"One thread computes at a time: the other three wait for the GIL 74% of thread time."
};
static struct report_prediction gil_predictions[] = { { PREDICTION(MODEL_MULTIPROCESSING, 2, 1.8,
								   1.93, 1.98, 24 << 20) } };
static struct report_evidence gil_evidence[] = { { "gil_wait_share", 0.7439, "ratio",
						   "thread_time.waits[gil]" } };
static struct report_finding gil_findings[] = {
	{ "threads-for-cpu-work", SEVERITY_HIGH,
	  "4 threads compute, but the GIL lets only one of them run at a time.",
	  LIST(evidence, evidence_cnt, gil_evidence) },
	{ "more-workers-than-cores", SEVERITY_INFO, "4 workers share 2 CPUs.", NULL, 0 },
};
static const struct report gil_report = {
	.started_at_unix_ns = STARTED_AT_NS,
	.mode = TARGET_WRAP,
	LIST(command, command_cnt, gil_command),
	.pid = 77,
	.cgroup = "",
	.has_exited = true,
	.exit_code = 3,
	.runtime = { "CPython", "3.11.2", GLOBAL_LOCK_GIL },
	.processes_peak = 1,
	.threads_peak = 5,
	.host = { .kernel = "6.18.0", .cpus_online = 2, .cpus_usable = 2, .cpu_quota = 1.5 },
	.source = SOURCE_EBPF,
	.duration_ns = 8020 * MS,
	.switch_cnt = 9604,
	.source_note = "",
	.thread_time = { 32180 * MS, 7980 * MS, 200 * MS, 52 * MS, 0,
			 LIST(waits, wait_cnt, gil_thread_waits) },
	.program_time = { 8020 * MS, 7960 * MS, 20 * MS, 40 * MS, 0,
			  LIST(waits, wait_cnt, gil_waits), 1.003 },
	.ratios = { 0.9925, 0.005, 0.0025, 0.005, 0.991, 0.994, 0.004, 0.006 },
	.verdict = { CLASS_CPU_BOUND, "gil", 0.99,
		     "It computes 99% of the time, on one CPU: the GIL keeps its other threads "
		     "waiting.",
		     false, CLASS_CPU_BOUND, NULL, -1, false },
	.concurrency = { MODEL_THREADS, 4, 0, 0 },
	.recommendation = { MODEL_MULTIPROCESSING, ACTION_CHANGE, 2, "multiprocessing.Pool",
			    "Change to multiprocessing: Pool(2), one worker per usable CPU.",
			    "Don't add threads: under the GIL they add switches, not speed.",
			    LIST(reasons, reason_cnt, gil_reasons) },
	LIST(predictions, prediction_cnt, gil_predictions),
	LIST(findings, finding_cnt, gil_findings),
};

/* A service, observed by its cgroup, that nobody asks anything. */
static struct report_object idle_objects[] = { OBJECT(
	"tcp 0.0.0.0:6379", DIRECTION_LISTENING, 4990 * MS, 50, .kind = OBJECT_TCP,
	.role = WAITS_FOR_WORK, .call = "epoll_wait") };
static struct report_wait idle_thread_waits[] = {
	{ WAIT_ACCEPT, 4990 * MS, 0.2495, 50, LIST(objects, object_cnt, idle_objects) },
	{ WAIT_SYNC, 15000 * MS, 0.75, 3, NULL, 0 },
};
static const char *idle_reasons[] = { "Nothing came in during 5.00 s: there is no work to judge." };
static const struct report idle_report = {
	.started_at_unix_ns = STARTED_AT_NS,
	.mode = TARGET_ATTACH,
	.pid = 900,
	.cgroup = "/sys/fs/cgroup/system.slice/redis.service",
	.runtime = { "native", "", GLOBAL_LOCK_NONE },
	.processes_peak = 1,
	.threads_peak = 4,
	.host = { .kernel = "6.18.0", .cpus_online = 8, .cpus_usable = 4, .cpu_quota = 0 },
	.source = SOURCE_PROCFS,
	.duration_ns = 5 * S,
	.switch_cnt = 50,
	.source_note =
		"Read from /proc because this user may not load BPF programs: waits are sampled "
		"100 times a second, shorter ones are missed. Run with sudo for exact figures.",
	.thread_time = { 20 * S, 8 * MS, 2 * MS, 0, 0, LIST(waits, wait_cnt, idle_thread_waits) },
	.program_time = { 5 * S, 8 * MS, 400000, 4991600000, 4991600000, NULL, 0, 1,
			  LIST(idle_objects, idle_object_cnt, idle_objects) },
	.ratios = { 0.952, 0, 0.048, 0, -1, -1, -1, -1 },
	.verdict = { CLASS_IDLE, NULL, 0.9,
		     "It waits for work: nobody asked it for anything in 99.8% of the time.", false,
		     CLASS_IDLE, NULL, 0.00168, false },
	.concurrency = { MODEL_ASYNC, 1, -1, -1 },
	.recommendation = { MODEL_ASYNC, ACTION_MEASURE_AGAIN, 0, NULL,
			    "Measure again while it serves its usual load.", NULL,
			    LIST(reasons, reason_cnt, idle_reasons) },
};

/* Too little seen of a program that does its best to spoil the output. */
static struct report_object hostile_objects[] = {
	OBJECT("unix /tmp/\x1b]0;owned\a\x1b[2J\xe2\x80\xaetxt.exe", DIRECTION_OUTBOUND, 900, 1,
	       .kind = OBJECT_UNIX, .far_end = "\x1b[2Jevil[7]"),
	OBJECT("file /srv/\xff\xfe\xc0\xaf/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", DIRECTION_NONE,
	       600, 1, .kind = OBJECT_FILE, .operation = OPERATION_SYNC, .device = "sd\xff"),
};
static struct report_wait hostile_thread_waits[] = {
	{ WAIT_IPC, 1500, 0.15, 2, LIST(objects, object_cnt, hostile_objects) }
};
static struct report_wait hostile_waits[] = { { .reason = WAIT_IPC,
						.wait_ns = 1500,
						.share = 0.15,
						LIST(objects, object_cnt, hostile_objects) } };
static struct report_frame hostile_frames[] = {
	{ "", "", 0, "", 0, LANGUAGE_UNKNOWN, false, false },
	{ "\x1b[2Jowned\n", "/srv/\xe2\x80\xae/\xff.py\r", 7, "", 0, LANGUAGE_PYTHON, false, true },
};
static const uint32_t hostile_stack_frames[] = { 0, 1 };
static struct report_stack hostile_stacks[] = {
	{ .frames = hostile_stack_frames,
	  .frame_cnt = CNT(hostile_stack_frames),
	  .process = "",
	  .thread = "\x1b[0m",
	  .task = "\n",
	  .is_on_cpu = true,
	  .object = "",
	  .time_ns = 8000,
	  .sample_cnt = 1 },
};
static struct report_hot_spot hostile_spots[] = {
	{ .is_on_cpu = true,
	  .time_ns = 8000,
	  .share = 0.8,
	  .share_error = 0.2,
	  .place = { "\x1b[2Jowned\n", "/srv/\xe2\x80\xae/\xff.py\r", 7, "", 0, LANGUAGE_PYTHON,
		     false, true },
	  .callee = "\x1b]0;callee\a",
	  .object = "",
	  .task = "\n\x1b[31m",
	  .sample_cnt = 1,
	  .stack = &hostile_stacks[0] },
	{ .reason = WAIT_IPC,
	  .time_ns = 900,
	  .share = 0.09,
	  .place = { "std::map<int, std::vector<a\x1b<b>>>::operator[](int const&)::(anonymous "
		     "namespace)::operator<< <char>(std::ostream&)",
		     "", 0, "/opt/\x9b\x1b[2J/libevil.so", 0, LANGUAGE_CPP, false, true },
	  .callee = "",
	  .object = "unix /tmp/\x1b]0;owned\a\x1b[2J\xe2\x80\xaetxt.exe",
	  .task = "",
	  .sample_cnt = 1,
	  .stack = &hostile_stacks[0] },
	{ .reason = WAIT_OTHER,
	  .time_ns = 600,
	  .share = 0.06,
	  .place = { "", "", 0, "/bin/\x1b", 0x4a3f0, LANGUAGE_UNKNOWN, false, true },
	  .callee = "",
	  .object = "",
	  .task = "",
	  .sample_cnt = 1,
	  .stack = &hostile_stacks[0] },
};
static struct report_function hostile_functions[] = {
	{ .place = { "\x1b[2Jowned\n", "/srv/\xe2\x80\xae/\xff.py\r", 7, "", 0, LANGUAGE_PYTHON,
		     false, true },
	  .time_ns = 8000,
	  .share = 0.8,
	  .on_cpu_ns = 8000,
	  .verdict_class = CLASS_INCONCLUSIVE,
	  .advice = "" },
	{ .place = { "", "", 0, "/bin/\x1b", 0, LANGUAGE_UNKNOWN, false, true },
	  .time_ns = 600,
	  .share = 0.06,
	  .verdict_class = CLASS_INCONCLUSIVE,
	  .advice = "" },
};
static const char *hostile_stack_notes[] = { "/opt/\x9b\x1b[2J/libevil.so: \xff" };
static const char *hostile_command[] = {
	"/opt/a directory/with-a-very-long-name-that-does-not-fit/bin/\x1b[31mred\xff",
	"--eval",
	"line one\nline two\r\2332J",
	"\xe2\x80\xaegnp.exe",
	"",
	"caf\xc3\xa9",
};
static const char *hostile_probes[] = { "sk_data_ready: no such tracepoint",
					"user_stack: refused (EPERM)\n" };
static const char *hostile_reasons[] = { "10.0 us were seen, 1 s is needed.",
					 "12,345 events were lost." };
static const char *hostile_notes[] = { "evil\x1b[2J[7], which it waits for, took 0.9 of a CPU." };
static const struct report hostile_report = {
	LIST(frames, frame_cnt, hostile_frames),
	LIST(stacks, stack_cnt, hostile_stacks),
	LIST(hot_spots, hot_spot_cnt, hostile_spots),
	LIST(functions, function_cnt, hostile_functions),
	.stack_quality = { true, 1, 2, 3, 0.5, 0.8, NULL,
			   LIST(notes, note_cnt, hostile_stack_notes) },
	.started_at_unix_ns = 0,
	.mode = TARGET_WRAP,
	.is_replay = true,
	LIST(command, command_cnt, hostile_command),
	.pid = 31337,
	.cgroup = "",
	.has_exited = true,
	.was_signaled = true,
	.exit_code = SIGSEGV,
	.runtime = { "native", "", GLOBAL_LOCK_NONE },
	.processes_peak = 1,
	.threads_peak = 1,
	.host = { .kernel = "5.15.0-\xff", .cpus_online = 2, .cpus_usable = 1, .cpu_quota = 0.5 },
	.source = SOURCE_EBPF,
	.duration_ns = 10000,
	.switch_cnt = 2,
	.lost_events = 12345,
	LIST(missing_probes, missing_probe_cnt, hostile_probes),
	.source_note = "",
	.thread_time = { 10000, 8000, 500, 0, 0, LIST(waits, wait_cnt, hostile_thread_waits) },
	.program_time = { 10000, 8000, 500, 1500, 0, LIST(waits, wait_cnt, hostile_waits), 1 },
	.ratios = { 0.8, 0.15, 0.05, 0.1875, -1, -1, -1, -1 },
	.verdict = { CLASS_INCONCLUSIVE, "too-short", 0.1,
		     "Not enough was seen to judge: it lived for 10.0 us.", true, CLASS_CPU_BOUND,
		     "if it went on like this for a second", -1, false },
	.concurrency = { MODEL_SYNC, 1, 0.15, 1 },
	.recommendation = { MODEL_SYNC, ACTION_MEASURE_AGAIN, 0, NULL,
			    "Measure again with more work for the program to do.", NULL,
			    LIST(reasons, reason_cnt, hostile_reasons), .notes = hostile_notes,
			    .note_cnt = 1, .scope = "the thread \"\x1b[2Jevil: computing\"" },
};

/* A web service with everything wrong at once. */
static struct report_object mixed_network[] = {
	OBJECT("tcp 10.20.30.40:5432", DIRECTION_OUTBOUND, 41 * S, 81002, .kind = OBJECT_TCP),
	OBJECT("tcp [2001:db8:85a3::8a2e:370:7334]:443", DIRECTION_OUTBOUND, 11 * S, 1200,
	       .kind = OBJECT_TCP),
	OBJECT("tcp 10.20.30.41:6379", DIRECTION_OUTBOUND, 2 * S, 90123, .kind = OBJECT_TCP),
};
static struct report_object mixed_disk[] = { OBJECT(
	"file /var/lib/service/with/a/rather/long/path/to/its/journal.sqlite3-wal", DIRECTION_NONE,
	30 * S, 4410, .kind = OBJECT_FILE, .call = "fdatasync", .operation = OPERATION_SYNC,
	.device = "nvme0n1") };
static struct report_object mixed_lock[] = { OBJECT("(not kept apart)", DIRECTION_NONE, 12 * S, 0,
						    .kind = OBJECT_FUTEX, .role = WAITS_FOR_TREE) };
static struct report_neighbour mixed_neighbours[] = { { "stress-ng-cpu", 5 * S, 1200 },
						      { "kworker/1:2", 40 * MS, 90 } };

static struct report_wait mixed_thread_waits[] = {
	{ WAIT_SYNC, 600 * S, 0.5, 1000, NULL, 0 },
	{ WAIT_NETWORK, 54 * S, 0.045, 172325, LIST(objects, object_cnt, mixed_network) },
	{ WAIT_DISK, 30 * S, 0.025, 4410, LIST(objects, object_cnt, mixed_disk) },
	{ WAIT_LOCK, 12 * S, 0.01, 88000, LIST(objects, object_cnt, mixed_lock) },
};
static struct report_wait mixed_waits[] = {
	{ .reason = WAIT_NETWORK,
	  .wait_ns = 30 * S,
	  .share = 0.24,
	  LIST(objects, object_cnt, mixed_network) },
	{ .reason = WAIT_DISK,
	  .wait_ns = 21 * S,
	  .share = 0.168,
	  LIST(objects, object_cnt, mixed_disk) },
	{ .reason = WAIT_LOCK,
	  .wait_ns = 6 * S,
	  .share = 0.048,
	  LIST(objects, object_cnt, mixed_lock) },
	{ .reason = WAIT_CHILD, .wait_ns = 2 * S, .share = 0.016 },
	{ .reason = WAIT_TIMER, .wait_ns = S, .share = 0.008 },
	{ .reason = WAIT_PAGING, .wait_ns = S / 2, .share = 0.004 },
};
static struct report_phase mixed_phases[] = {
	{ 0, 25 * S, CLASS_IO_BOUND, "disk", "start-up", 4 * S, 500 * MS, 20500 * MS, 0,
	  "It waited for the disk (79%) and computed (16%).",
	  .recommendation = { .model = MODEL_SYNC,
			      .action = ACTION_KEEP,
			      .summary = "Keep it as it is." } },
	{ 25 * S, 125 * S, CLASS_CPU_BOUND, NULL, "run", 60 * S, 0, 40 * S, 2 * S,
	  "It computed (61%) and waited for the network (24%).",
	  .recommendation = { .model = MODEL_MULTIPROCESSING,
			      .action = ACTION_CHANGE,
			      .workers = 3,
			      .summary = "Spread the work over 3 processes, one for each usable "
					 "CPU." } },
};
static struct report_wait mixed_role_waits[] = {
	{ .reason = WAIT_SYNC, .wait_ns = 600 * S, .share = 0.61 }
};
static struct report_role mixed_roles[] = {
	{ .name = "main",
	  .kind = "main",
	  .thread_cnt = 1,
	  .verdict_class = CLASS_IDLE,
	  .on_cpu_ns = 4 * S },
	{ .name = "worker\x1b[0m",
	  .kind = "workers",
	  .thread_cnt = 8,
	  .verdict_class = CLASS_MIXED,
	  .on_cpu_ns = 60 * S,
	  LIST(waits, wait_cnt, mixed_role_waits) },
};
static const char *mixed_command[] = { "/usr/bin/node", "--max-old-space-size=4096",
				       "/srv/service/dist/server/index.js", "--config",
				       "/etc/service.json" };
static const char *mixed_reasons[] = {
	"Computing takes 51% of program time, on the loop, which answers nobody meanwhile.",
	"Waits overlap already: 3.4 operations are in flight on average.",
	"A worker per CPU would take the computing off the loop.",
};
static struct report_finding mixed_findings[] = {
	{ "cpu-work-on-event-loop", SEVERITY_HIGH,
	  "The event loop computed for 310 ms at a stretch, 412 times.", NULL, 0 },
	{ "blocking-call-on-event-loop", SEVERITY_HIGH,
	  "The event loop waited 21.0 s for "
	  "/var/lib/service/with/a/rather/long/path/to/its/journal.sqlite3-wal.",
	  NULL, 0 },
	{ "lock-contention", SEVERITY_WARNING, "8 threads waited 12.0 s for one lock.", NULL, 0 },
	{ "cpu-throttled", SEVERITY_WARNING, "The cgroup's quota held it off the CPU for 3.10 s.",
	  NULL, 0 },
	{ "idle-workers", SEVERITY_INFO, "5 of 8 workers never had anything to do.", NULL, 0 },
};
static struct report_lock_holder mixed_holders[] = {
	{ "mutex heap 0x7f001c000b70", 1999999, 2000004, "worker", 9 * S, 0.75, 51000 },
	{ "mutex heap 0x7f001c000b70", 1999999, 0, "", 3 * S, 0.25, 37000 },
};
static const struct report mixed_report = {
	.started_at_unix_ns = STARTED_AT_NS,
	.mode = TARGET_ATTACH,
	LIST(command, command_cnt, mixed_command),
	.pid = 1999999,
	.pid_in_container = 7,
	.cgroup = "",
	.runtime = { "Node.js", "20.11.0", GLOBAL_LOCK_EVENT_LOOP },
	.processes_peak = 3,
	.threads_peak = 11,
	.host = { .kernel = "6.1.0-18-amd64",
		  .cpus_online = 64,
		  .cpus_usable = 16,
		  .cpu_quota = 3.5 },
	.source = SOURCE_EBPF,
	.duration_ns = 125 * S,
	.switch_cnt = 1234567,
	.source_note = "",
	.thread_time = { 1200 * S, 64 * S, 9 * S, 3100 * MS, 427900 * MS,
			 LIST(waits, wait_cnt, mixed_thread_waits),
			 .queue = { true, 6500 * MS, 2500 * MS, 500 * MS,
				    LIST(neighbours, neighbour_cnt, mixed_neighbours) } },
	.program_time = { 125 * S, 64 * S, 500 * MS, 60500 * MS, 0,
			  LIST(waits, wait_cnt, mixed_waits), 1.42 },
	.ratios = { 0.512, 0.484, 0.004, 0.945, 0.302, 0.722, 0.274, 0.694 },
	.verdict = { CLASS_MIXED, NULL, 0.62,
		     "It computes 51% of the time and waits for the network and the disk in most "
		     "of "
		     "the rest.",
		     true, CLASS_CPU_BOUND, "if computing rose from 51% to 75% of the time", 0.38,
		     false },
	LIST(phases, phase_cnt, mixed_phases),
	LIST(roles, role_cnt, mixed_roles),
	.concurrency = { MODEL_ASYNC, 8, 3.4, 112 },
	.recommendation = { MODEL_MULTIPROCESSING, ACTION_CHANGE, 3, "node:cluster",
			    "Run 3 processes behind the event loop's port: node:cluster, one per "
			    "CPU of the quota.",
			    "Don't enlarge the thread pool: its threads are idle already.",
			    LIST(reasons, reason_cnt, mixed_reasons) },
	LIST(findings, finding_cnt, mixed_findings),
	LIST(lock_holders, lock_holder_cnt, mixed_holders),
};

/* Nothing to improve: a compile with as many processes as CPUs. */
static const char *keep_command[] = { "make", "-j4" };
static const char *keep_reasons[] = { "4 processes keep 3.9 of 4 CPUs busy." };
static struct report_wait keep_thread_waits[] = { { WAIT_CHILD, 244 * S, 0.49, 900, NULL, 0 } };
static struct report_wait keep_waits[] = {
	{ .reason = WAIT_DISK, .wait_ns = 30 * MS, .share = 0.0005 }
};
static const struct report keep_report = {
	.started_at_unix_ns = STARTED_AT_NS,
	.mode = TARGET_WRAP,
	LIST(command, command_cnt, keep_command),
	.pid = 5,
	.cgroup = "",
	.has_exited = true,
	.runtime = { "native", "", GLOBAL_LOCK_NONE },
	.processes_peak = 13,
	.threads_peak = 13,
	.host = { .kernel = "6.18.0", .cpus_online = 4, .cpus_usable = 4, .cpu_quota = 0 },
	.source = SOURCE_EBPF,
	.duration_ns = 64100 * MS,
	.switch_cnt = 87654321,
	.source_note = "",
	.thread_time = { 498 * S, 250 * S, 4 * S, 0, 0, LIST(waits, wait_cnt, keep_thread_waits) },
	.program_time = { 64100 * MS, 64069 * MS, MS, 30 * MS, 0, LIST(waits, wait_cnt, keep_waits),
			  3.9 },
	.ratios = { 0.9995, 0.0005, 0, 0.0005, -1, -1, -1, -1 },
	.verdict = { CLASS_CPU_BOUND, "parallel", 1, "It computes all the time, on 3.9 of 4 CPUs.",
		     false, CLASS_CPU_BOUND, NULL, -1, false },
	.concurrency = { MODEL_MULTIPROCESSING, 4, 0, 2 },
	.recommendation = { MODEL_MULTIPROCESSING, ACTION_KEEP, 4, NULL,
			    "Keep it as it is: 4 processes on 4 CPUs.",
			    "Don't add processes: there is no CPU left for them.",
			    LIST(reasons, reason_cnt, keep_reasons) },
};

const struct render_sample render_samples[] = {
	{ "io", &io_report },		{ "gil", &gil_report },	    { "idle", &idle_report },
	{ "hostile", &hostile_report }, { "mixed", &mixed_report }, { "keep", &keep_report },
};
const size_t render_sample_cnt = CNT(render_samples);
