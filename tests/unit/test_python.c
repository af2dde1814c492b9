/*
 * Frames of Python as they are read from outside while threads wait, and their lines, against what
 * Python itself says of them, on each version that is installed. Needs leave to read memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "python/interpreter.h"
#include "python/python.h"
#include "python_script.h"

/* What the scripts show at least. */
#define STOPS_MIN	 20
#define DEEPEST_MIN	 900
#define LINE_TABLES_MIN	 500
#define THREADS_MAX	 16
#define TABLE_LINE_BYTES (1U << 20)

static struct python *open_python(pid_t pid)
{
	char why[256] = "";
	struct python *python;
	int error = python_open(pid, &python, why, sizeof(why));

	if (error)
		fail_msg("python_open: %d %s", error, why);
	return python;
}

/* --- waiting threads --- */

static struct said_frames said;
static struct python_frame frames[SAID_FRAMES_MAX + 1];

static void check_frames(struct python *python)
{
	ssize_t cnt =
		python_walk(python, said.thread_pointer, frames, sizeof(frames) / sizeof(*frames));

	assert_int_equal(cnt, said.cnt);
	for (size_t i = 0; i < said.cnt; i++)
		assert_true(said_is_at(&said.frames[i], python, &frames[i], true));
	assert_true(frames[cnt - 1].is_entry);
}

/* The walk stops where the room for it does. */
static void check_capacity(struct python *python)
{
	struct python_frame few[3];
	ssize_t cnt = python_walk(python, said.thread_pointer, few, 2);

	assert_int_equal(cnt, said.cnt < 2 ? said.cnt : 2);
	assert_int_equal(few[0].code, frames[0].code);
}

/* Checks the frames of all threads that the script tells of before its next wait. False: it has
 * ended. */
static bool check_stop(struct script *script, struct python *python, size_t *deepest)
{
	bool is_end = false;
	bool is_waiting = false;

	while (script_read_frames(script, &said, &is_end)) {
		if (!is_waiting) /* what it writes fits in the pipe */
			script_until_reading(script);
		is_waiting = true;
		check_frames(python);
		check_capacity(python);
		*deepest = said.cnt > *deepest ? said.cnt : *deepest;
		said_release(&said);
	}
	return !is_end;
}

static void check_waits(const char *path)
{
	struct python *python = NULL;
	struct script script;
	size_t stop_cnt = 0, deepest = 0;

	script_start(&script, path, "waiting.py", NULL);
	script_until_reading(&script);
	python = open_python(script.pid);
	for (; check_stop(&script, python, &deepest); stop_cnt++)
		script_go_on(&script);
	assert_true(stop_cnt >= STOPS_MIN);
	assert_true(deepest >= DEEPEST_MIN);
	python_free(python);
	assert_int_equal(script_end(&script), 0);
}

static void frames_of_waiting_threads(void **state)
{
	(void)state;
	each_python(check_waits);
}

/* --- what is known, and what isn't --- */

static void check_threads(const char *path)
{
	struct python_thread threads[THREADS_MAX];
	struct script script;
	struct python *python;
	struct python_place place;

	script_start(&script, path, "waiting.py", NULL);
	script_until_reading(&script);
	python = open_python(script.pid);
	assert_int_equal(python_threads(python, threads, THREADS_MAX), 1);
	assert_int_equal(python_version(python) >> 24, 3);
	assert_int_equal(python_walk(python, threads[0].thread_pointer + 64, frames, 8), 0);
	assert_true(python_walk(python, threads[0].thread_pointer, frames, 8) > 0);
	assert_int_equal(python_place(python, &frames[0], &place), 0);
	/* A frame is no code object, and nothing is nothing. */
	assert_int_equal(
		python_place(python, &(struct python_frame){ .code = frames[0].frame }, &place),
		-EINVAL);
	assert_int_equal(python_place(python, &(struct python_frame){ .code = 8 }, &place),
			 -EFAULT);
	script_kill(&script);
	/* What was read while it lived is known afterwards. */
	assert_int_equal(python_place(python, &frames[0], &place), 0);
	assert_string_equal(place.function, "wait");
	assert_true(python_walk(python, threads[0].thread_pointer, frames, 8) <= 0);
	python_free(python);
}

static void threads_and_strangers(void **state)
{
	(void)state;
	each_python(check_threads);
}

static void no_python_here(void **state)
{
	char why[256] = "x";
	struct python *python;

	(void)state;
	assert_int_equal(python_open(getpid(), &python, why, sizeof(why)), -ENOENT);
	assert_null(python);
	assert_string_equal(why, "");
}

static void check_refused(const char *path)
{
	char why[256] = "";
	struct python *python;
	struct script script;
	bool is_end = false;

	script_start(&script, path, "idle.py", NULL);
	assert_false(script_read_frames(&script, &said, &is_end));
	assert_false(is_end);
	assert_int_equal(python_open(script.pid, &python, why, sizeof(why)), -ENOTSUP);
	assert_null(python);
	assert_non_null(strstr(why, "frames are read from 3.8 on"));
	assert_int_equal(script_end(&script), 0);
}

static void versions_that_are_refused(void **state)
{
	(void)state;
	each_old_python(check_refused);
}

/* --- line tables --- */

static enum python_line_format format_named(const char *name)
{
	if (!strcmp(name, "lnotab"))
		return PYTHON_LINES_LNOTAB;
	return strcmp(name, "ranges") ? PYTHON_LINES_LOCATIONS : PYTHON_LINES_RANGES;
}

static size_t from_hexadecimal(const char *text, uint8_t *bytes)
{
	size_t len = 0;
	unsigned int byte;

	for (; sscanf(text, "%2x", &byte) == 1; text += 2)
		bytes[len++] = (uint8_t)byte;
	return len;
}

/* "format first_line table offset:end:line ..." */
static void check_table(char *text)
{
	enum python_line_format format = format_named(strsep(&text, " "));
	uint32_t first_line = (uint32_t)strtoul(strsep(&text, " "), NULL, 10);
	const char *hexadecimal = strsep(&text, " ");
	uint8_t *table = malloc(strlen(hexadecimal) / 2 + 1);
	size_t len;
	char *range;

	assert_non_null(table);
	len = from_hexadecimal(hexadecimal, table);
	while ((range = strsep(&text, " "))) {
		long offset, end;
		unsigned int line;

		assert_int_equal(sscanf(range, "%ld:%ld:%u", &offset, &end, &line), 3);
		for (; offset < end; offset += 2)
			assert_int_equal(line_table_find(format, table, len, first_line, offset),
					 line);
	}
	assert_int_equal(line_table_find(format, table, len, first_line, -1), first_line);
	free(table);
}

static void check_tables(const char *path)
{
	char *text = malloc(TABLE_LINE_BYTES);
	struct script script;
	size_t cnt = 0;

	assert_non_null(text);
	script_start(&script, path, "lines.py", NULL);
	for (; fgets(text, TABLE_LINE_BYTES, script.output); cnt++)
		check_table(text);
	assert_true(cnt >= LINE_TABLES_MIN);
	assert_int_equal(script_end(&script), 0);
	free(text);
}

static void line_tables(void **state)
{
	(void)state;
	each_python(check_tables);
}

static void line_tables_made_up(void **state)
{
	static const uint8_t endless[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t backwards[] = { 2, 0x81, 2, 0x81 };

	(void)state;
	for (int format = PYTHON_LINES_LNOTAB; format <= PYTHON_LINES_LOCATIONS; format++) {
		assert_int_equal(
			line_table_find((enum python_line_format)format, endless, 0, 1, 1000),
			format == PYTHON_LINES_LNOTAB ? 1 : 0);
		line_table_find((enum python_line_format)format, endless, sizeof(endless), 1, 1000);
	}
	/* Lines before the first are none. */
	assert_int_equal(line_table_find(PYTHON_LINES_LNOTAB, backwards, sizeof(backwards), 5, 9),
			 0);
	assert_int_equal(line_table_find(PYTHON_LINES_RANGES, backwards, sizeof(backwards), 5, 1),
			 0);
}

/* --- memory that leads round in circles --- */

#define CIRCLE_READS_MAX 5000

static size_t read_cnt;

/* Each word of it is the address of some other part of it. */
static bool read_circle(void *context, uint64_t address, void *bytes, size_t len)
{
	const uint64_t *step = context;
	uint64_t word = address / 4096 * 4096 + *step;

	read_cnt++;
	if (*step > 4096 && word > 100 * *step)
		word = 4096;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)bytes)[i] = ((const uint8_t *)&word)[i % sizeof(word)];
	return true;
}

static void check_circle(uint32_t hexversion, uint64_t step)
{
	struct python *python = calloc(1, sizeof(*python));
	struct python_thread threads[THREADS_MAX];

	assert_non_null(python);
	python->memory = (struct python_memory){ .read = read_circle, .context = &step };
	python->hexversion = hexversion;
	python->runtime = 4096;
	assert_true(layout_find(&python->memory, python->runtime, hexversion, &python->layout));
	read_cnt = 0;
	assert_true(python_threads(python, threads, THREADS_MAX) <= THREADS_MAX);
	assert_int_equal(python_walk(python, 12345, frames, 128), 0);
	assert_true(python_walk(python, threads[0].thread_pointer, frames, 128) <= 128);
	assert_in_range(read_cnt, 1, CIRCLE_READS_MAX);
	free(python);
}

static void memory_in_circles(void **state)
{
	(void)state;
	for (uint32_t minor = 8; minor <= 12; minor++) {
		check_circle(0x03000000 | minor << 16, 0);
		check_circle(0x03000000 | minor << 16, 8192);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_waiting_threads),
		cmocka_unit_test(threads_and_strangers),
		cmocka_unit_test(no_python_here),
		cmocka_unit_test(versions_that_are_refused),
		cmocka_unit_test(line_tables),
		cmocka_unit_test(line_tables_made_up),
		cmocka_unit_test(memory_in_circles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
