/* What of a stack is the program that was started, and not what runs it: scripts in a bin
 * directory, -c and archives, the machinery of runtimes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "stack_builder.h"

#define SITE "/v/lib/python3.11/site-packages/"

/* A process that computes with equal parts in up to two stacks, of up to four frames each. */
struct program_case {
	struct obs_frame stacks[2][4];
	const char *function; /* of the first line that is told */
	const char *callee;
};

#define PY(file, line, function)                                       \
	{                                                              \
		function, file, line, 0, "", 0, LANGUAGE_PYTHON, false \
	}

static const struct program_case cases[] = {
	/* Made by pip: it imports the package in one line and calls it in another. */
	{ { { PY(SITE "tool/cli.py", 3, "main"), PY("/v/bin/tool", 8, "<module>") },
	    { PY(SITE "tool/__init__.py", 1, "<module>"),
	      PY("<frozen importlib._bootstrap>", 1, "_find"), PY("/v/bin/tool", 5, "<module>") } },
	  "main",
	  "" },
	/* It calls packages in two lines, has a function, or an ending: it is the program. */
	{ { { PY(SITE "web.py", 3, "get"), PY("/v/bin/report", 3, "<module>") },
	    { PY(SITE "web.py", 9, "crunch"), PY("/v/bin/report", 4, "<module>") } },
	  "<module>",
	  "web.get" },
	{ { { PY(SITE "web.py", 3, "get"), PY("/v/bin/report", 9, "<module>") },
	    { PY("/v/bin/report", 4, "parse"), PY("/v/bin/report", 9, "<module>") } },
	  "<module>",
	  "web.get" },
	{ { { PY(SITE "web.py", 3, "get"), PY("/v/bin/report.py", 3, "<module>") } },
	  "<module>",
	  "web.get" },
	/* What -c, a pipe and timeit run. */
	{ { { PY(SITE "web.py", 3, "get"), PY("<string>", 1, "<module>") } },
	  "<module>",
	  "web.get" },
	{ { { PY(SITE "web.py", 3, "get"), PY("<stdin>", 1, "f"), PY("<stdin>", 5, "<module>") } },
	  "f",
	  "web.get" },
	{ { { PY(SITE "web.py", 3, "get"), PY("<timeit-src>", 6, "inner"),
	      PY("/usr/lib/python3.11/timeit.py", 180, "Timer.timeit") } },
	  "inner",
	  "web.get" },
	/* Threads of such a program, and what dataclasses make up in it. */
	{ { { PY("<string>", 1, "__init__"), PY("<string>", 2, "f"),
	      PY("/usr/lib/python3.11/threading.py", 982, "Thread.run") },
	    { PY("<string>", 9, "<module>") } },
	  "f",
	  "" },
	{ { { PY("<string>", 1, "f"), PY("/srv/a.py", 7, "g") } }, "g", "" },
	/* Archives and directories that only look like an interpreter's. */
	{ { { PY("/home/x/python/app.zip/work.py", 3, "spin") } }, "spin", "" },
	{ { { PY("/opt/python-3/app.zip/work.py", 3, "spin") } }, "spin", "" },
	{ { { PY("/home/x/lib/python3-tools/app.py", 3, "spin") } }, "spin", "" },
	{ { { PY("/usr/lib/python311.zip/json/decoder.py", 3, "decode"),
	      PY("/srv/a.py", 7, "g") } },
	  "g",
	  "json.decoder.decode" },
	{ { { PY("/opt/lib/python3.13t/json/decoder.py", 3, "decode"), PY("/srv/a.py", 7, "g") } },
	  "g",
	  "json.decoder.decode" },
};

static size_t frame_cnt(const struct obs_frame frames[4])
{
	size_t cnt = 0;

	while (cnt < 4 && frames[cnt].function)
		cnt++;
	return cnt;
}

static void the_program_is_told_from_what_it_uses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct report_hot_spot *spot;
		struct observation obs;
		struct report report;

		build_observation(&obs, 1000, 1000, 0, 2);
		build_process(&obs, 7, PYTHON);
		build_thread(&obs, 7, 7, 1000);
		for (size_t k = 0; k < 2 && cases[i].stacks[k][0].function; k++)
			build_computing(&obs, 7,
					build_stack(&obs, cases[i].stacks[k],
						    frame_cnt(cases[i].stacks[k])),
					k ? 400 : 600, k ? 40 : 60);
		build_report(&obs, &report);
		assert_true(report.hot_spot_cnt > 0);
		spot = &report.hot_spots[0];
		if (strcmp(spot->place.function, cases[i].function) ||
		    strcmp(spot->callee, cases[i].callee) || !spot->place.is_own)
			fail_msg("case %zu: %s calling %s, not %s calling %s", i,
				 spot->place.function, spot->callee, cases[i].function,
				 cases[i].callee);
		report_release(&report);
	}
}

#define NATIVE(module, function)                                      \
	{                                                             \
		function, "", 0, 0, module, 0x1000, LANGUAGE_C, false \
	}
#define NODE	  "/usr/bin/node"
#define LIBPYTHON "/opt/lib/libpython3.11.so.1.0"
#define SQLITE	  "/opt/lib/python3.8/lib-dynload/_sqlite3.cpython-38-x86_64-linux-gnu.so"
#define SCRIPT                                                               \
	{                                                                    \
		"parse", "/srv/a.js", 10, 0, "[jit]", 0, LANGUAGE_JIT, false \
	}

/* Code that is there for all calls says nothing about one. */
static const struct machinery_case {
	const char *exe;
	struct obs_frame frames[4];
	const char *function; /* NULL: no line is told */
	const char *callee;
} machinery_cases[] = {
	{ PYTHON, { NATIVE(PYTHON, "l_divmod"), PY("/srv/a.py", 1, "f") }, "f", "" },
	{ PYTHON, { NATIVE(PYTHON, "pymalloc_free"), PY("/srv/a.py", 1, "f") }, "f", "" },
	{ PYTHON,
	  { NATIVE(SQLITE, "pysqlite_connection_execute"), PY("/srv/a.py", 1, "f") },
	  "f",
	  "sqlite3.Connection.execute" },
	{ NODE,
	  { NATIVE(NODE, "uv__read"), NATIVE(NODE, "Builtins_CEntry_BuiltinExit"), SCRIPT },
	  "parse",
	  "uv__read" },
	{ NODE, { NATIVE(NODE, "Builtins_CEntry_BuiltinExit"), SCRIPT }, "parse", "" },
	/* Before main(), and after it. */
	{ PYTHON, { NATIVE(LIBPYTHON, "r_object"), NATIVE(PYTHON, "_start") }, "r_object", "" },
	{ "/srv/tool",
	  { NATIVE("/usr/lib/libc.so.6", "exit"), NATIVE("/srv/tool", "_start") },
	  "exit",
	  "" },
	{ PYTHON, { NATIVE(PYTHON, "_start") }, NULL, "" },
	{ PYTHON, { NATIVE("/usr/lib/libc.so.6", "clone3") }, NULL, "" },
};

static void machinery_is_not_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(machinery_cases) / sizeof(machinery_cases[0]); i++) {
		const struct machinery_case *on = &machinery_cases[i];
		const struct report_hot_spot *spot;
		struct observation obs;
		struct report report;

		build_observation(&obs, 1000, 1000, 0, 2);
		build_process(&obs, 7, on->exe);
		build_thread(&obs, 7, 7, 1000);
		build_computing(&obs, 7, build_stack(&obs, on->frames, frame_cnt(on->frames)), 1000,
				100);
		build_report(&obs, &report);
		spot = report.hot_spot_cnt ? &report.hot_spots[0] : NULL;
		if (!spot != !on->function ||
		    (spot && (strcmp(spot->place.function, on->function) ||
			      strcmp(spot->callee, on->callee))))
			fail_msg("case %zu: %s calling %s", i, spot ? spot->place.function : "none",
				 spot ? spot->callee : "");
		report_release(&report);
	}
}

/* Most of what it waited for was in page faults, of which the stack is the kernel's alone. */
static void no_finding_is_about_a_line_of_the_kernels(void **state)
{
	struct observation obs;
	struct report report;
	bool is_found = false;

	(void)state;
	build_observation(&obs, 3000, 600, 0, 2);
	build_process(&obs, 7, PYTHON);
	build_thread(&obs, 7, 7, 600);
	WAITED(&obs, 7, .reason = WAIT_NETWORK, .ms = 2400, .cnt = 20, .quiet_ms = 2400,
	       .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443");
	build_waiting(
		&obs, 7,
		STACK(&obs, source_at("[kernel]", "", 0, "asm_exc_page_fault", LANGUAGE_KERNEL)), 0,
		2400, 20);
	build_report(&obs, &report);
	for (size_t i = 0; i < report.finding_cnt; i++) {
		is_found |= !strcmp(report.findings[i].id, "serial-io");
		assert_null(strstr(report.findings[i].summary, "asm_exc_page_fault"));
	}
	assert_true(is_found);
	report_release(&report);
}

/* The observer marks a loop's waits from the first through the loop on: what came before is known
 * by the thread that waited. */
static void a_call_before_the_loop_waits_blocks_it(void **state)
{
	struct observation obs;
	struct report report;
	bool is_found = false;

	(void)state;
	build_observation(&obs, 1000, 100, 0, 4);
	build_process(&obs, 7, PYTHON)->has_event_loop = true;
	build_thread(&obs, 7, 7, 100);
	WAITED(&obs, 7, .reason = WAIT_NETWORK, .ms = 500, .cnt = 20, .quiet_ms = 500,
	       .via_event_loop = true, .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND);
	WAITED(&obs, 7, .reason = WAIT_TIMER, .ms = 400, .cnt = 1, .quiet_ms = 400,
	       .call = "clock_nanosleep");
	build_waiting(&obs, 7, STACK(&obs, python_at("/srv/a.py", 8, "block")), 1, 400, 1);
	build_report(&obs, &report);
	for (size_t i = 0; i < report.finding_cnt; i++) {
		if (strcmp(report.findings[i].id, "blocking-call-on-event-loop"))
			continue;
		is_found = true;
		assert_non_null(
			strstr(report.findings[i].summary, "It blocks in block (/srv/a.py:8)"));
	}
	assert_true(is_found);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machinery_is_not_named),
		cmocka_unit_test(no_finding_is_about_a_line_of_the_kernels),
		cmocka_unit_test(a_call_before_the_loop_waits_blocks_it),
		cmocka_unit_test(the_program_is_told_from_what_it_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
