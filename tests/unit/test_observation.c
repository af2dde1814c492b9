/* The observation's memory, names, times and UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "observation/lives.h"
#include "observation/observation.h"
#include "observation/string_pool.h"
#include "observation/timestamp.h"
#include "observation/utf8.h"

static void equal_strings_are_stored_once(void **state)
{
	struct observation obs;
	const char *first;

	(void)state;
	observation_init(&obs);
	first = observation_intern(&obs, "worker", 6);
	assert_string_equal(first, "worker");
	assert_ptr_equal(observation_intern(&obs, "workers", 6), first);
	assert_ptr_not_equal(observation_intern(&obs, "workers", 7), first);
	assert_string_equal(observation_intern(&obs, "cut\0here", 8), "cut");
	assert_string_equal(observation_intern(&obs, "", 0), "");
	observation_release(&obs);
}

static void strings_stay_where_they_are_while_the_pool_grows(void **state)
{
	const char *strings[5000];
	struct observation obs;
	char text[16];

	(void)state;
	observation_init(&obs);
	for (int i = 0; i < 5000; i++) {
		int len = snprintf(text, sizeof(text), "%d", i);

		strings[i] = observation_intern(&obs, text, (size_t)len);
	}
	for (int i = 0; i < 5000; i++) {
		int len = snprintf(text, sizeof(text), "%d", i);

		assert_string_equal(strings[i], text);
		assert_ptr_equal(observation_intern(&obs, text, (size_t)len), strings[i]);
	}
	observation_release(&obs);
}

static void a_full_pool_takes_no_more_and_keeps_what_it_has(void **state)
{
	struct string_pool *pool = string_pool_new(200000);
	char text[1000];
	int taken = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_non_null(string_pool_intern(pool, "first", 5));
	for (size_t len = 1; len <= sizeof(text); len++)
		taken += string_pool_intern(pool, text, len) != NULL;
	/* Strings of up to a thousand bytes: some 600 of them have room. */
	assert_in_range(taken, 500, 700);
	assert_string_equal(string_pool_intern(pool, "first", 5), "first");
	string_pool_free(pool);
}

static void added_elements_are_empty_and_kept(void **state)
{
	struct observation obs;

	(void)state;
	observation_init(&obs);
	for (int i = 0; i < 1000; i++) {
		struct obs_process *process = observation_add_process(&obs);

		assert_int_equal(process->pid, 0);
		assert_string_equal(process->exe, "");
		process->pid = i + 1;
		assert_string_equal(observation_add_thread(&obs)->comm, "");
		assert_string_equal(observation_add_wait(&obs)->name, "");
	}
	assert_int_equal(obs.process_cnt, 1000);
	assert_ptr_equal(observation_find_process(&obs, 700), &obs.processes[699]);
	assert_null(observation_find_process(&obs, 1001));
	observation_release(&obs);
	assert_int_equal(obs.process_cnt, 0);
	observation_release(&obs);
}

static void a_draft_grows_apart(void **state)
{
	struct observation obs, draft;

	(void)state;
	observation_init(&obs);
	for (int i = 0; i < 5; i++) {
		struct obs_process *process = observation_add_process(&obs);

		observation_add_string(&obs, &process->modules, &process->module_cnt, "/lib/c");
		observation_add_slice(&obs)->end_ns = (uint64_t)i;
	}
	assert_int_equal(observation_draft(&draft, &obs), 0);
	for (int i = 0; i < 100; i++) {
		observation_add_process(&draft)->comm = observation_intern(&draft, "late", 4);
		observation_add_slice(&draft);
	}
	observation_add_string(&draft, &draft.processes[4].modules, &draft.processes[4].module_cnt,
			       "/lib/d");
	observation_add_process(&obs);
	assert_int_equal(draft.process_cnt, 105);
	assert_int_equal(draft.slices[4].end_ns, 4);
	assert_string_equal(draft.processes[5].comm, "late");
	assert_string_equal(draft.processes[4].modules[1], "/lib/d");
	observation_release(&draft);
	assert_int_equal(obs.process_cnt, 6);
	assert_int_equal(obs.processes[4].module_cnt, 1);
	assert_string_equal(obs.processes[4].modules[0], "/lib/c");
	observation_release(&obs);
}

static void arrays_of_strings_grow(void **state)
{
	struct observation obs;
	struct obs_process *process;
	char text[16];

	(void)state;
	observation_init(&obs);
	process = observation_add_process(&obs);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "lib%d", i);
		assert_int_equal(
			observation_add_string(&obs, &process->modules, &process->module_cnt, text),
			0);
	}
	assert_string_equal(process->modules[99], "lib99");
	assert_int_equal(observation_add_missing_probe(&obs, "sock: absent"), 0);
	assert_string_equal(obs.quality.missing_probes[0], "sock: absent");
	observation_release(&obs);
}

static void waits_of_a_thread_sum_over_reasons(void **state)
{
	struct obs_thread thread = { .wait_ns = { [WAIT_NETWORK] = 5, [WAIT_OTHER] = 7 } };

	(void)state;
	assert_int_equal(obs_thread_wait_ns(&thread), 12);
}

static void every_name_reads_back(void **state)
{
	(void)state;
	for (int i = 0; i < WAIT_REASON_CNT; i++)
		assert_int_equal(wait_reason_parse(wait_reason_name((enum wait_reason)i)), i);
	for (int i = 0; i < OBJECT_KIND_CNT; i++)
		assert_int_equal(object_kind_parse(object_kind_name((enum object_kind)i)), i);
	for (int i = 0; i < DIRECTION_CNT; i++)
		assert_int_equal(wait_direction_parse(wait_direction_name((enum wait_direction)i)),
				 i);
	assert_int_equal(wait_reason_parse("Network"), -1);
	assert_int_equal(object_kind_parse(""), -1);
	assert_string_equal(wait_reason_name(WAIT_REASON_CNT), "unknown");
}

static void times_are_exact_to_the_nanosecond(void **state)
{
	static const int64_t times_ns[] = { 0, 1, 999999999, 1700000000123456789,
					    9223372035999999999 };
	char text[TIMESTAMP_BYTES];
	int64_t again_ns;

	(void)state;
	for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++) {
		timestamp_format(times_ns[i], text);
		assert_true(timestamp_parse(text, &again_ns));
		assert_true(again_ns == times_ns[i]);
	}
	timestamp_format(1700000000123456789, text);
	assert_string_equal(text, "2023-11-14T22:13:20.123456789Z");
}

static void other_times_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"yesterday",
		"2023-11-14T22:13:20Z",
		"2023-11-14T22:13:20.5Z",
		"2023-11-14T22:13:20.123456789",
		"2023-11-14T22:13:20.123456789Zz",
		" 2023-11-14T22:13:20.123456789Z",
		"2023-02-31T22:13:20.123456789Z",
		"1969-12-31T23:59:59.000000000Z",
		"9999-12-31T23:59:59.000000000Z",
	};
	int64_t unix_ns;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(timestamp_parse(texts[i], &unix_ns));
}

static void utf8_is_decoded_strictly(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		uint32_t code_point;
	} cases[] = {
		{ "", 1, 0 },
		{ "a", 1, 'a' },
		{ "\xc3\xa9", 2, 0xe9 },
		{ "\xe2\x82\xac", 3, 0x20ac },
		{ "\xf0\x9f\x98\x80", 4, 0x1f600 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\x80", 0, 0 },	      /* stray continuation */
		{ "\xc3", 0, 0 },	      /* truncated */
		{ "\xe2\x82", 0, 0 },	      /* truncated */
		{ "\xc0\xaf", 0, 0 },	      /* overlong '/' */
		{ "\xe0\x80\xaf", 0, 0 },     /* overlong '/' */
		{ "\xf0\x82\x82\xac", 0, 0 }, /* overlong euro */
		{ "\xed\xa0\x80", 0, 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 0, 0 }, /* above U+10FFFF */
		{ "\xff", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t code_point = 0;

		assert_int_equal(utf8_decode(cases[i].text, &code_point), cases[i].len);
		assert_int_equal(code_point, cases[i].code_point);
	}
}

static void sanitizing_changes_only_what_is_invalid(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "caf\xc3\xa9\n", "caf\xc3\xa9\n" },
		{ "a\xff\xc3", "a\\xff\\xc3" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *clean = utf8_sanitize(cases[i][0]);

		assert_string_equal(clean, cases[i][1]);
		free(clean);
	}
}

/* A death makes room for a birth at the same instant, in whatever order they are given. */
static void lives_that_meet_do_not_overlap(void **state)
{
	struct life in_turn[] = { { 10, +1 }, { 20, -1 }, { 0, +1 }, { 10, -1 } };
	struct life at_once[] = { { 10, +1 }, { 20, -1 }, { 0, +1 }, { 11, -1 } };

	(void)state;
	assert_int_equal(lives_peak(in_turn, 4), 1);
	assert_int_equal(lives_peak(at_once, 4), 2);
	assert_int_equal(lives_peak(at_once, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_strings_are_stored_once),
		cmocka_unit_test(strings_stay_where_they_are_while_the_pool_grows),
		cmocka_unit_test(a_full_pool_takes_no_more_and_keeps_what_it_has),
		cmocka_unit_test(added_elements_are_empty_and_kept),
		cmocka_unit_test(a_draft_grows_apart),
		cmocka_unit_test(arrays_of_strings_grow),
		cmocka_unit_test(waits_of_a_thread_sum_over_reasons),
		cmocka_unit_test(lives_that_meet_do_not_overlap),
		cmocka_unit_test(every_name_reads_back),
		cmocka_unit_test(times_are_exact_to_the_nanosecond),
		cmocka_unit_test(other_times_are_refused),
		cmocka_unit_test(utf8_is_decoded_strictly),
		cmocka_unit_test(sanitizing_changes_only_what_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
