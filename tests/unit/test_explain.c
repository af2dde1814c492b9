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
	  "time_sleep" },
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
	  { OF(LANGUAGE_GO, APP, "runtime.gopark"), OF(LANGUAGE_GO, APP, "net/http.(*Client).Do"),
	    OF(LANGUAGE_GO, APP, "example.com/feed/fetch.Get"), OF(LANGUAGE_GO, APP, "main.main") },
	  "example.com/feed/fetch.Get",
	  "net/http.(*Client).Do" },
	{ APP,
	  { OF(LANGUAGE_GO, APP, "runtime.mallocgc"), OF(LANGUAGE_GO, APP, "main.parse") },
	  "main.parse",
	  "runtime.mallocgc" },
	{ "/usr/bin/node",
	  { NATIVE("/usr/bin/node", "uv__read"), IN(LANGUAGE_JIT, "[jit]", "node:fs", "readSync"),
	    IN(LANGUAGE_JIT, "[jit]", "/srv/a.js", "load"),
	    OF(LANGUAGE_JIT, "[jit]", "Builtin:JSEntry") },
	  "load",
	  "readSync" },
	{ "/usr/bin/node",
	  { NATIVE("/usr/bin/node", "v8::internal::Scavenger::Process") },
	  "v8::internal::Scavenger::Process",
	  "" },
	{ "/opt/jdk/bin/java",
	  { OF(LANGUAGE_JIT, "[jit]", "java.lang.String::hashCode"),
	    OF(LANGUAGE_JIT, "[jit]", "feed.Main::parse") },
	  "feed.Main::parse",
	  "java.lang.String::hashCode" },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_that_waits_comes_first),
		cmocka_unit_test(time_is_the_innermost_own_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
