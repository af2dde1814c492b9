/* Lines of code: whose a stack's time is, that times sum to the exact ones, and what comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "stack_builder.h"

#define LIBC "/usr/lib/x86_64-linux-gnu/libc.so.6"
#define APP  "/srv/app/bin/feed"

/* A Python program that fetches 20 times and parses what it gets. */
static void build_fetcher(struct observation *obs)
{
	uint32_t recv, parse;

	build_observation(obs, 3000, 600, 0, 2);
	build_process(obs, 7, PYTHON);
	build_thread(obs, 7, 7, 600);
	WAITED(obs, 7, .reason = WAIT_NETWORK, .ms = 2400, .cnt = 20, .quiet_ms = 2400,
	       .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443",
	       .call = "recvfrom");
	recv = STACK(obs, native_at("[kernel]", "do_syscall_64"),
		     native_at(LIBC, "__GI___libc_recv"),
		     python_at("/usr/lib/python3.11/socket.py", 706, "SocketIO.readinto"),
		     python_at("/usr/lib/python3/dist-packages/requests/api.py", 73, "get"),
		     python_at("/srv/fetch.py", 42, "fetch"),
		     python_at("/srv/fetch.py", 90, "<module>"), native_at(PYTHON, "_start"));
	obs->frames[0].language = LANGUAGE_KERNEL;
	parse = STACK(obs, python_at("/srv/feed.py", 118, "parse"),
		      python_at("/srv/fetch.py", 91, "<module>"), native_at(PYTHON, "_start"));
	build_waiting(obs, 7, recv, 0, 1800, 20);
	build_computing(obs, 7, parse, 500, 50);
}

static void the_line_that_waits_comes_first(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_hot_spot *first, *second;

	(void)state;
	build_fetcher(&obs);
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt, 2);
	first = &report.hot_spots[0];
	assert_string_equal(first->place.function, "fetch");
	assert_string_equal(first->place.file, "/srv/fetch.py");
	assert_int_equal(first->place.line, 42);
	assert_true(first->place.is_own);
	assert_int_equal(first->time_ns, 2400 * MS);
	assert_true(first->share > 0.799 && first->share < 0.801);
	assert_string_equal(first->callee, "requests.get");
	assert_string_equal(first->object, "tcp 10.0.0.5:443");
	assert_int_equal(first->role, WAITS_FOR_RESULT);
	assert_int_equal(first->stack->frame_cnt, 7);
	second = &report.hot_spots[1];
	assert_string_equal(second->place.function, "parse");
	assert_true(second->is_on_cpu);
	assert_int_equal(second->time_ns, 600 * MS);
	assert_true(report.stack_quality.known_share > 0.999);
	assert_true(report.stack_quality.complete_share > 0.999);
	report_release(&report);
}

/* What of a stack its time is blamed on, and what that called. */
struct blame_case {
	const char *exe;
	struct obs_frame frames[6];
	const char *function;
	const char *callee;
};

#define PY(file, function)                                           \
	{                                                            \
		function, file, 10, 0, "", 0, LANGUAGE_PYTHON, false \
	}
#define NATIVE(module, function)                                      \
	{                                                             \
		function, "", 0, 0, module, 0x1000, LANGUAGE_C, false \
	}
#define OF(language, module, function)                              \
	{                                                           \
		function, "", 0, 0, module, 0x1000, language, false \
	}
#define IN(language, module, file, function)                           \
	{                                                              \
		function, file, 10, 0, module, 0x1000, language, false \
	}

static const struct blame_case cases[] = {
	{ PYTHON,
	  { PY("/usr/lib/python3.11/json/__init__.py", "loads"), PY("/srv/a.py", "f") },
	  "f",
	  "json.loads" },
	{ PYTHON,
	  { PY("/usr/lib/python3.11/urllib/request.py", "urlopen"), PY("/srv/a.py", "f") },
	  "f",
	  "urllib.request.urlopen" },
	{ PYTHON,
	  { PY("/v/lib/python3.12/site-packages/numpy/core/x.py", "sum"), PY("/srv/a.py", "f") },
	  "f",
	  "numpy.sum" },
	{ PYTHON,
	  { NATIVE(LIBC, "__GI___clock_nanosleep"), NATIVE(PYTHON, "time_sleep"),
	    NATIVE(PYTHON, "PyObject_Vectorcall"), PY("/srv/a.py", "f") },
	  "f",
	  "time.sleep" },
	{ PYTHON, { NATIVE(LIBC, "read"), PY("/srv/a.py", "f") }, "f", "read" },
	{ PYTHON,
	  { NATIVE("/srv/mod.cpython-311-x86_64-linux-gnu.so", "inner"), PY("/srv/a.py", "f") },
	  "inner",
	  "" },
	{ PYTHON,
	  { NATIVE("/v/lib/python3.11/site-packages/numpy/_core.so", "dot"), PY("/srv/a.py", "f") },
	  "f",
	  "dot" },
	/* A script made by pip: the package that it starts is the program. */
	{ PYTHON,
	  { PY("/v/lib/python3.11/site-packages/httpx/api.py", "get"),
	    PY("/v/lib/python3.11/site-packages/tool/cli.py", "main"),
	    PY("/v/bin/tool", "<module>") },
	  "main",
	  "httpx.get" },
	{ PYTHON,
	  { PY("/usr/lib/python3.11/socketserver.py", "serve"),
	    PY("/usr/lib/python3.11/http/server.py", "test"), PY("<frozen runpy>", "run") },
	  "test",
	  "socketserver.serve" },
	{ PYTHON, { PY("<string>", "<module>") }, "<module>", "" },
	{ PYTHON,
	  { PY("/usr/lib/python3.11/json/decoder.py", "decode"), PY("<string>", "<module>") },
	  "<module>",
	  "json.decoder.decode" },
	{ PYTHON,
	  { PY("/v/lib/python3.11/site-packages/numpy/__init__.py", "<module>"),
	    PY("<frozen importlib._bootstrap>", "_find"), PY("/srv/a.py", "<module>") },
	  "<module>",
	  "import numpy" },
	/* No Python frames: the interpreter itself, by what is known of it. */
	{ PYTHON, { NATIVE(LIBC, "memcpy"), NATIVE(PYTHON, "list_sort") }, "list_sort", "" },
	{ APP,
	  { NATIVE(LIBC, "__libc_read"), NATIVE(APP, "parse"), NATIVE(APP, "main") },
	  "parse",
	  "read" },
	{ APP, { NATIVE("/srv/app/lib/libfeed.so", "scan"), NATIVE(APP, "main") }, "scan", "" },
	{ APP,
	  { NATIVE("/usr/lib/libz.so.1", "inflate"), NATIVE(APP, "parse") },
	  "parse",
	  "inflate" },
	{ APP, { NATIVE(LIBC, "read"), NATIVE(APP, ""), NATIVE(APP, "main") }, "main", "read" },
	{ APP, { NATIVE(APP, "clock_nanosleep"), NATIVE(APP, "nap") }, "nap", "clock_nanosleep" },
	{ APP, { NATIVE(LIBC, "read"), NATIVE("/usr/lib/libz.so.1", "") }, "read", "" },
	{ APP,
	  { OF(LANGUAGE_CPP, APP, "void std::sort<int*>(int*, int*)"),
	    OF(LANGUAGE_CPP, APP, "Feed::parse(int)") },
	  "Feed::parse(int)",
	  "void std::sort<int*>(int*, int*)" },
	{ APP,
	  { OF(LANGUAGE_CPP, APP, "operator new(unsigned long)"),
	    OF(LANGUAGE_CPP, APP, "std::vector<Feed>::push_back(Feed&&)"),
	    OF(LANGUAGE_CPP, APP, "main") },
	  "main",
	  "std::vector<Feed>::push_back(Feed&&)" },
	{ APP,
	  { IN(LANGUAGE_CPP, APP, "/usr/include/c++/12/bits/stl_algo.h", "__lg"),
	    OF(LANGUAGE_CPP, APP, "main") },
	  "main",
	  "__lg" },
	/* A crate may begin like the symbols of the runtime. */
	{ APP,
	  { OF(LANGUAGE_RUST, APP, "rust_tool::burn"),
	    OF(LANGUAGE_RUST, APP, "std::rt::lang_start_internal"), OF(LANGUAGE_C, APP, "main") },
	  "rust_tool::burn",
	  "" },
	{ APP,
	  { OF(LANGUAGE_RUST, APP, "rust_begin_unwind"), OF(LANGUAGE_RUST, APP, "feed::parse") },
	  "feed::parse",
	  "rust_begin_unwind" },
	{ APP,
	  { OF(LANGUAGE_RUST, APP, "<alloc::vec::Vec<u8> as core::ops::index::Index>::index"),
	    OF(LANGUAGE_RUST, APP, "feed::parse") },
	  "feed::parse",
	  "<alloc::vec::Vec<u8> as core::ops::index::Index>::index" },
	{ APP,
	  { OF(LANGUAGE_RUST, APP, "<feed::Item as core::fmt::Display>::fmt"),
	    OF(LANGUAGE_RUST, APP, "std::rt::lang_start") },
	  "<feed::Item as core::fmt::Display>::fmt",
	  "" },
	{ APP,
	  { OF(LANGUAGE_RUST, APP, "<&mut F as core::ops::function::FnOnce<A>>::call_once"),
	    OF(LANGUAGE_RUST, APP, "feed::main") },
	  "feed::main",
	  "<&mut F as core::ops::function::FnOnce<A>>::call_once" },
	{ APP,
	  { IN(LANGUAGE_RUST, APP, "/root/.cargo/registry/src/x/serde_json-1.0/src/de.rs",
	       "serde_json::de::from_str"),
	    OF(LANGUAGE_RUST, APP, "feed::main") },
	  "feed::main",
	  "serde_json::de::from_str" },
	{ APP,
	  { OF(LANGUAGE_GO, APP, "runtime.futex"), OF(LANGUAGE_GO, APP, "net/http.(*Client).Do"),
	    OF(LANGUAGE_GO, APP, "example.com/feed/fetch.Get"), OF(LANGUAGE_GO, APP, "main.main") },
	  "example.com/feed/fetch.Get",
	  "net/http.(*Client).Do" },
	{ APP,
	  { OF(LANGUAGE_GO, APP, "runtime.mallocgc"), OF(LANGUAGE_GO, APP, "main.parse") },
	  "main.parse",
	  "runtime.mallocgc" },
	{ APP,
	  { OF(LANGUAGE_GO, APP, "runtime.gopark"), OF(LANGUAGE_GO, APP, "time.Sleep"),
	    OF(LANGUAGE_GO, APP, "main.main") },
	  "main.main",
	  "time.Sleep" },
	{ APP,
	  { OF(LANGUAGE_GO, APP, "runtime.futex"), OF(LANGUAGE_GO, APP, "runtime.gopark"),
	    OF(LANGUAGE_GO, APP, "main.main") },
	  "runtime.futex",
	  "" },
	/* A program that is a package, and uses others. */
	{ "/usr/bin/node",
	  { IN(LANGUAGE_JIT, "[jit]", "/srv/node_modules/@acme/dep/b.js", "burn"),
	    IN(LANGUAGE_JIT, "[jit]", "/srv/node_modules/app/lib/a.js", "run"),
	    IN(LANGUAGE_JIT, "[jit]", "/srv/node_modules/app/cli.js", "main"),
	    NATIVE("/usr/bin/node", "node::Start") },
	  "run",
	  "burn" },
	{ "/usr/bin/node",
	  { NATIVE("/usr/bin/node", "uv__read"), IN(LANGUAGE_JIT, "[jit]", "node:fs", "readSync"),
	    IN(LANGUAGE_JIT, "[jit]", "/srv/a.js", "load"),
	    OF(LANGUAGE_JIT, "[jit]", "Builtin:JSEntry") },
	  "load",
	  "readSync" },
	{ "/usr/bin/node",
	  { OF(LANGUAGE_JIT, "[jit]", ""), NATIVE("/usr/bin/node", "Builtins_JSEntry") },
	  "",
	  "" },
	{ "/usr/bin/node",
	  { NATIVE("/usr/bin/node", "v8::internal::Scavenger::Process") },
	  "v8::internal::Scavenger::Process",
	  "" },
	{ "/opt/jdk/bin/java",
	  { OF(LANGUAGE_JIT, "[jit]", "java.lang.String::hashCode"),
	    OF(LANGUAGE_JIT, "[jit]", "feed.Main::parse") },
	  "feed.Main::parse",
	  "java.lang.String::hashCode" },
	{ "/opt/jdk/bin/java",
	  { NATIVE("/lib/x86_64-linux-gnu/libc.so.6", "read"),
	    OF(LANGUAGE_JIT, "[jit]", "sun.nio.ch.SocketDispatcher.read"),
	    OF(LANGUAGE_JIT, "[jit]", "Feed.fetch"), OF(LANGUAGE_JIT, "[jit]", "Interpreter") },
	  "Feed.fetch",
	  "sun.nio.ch.SocketDispatcher.read" },
};

static size_t frame_cnt(const struct blame_case *on)
{
	size_t cnt = 0;

	while (cnt < 6 && on->frames[cnt].function)
		cnt++;
	return cnt;
}

static void time_is_the_innermost_own_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct report_hot_spot *spot;
		struct observation obs;
		struct report report;

		build_observation(&obs, 1000, 1000, 0, 2);
		build_process(&obs, 7, cases[i].exe);
		build_thread(&obs, 7, 7, 1000);
		build_computing(&obs, 7, build_stack(&obs, cases[i].frames, frame_cnt(&cases[i])),
				1000, 100);
		build_report(&obs, &report);
		assert_int_equal(report.hot_spot_cnt, 1);
		spot = &report.hot_spots[0];
		if (strcmp(spot->place.function, cases[i].function) ||
		    strcmp(spot->callee, cases[i].callee))
			fail_msg("case %zu: %s calling %s, not %s calling %s", i,
				 spot->place.function, spot->callee, cases[i].function,
				 cases[i].callee);
		report_release(&report);
	}
}

static uint64_t stacks_ns(const struct report *report, bool is_on_cpu)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < report->stack_cnt; i++)
		if (report->stacks[i].is_on_cpu == is_on_cpu)
			sum_ns += report->stacks[i].time_ns;
	return sum_ns;
}

static uint32_t own_line(struct observation *obs, uint32_t line)
{
	return STACK(obs, python_at("/srv/a.py", line, "f"), native_at(PYTHON, "_start"));
}

/* Three lines whose samples don't divide evenly, and a thread with too few of its own. */
static void times_sum_to_the_exact_ones(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 0)->on_cpu_ns = 1000000007;
	build_thread(&obs, 7, 8, 0)->on_cpu_ns = 70000001;
	WAITED(&obs, 8, .reason = WAIT_NETWORK, .ms = 333, .cnt = 1000, .name = "a");
	for (uint32_t line = 1; line <= 3; line++) {
		build_computing(&obs, 7, own_line(&obs, line), 303 * line, 30 * line);
		build_waiting(&obs, 8, own_line(&obs, line), 0, 71 * line, 7 * line);
	}
	build_computing(&obs, 8, own_line(&obs, 9), 60, 6);
	build_report(&obs, &report);
	assert_int_equal(stacks_ns(&report, true), 1070000008);
	assert_int_equal(stacks_ns(&report, false), 333 * MS);
	report_release(&report);
}

/* Compilers that run for less than the distance of two samples are told by each other. */
static void short_processes_of_one_program_stand_for_each_other(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	for (pid_t pid = 10; pid < 110; pid++) {
		build_process(&obs, pid, APP);
		build_thread(&obs, pid, pid, 8);
		if (pid % 2)
			build_computing(&obs, pid, STACK(&obs, native_at(APP, "parse")), 10, 1);
	}
	build_process(&obs, 200, "/bin/other");
	build_thread(&obs, 200, 200, 50);
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt, 1);
	assert_int_equal(report.hot_spots[0].time_ns, 800 * MS);
	assert_true(report.stack_quality.known_share < 0.95);
	report_release(&report);
}

/* A minute of which a few samples tell is not theirs. */
static void few_samples_stand_for_little(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 60000, 60000, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 60000);
	build_computing(&obs, 7, own_line(&obs, 1), 30, 3);
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt, 0);
	assert_true(report.stack_quality.known_share < 0.01);
	assert_non_null(strstr(report.stack_quality.why_no_lines, "not enough samples: 3 "));
	report_release(&report);
}

/* Its share is not known to 10 points, but no other can be the first. */
static void what_is_first_for_certain_is_said(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	for (int is_close = 0; is_close < 2; is_close++) {
		build_observation(&obs, 200, 200, 0, 2);
		build_process(&obs, 7, PYTHON);
		build_thread(&obs, 7, 7, 200);
		build_computing(&obs, 7, own_line(&obs, 1), is_close ? 110 : 180, 10);
		build_computing(&obs, 7, own_line(&obs, 2), is_close ? 90 : 20, is_close ? 9 : 4);
		build_report(&obs, &report);
		assert_int_equal(report.hot_spot_cnt, is_close ? 0 : 2);
		if (!is_close) {
			assert_int_equal(report.hot_spots[0].place.line, 1);
			assert_true(report.hot_spots[0].share_error > 0.10);
		}
		report_release(&report);
	}
}

/* Five samples that agree may be chance. One wait that was seen from its beginning to its end is
 * not. */
static void what_was_seen_is_certain(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 50, 50, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 50);
	build_computing(&obs, 7, own_line(&obs, 1), 50, 5);
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt, 0);
	report_release(&report);

	build_observation(&obs, 5000, 10, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 10);
	WAITED(&obs, 7, .reason = WAIT_TIMER, .ms = 4990, .quiet_ms = 4990, .timed_out = true);
	build_waiting(&obs, 7, own_line(&obs, 2), 0, 4990, 1);
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt, 1);
	assert_int_equal(report.hot_spots[0].place.line, 2);
	assert_true(report.hot_spots[0].share_error == 0);
	report_release(&report);
}

/* @pid runs @exe as a command of @parent's. */
static void build_command(struct observation *obs, pid_t pid, pid_t parent, const char *exe)
{
	struct obs_process *process = build_process(obs, pid, exe);

	process->parent_pid = parent;
	process->is_exec = true;
	build_thread(obs, pid, pid, 10);
}

/* A program that runs curl through a shell, and waits for that. */
static void the_line_that_runs_a_command_is_named(void **state)
{
	struct observation obs;
	struct report report;
	const struct report_hot_spot *spot;

	(void)state;
	build_observation(&obs, 1000, 20, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 10);
	build_command(&obs, 8, 7, "/bin/sh");
	build_command(&obs, 9, 8, "/usr/bin/curl");
	WAITED(&obs, 7, .reason = WAIT_CHILD, .ms = 980);
	build_waiting(&obs, 7, own_line(&obs, 3), 0, 980, 30);
	WAITED(&obs, 8, .reason = WAIT_CHILD, .ms = 980);
	build_waiting(&obs, 8, STACK(&obs, native_at("/bin/sh", "")), 1, 980, 30);
	WAITED(&obs, 9, .reason = WAIT_NETWORK, .ms = 980, .quiet_ms = 980, .cnt = 20, .name = "a");
	build_waiting(&obs, 9, STACK(&obs, native_at("/usr/bin/curl", "")), 2, 980, 30);
	build_report(&obs, &report);
	spot = &report.hot_spots[0];
	assert_string_equal(spot->place.module, "/usr/bin/curl");
	assert_true(spot->has_starter);
	assert_string_equal(spot->starter.file, "/srv/a.py");
	assert_int_equal(spot->starter.line, 3);
	for (size_t i = 1; i < report.hot_spot_cnt; i++)
		if (!strcmp(report.hot_spots[i].place.file, "/srv/a.py"))
			assert_false(report.hot_spots[i].has_starter);
	report_release(&report);
}

static void without_stacks_there_is_nothing(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 1000);
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt + report.stack_cnt + report.function_cnt, 0);
	assert_false(report.stack_quality.are_taken);
	assert_null(report.stack_quality.why_no_lines);
	report_release(&report);
}

/* However long it is idle and joins: what it computes comes first. */
static void the_order_is_by_what_it_tells(void **state)
{
	static const uint32_t lines[] = { 2, 4, 1, 3, 5 };
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 10000, 500, 0, 2);
	build_process(&obs, 7, PYTHON)->listening_cnt = 1;
	build_thread(&obs, 7, 7, 500);
	WAITED(&obs, 7, .reason = WAIT_GIL, .ms = 300, .cnt = 50);
	WAITED(&obs, 7, .reason = WAIT_SYNC, .ms = 2000, .cnt = 50, .kind = OBJECT_JOIN,
	       .name = "worker");
	WAITED(&obs, 7, .reason = WAIT_DISK, .ms = 400, .cnt = 50, .quiet_ms = 400);
	WAITED(&obs, 7, .reason = WAIT_ACCEPT, .ms = 6800, .cnt = 50, .quiet_ms = 6800);
	build_waiting(&obs, 7, own_line(&obs, 1), 0, 300, 50);
	build_computing(&obs, 7, own_line(&obs, 2), 500, 50);
	build_waiting(&obs, 7, own_line(&obs, 3), 1, 2000, 50);
	build_waiting(&obs, 7, own_line(&obs, 4), 2, 400, 50);
	build_waiting(&obs, 7, own_line(&obs, 5), 3, 6800, 50);
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(report.hot_spots[i].place.line, lines[i]);
	/* Of 3.2 s in which it wasn't idle; of 10 s altogether. */
	assert_true(report.hot_spots[0].share > 0.156 && report.hot_spots[0].share < 0.157);
	assert_true(report.hot_spots[4].share > 0.679 && report.hot_spots[4].share < 0.681);
	report_release(&report);
}

/* However many threads sleep beside the one that computes: they hold nothing up. */
static void sleepers_in_the_background_come_last(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 1000);
	for (pid_t tid = 8; tid < 20; tid++)
		build_thread(&obs, 7, tid, 0);
	WAITED(&obs, 7, .reason = WAIT_TIMER, .ms = 12000, .cnt = 60);
	build_computing(&obs, 7, own_line(&obs, 1), 1000, 100);
	build_waiting(&obs, 7, own_line(&obs, 2), 0, 12000, 60);
	build_report(&obs, &report);
	assert_true(report.hot_spot_cnt >= 1);
	assert_int_equal(report.hot_spots[0].place.line, 1);
	assert_true(report.hot_spots[0].share > 0.999);
	if (report.hot_spot_cnt > 1)
		assert_true(report.hot_spots[1].share < 0.001);
	report_release(&report);
}

/* One line that waits for two things and in two tasks is named after the larger ones. */
static void a_line_has_the_object_and_task_of_most(void **state)
{
	struct observation obs;
	struct report report;
	uint32_t call;

	(void)state;
	build_observation(&obs, 1000, 0, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 0);
	for (int i = 0; i < 3; i++)
		WAITED(&obs, 7, .reason = WAIT_NETWORK, .ms = i == 1 ? 400 : 300, .cnt = 30,
		       .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND,
		       .name = i == 1 ? "10.0.0.1:1" : "10.0.0.2:2", .call = i ? "a" : "b");
	call = own_line(&obs, 1);
	build_waiting(&obs, 7, call, 0, 300, 30)->task = "Task-1";
	build_waiting(&obs, 7, call, 1, 400, 30)->task = "Task-1";
	build_waiting(&obs, 7, call, 2, 300, 30)->task = "Task-2";
	build_report(&obs, &report);
	assert_int_equal(report.hot_spot_cnt, 1);
	assert_string_equal(report.hot_spots[0].object, "tcp 10.0.0.2:2");
	assert_string_equal(report.hot_spots[0].task, "Task-1");
	report_release(&report);
}

static const struct report_function *function_named(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->function_cnt; i++)
		if (!strcmp(report->functions[i].place.function, name))
			return &report->functions[i];
	fail_msg("no function %s", name);
	return NULL;
}

/* Fetches and resizes in turn: half and half. @held_ms of 5 s are computed with the GIL held. */
static void build_mixed(struct observation *obs, uint64_t held_ms)
{
	struct obs_stack_time *resize;

	build_observation(obs, 10000, 5000, 0, 4);
	build_process(obs, 7, PYTHON);
	build_thread(obs, 7, 7, 5000);
	WAITED(obs, 7, .reason = WAIT_NETWORK, .ms = 5000, .cnt = 100, .quiet_ms = 5000,
	       .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443",
	       .call = "recvfrom");
	build_waiting(obs, 7,
		      STACK(obs, native_at(LIBC, "recv"), python_at("/srv/a.py", 5, "fetch")), 0,
		      5000, 100);
	resize =
		build_computing(obs, 7, STACK(obs, python_at("/srv/a.py", 9, "resize")), 5000, 500);
	resize->gil_known_ns = 5000 * MS;
	resize->gil_held_ns = held_ms * MS;
}

static void a_mixed_program_is_told_by_function(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_mixed(&obs, 5000);
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_MIXED);
	assert_int_equal(function_named(&report, "fetch")->verdict_class, CLASS_IO_BOUND);
	assert_string_equal(function_named(&report, "fetch")->advice, "thread-pool");
	assert_int_equal(function_named(&report, "resize")->verdict_class, CLASS_CPU_BOUND);
	assert_string_equal(function_named(&report, "resize")->advice, "process-pool");
	assert_true(report.recommendation.note_cnt > 0);
	assert_non_null(
		strstr(report.recommendation.notes[0], "thread-pool fetch (io-bound, 50%)"));
	assert_non_null(
		strstr(report.recommendation.notes[0], "process-pool resize (cpu-bound, 50%)"));
	report_release(&report);

	/* NumPy lets go of the GIL: threads will do. */
	build_mixed(&obs, 500);
	build_report(&obs, &report);
	assert_string_equal(function_named(&report, "resize")->advice, "thread-pool");
	report_release(&report);
}

/* Who has a few samples gets no advice. */
static void few_samples_make_no_class(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_mixed(&obs, 5000);
	build_computing(&obs, 7, STACK(&obs, python_at("/srv/a.py", 20, "rare")), 50, 5);
	build_report(&obs, &report);
	assert_int_equal(function_named(&report, "rare")->verdict_class, CLASS_INCONCLUSIVE);
	assert_string_equal(function_named(&report, "rare")->advice, "");
	report_release(&report);
}

static const struct report_finding *finding_named(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->finding_cnt; i++)
		if (!strcmp(report->findings[i].id, id))
			return &report->findings[i];
	fail_msg("no finding %s", id);
	return NULL;
}

static void a_finding_names_its_line(void **state)
{
	const struct report_finding *finding;
	const struct report_evidence *last;
	struct observation obs;
	struct report report;

	(void)state;
	build_fetcher(&obs);
	build_report(&obs, &report);
	finding = finding_named(&report, "serial-io");
	assert_non_null(strstr(finding->summary, " It waits in fetch (/srv/fetch.py:42)."));
	last = &finding->evidence[finding->evidence_cnt - 1];
	assert_string_equal(last->metric, "line: fetch (/srv/fetch.py:42)");
	assert_true(last->value > 2.39 && last->value < 2.41);
	report_release(&report);
}

/* Where no line has half of it, none shows it. */
static void a_line_that_is_not_certain_is_not_named(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_fetcher(&obs);
	obs.stack_times[0].time_ns = 600 * MS;
	for (uint32_t line = 1; line <= 3; line++)
		build_waiting(&obs, 7, own_line(&obs, line), 0, 600, 20);
	build_report(&obs, &report);
	assert_null(strstr(finding_named(&report, "serial-io")->summary, "fetch.py"));
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_that_waits_comes_first),
		cmocka_unit_test(time_is_the_innermost_own_lines),
		cmocka_unit_test(times_sum_to_the_exact_ones),
		cmocka_unit_test(short_processes_of_one_program_stand_for_each_other),
		cmocka_unit_test(few_samples_stand_for_little),
		cmocka_unit_test(what_is_first_for_certain_is_said),
		cmocka_unit_test(what_was_seen_is_certain),
		cmocka_unit_test(the_line_that_runs_a_command_is_named),
		cmocka_unit_test(without_stacks_there_is_nothing),
		cmocka_unit_test(the_order_is_by_what_it_tells),
		cmocka_unit_test(sleepers_in_the_background_come_last),
		cmocka_unit_test(a_line_has_the_object_and_task_of_most),
		cmocka_unit_test(a_mixed_program_is_told_by_function),
		cmocka_unit_test(few_samples_make_no_class),
		cmocka_unit_test(a_finding_names_its_line),
		cmocka_unit_test(a_line_that_is_not_certain_is_not_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
