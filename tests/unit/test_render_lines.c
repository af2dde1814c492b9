/* What the text says of lines, so that it can be believed: of what whole shares are, which file it
 * is, and whose code. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "render/page.h"
#include "render/text.h"
#include "report.h"

#define MS	   1000000ULL
#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static char *rendered(const struct report *report, bool is_verbose)
{
	struct text_style style = { .width = 80, .use_unicode = true, .is_verbose = is_verbose };
	struct page page;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	page_init(&page, &style, out);
	text_lines(&page, report);
	fclose(out);
	return text;
}

static void assert_says(const struct report *report, bool is_verbose, const char *part, bool says)
{
	char *text = rendered(report, is_verbose);

	if ((strstr(text, part) != NULL) != says)
		fail_msg("%s \"%s\" in:\n%s", says ? "no" : "there is", part, text);
	free(text);
}

/* A report of @cnt spots, of a program that took @wall_ms. */
static struct report report_of(struct report_hot_spot *spots, size_t cnt, uint64_t wall_ms)
{
	for (size_t i = 0; i < cnt; i++) {
		spots[i].callee = "";
		spots[i].task = "";
		if (!spots[i].object)
			spots[i].object = "";
	}
	return (struct report){ .hot_spots = spots,
				.hot_spot_cnt = cnt,
				.runtime = { "CPython", "3.11", GLOBAL_LOCK_GIL },
				.program_time.wall_ns = wall_ms * MS,
				.stack_quality = { .are_taken = true, .known_share = 1 } };
}

#define AT(file, function)                                             \
	{                                                              \
		function, file, 5, "", 0, LANGUAGE_PYTHON, false, true \
	}

static void the_whole_of_the_shares_is_said(void **state)
{
	struct report_hot_spot spots[] = {
		{ .is_on_cpu = true, .time_ns = 300 * MS, .share = 0.6, .place = AT("a.py", "f") },
		{ .reason = WAIT_DISK,
		  .role = WAITS_FOR_RESULT,
		  .time_ns = 200 * MS,
		  .share = 0.4,
		  .place = AT("a.py", "g") },
		{ .reason = WAIT_SYNC,
		  .role = WAITS_FOR_TREE,
		  .time_ns = 500 * MS,
		  .share = 0.5,
		  .place = AT("a.py", "h") },
	};
	struct report report = report_of(spots, 3, 500);
	static const char other_title[] = "waiting for each other or for work, of all thread time\n"
					  "   50.0%";

	(void)state;
	assert_says(&report, false, "at which lines\n", true);
	assert_says(&report, false, "waiting for each other", false);
	assert_says(&report, true, other_title, true);
	report.program_time.wall_ns = 2000 * MS;
	report.program_time.idle_ns = 1500 * MS;
	assert_says(&report, false, "at which lines, of the 500 ms that it wasn't idle\n", true);
}

/* What has a share of another whole doesn't hide what comes after it. */
static void a_stopped_line_hides_nothing(void **state)
{
	struct report_hot_spot spots[] = {
		{ .reason = WAIT_STOPPED,
		  .role = WAITS_FOR_OTHER,
		  .time_ns = 900 * MS,
		  .share = 0.9,
		  .place = AT("a.py", "f") },
		{ .is_on_cpu = true, .time_ns = 100 * MS, .share = 1, .place = AT("a.py", "g") },
	};
	struct report report = report_of(spots, 2, 1000);

	(void)state;
	assert_says(&report, false, "100.0% a.py:5  g  computes", true);
	assert_says(&report, false, "is stopped", false);
}

static void the_file_is_told(void **state)
{
	struct report_hot_spot spots[] = {
		{ .is_on_cpu = true, .share = 0.4, .place = AT("/srv/feed/__init__.py", "f") },
		{ .is_on_cpu = true, .share = 0.3, .place = AT("/srv/a/util.py", "g") },
		{ .is_on_cpu = true, .share = 0.2, .place = AT("/srv/b/util.py", "h") },
		{ .is_on_cpu = true, .share = 0.1, .place = AT("/srv/b/main.py", "i") },
	};
	struct report report = report_of(spots, 4, 1000);

	(void)state;
	assert_says(&report, false, " feed/__init__.py:5", true);
	assert_says(&report, false, " a/util.py:5", true);
	assert_says(&report, false, " b/util.py:5", true);
	assert_says(&report, false, " main.py:5", true);
}

static void foreign_code_is_told(void **state)
{
	struct report_hot_spot spots[] = {
		{ .is_on_cpu = true,
		  .share = 0.4,
		  .place = { "", "", 0, "[jit]", 0, LANGUAGE_JIT, false, false } },
		{ .is_on_cpu = true,
		  .share = 0.3,
		  .place = { "inflate", "", 0, "/usr/lib/libz.so.1", 0, LANGUAGE_C, false,
			     false } },
		{ .is_on_cpu = true, .share = 0.2, .place = AT("a.py", "g") },
	};
	struct report report = report_of(spots, 3, 1000);

	(void)state;
	assert_says(&report, false, "(code without names)", true);
	assert_says(&report, false, "inflate  computes (not its own code)\n", true);
	assert_says(&report, false, "g        computes\n", true);
	report.runtime.name = "Node.js";
	assert_says(&report, false, "\n  node --perf-basic-prof names its functions\n", true);
	report.runtime.name = "JVM";
	assert_says(&report, false, "Compiler.perfmap", true);
	/* All names are there, or none but the engine's. */
	report.hot_spots++;
	report.hot_spot_cnt = 2;
	assert_says(&report, false, "Compiler.perfmap", false);
	report.hot_spot_cnt = 1;
	assert_says(&report, false, "Compiler.perfmap", true);
}

static void a_long_object_is_elided(void **state)
{
	static const char object[] =
		"/root/.pyenv/versions/3.11.7/lib/python3.11/html/__pycache__/__init__.pyc";
	struct report_hot_spot spots[] = {
		{ .reason = WAIT_DISK,
		  .role = WAITS_FOR_RESULT,
		  .share = 0.5,
		  .object = object,
		  .place = AT("fetch.py", "load_everything") },
	};
	struct report report = report_of(spots, 1, 1000);

	(void)state;
	assert_says(&report, false, "waits for /root/.pyenv/ve…__/__init__.pyc\n", true);
}

static void functions_that_say_nothing_are_left_out(void **state)
{
	struct report_function functions[40];
	struct report report = { .functions = functions, .function_cnt = 40, .runtime.name = "" };
	char names[40][8];
	char *text;
	size_t cnt = 0;

	(void)state;
	for (size_t i = 0; i < CNT(functions); i++) {
		snprintf(names[i], sizeof(names[i]), "f%zu", i);
		functions[i] = (struct report_function){
			.place = { names[i], "a.py", 5, "", 0, LANGUAGE_PYTHON, false, true },
			.share = i ? 0.007 : 0.02,
			.verdict_class = i % 3 ? CLASS_CPU_BOUND : CLASS_INCONCLUSIVE,
			.advice = "",
		};
	}
	assert_says(&report, true, "f0   inconclusive", true);
	functions[0].place.function = "<module>";
	assert_says(&report, true, "<module> of a.py  inconclusive", true);
	functions[0].place.function = "f0";
	assert_says(&report, true, "f1   CPU-bound", true);
	assert_says(&report, true, "f3 ", false);
	assert_says(&report, false, "f1 ", false);
	text = rendered(&report, true);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		cnt++;
	assert_int_equal(cnt, 1 + 20);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_of_the_shares_is_said),
		cmocka_unit_test(a_stopped_line_hides_nothing),
		cmocka_unit_test(the_file_is_told),
		cmocka_unit_test(foreign_code_is_told),
		cmocka_unit_test(a_long_object_is_elided),
		cmocka_unit_test(functions_that_say_nothing_are_left_out),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
