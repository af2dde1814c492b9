/* Escaping, units and the page: what the text report is put together from. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "render/escape.h"
#include "render/page.h"
#include "render/units.h"

static void what_could_act_is_escaped(void **state)
{
	static const char *const cases[][2] = {
		{ "plain text", "plain text" },
		{ "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80",
		  "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "a\tb\nc\rd\a", "a\\x09b\\x0ac\\x0dd\\x07" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\2332J", "\\xc2\\x9b2J" },	     /* CSI as a C1 control */
		{ "\xff\xc3(", "\\xff\\xc3(" },		     /* not UTF-8 */
		{ "\xe2\x80\xaegnp", "\\xe2\\x80\\xaegnp" }, /* U+202E */
		{ "\xe2\x81\xa6x\xe2\x81\xa9",
		  "\\xe2\\x81\\xa6x\\xe2\\x81\\xa9" }, /* U+2066, U+2069 */
		{ "\xe2\x80\x8f", "\\xe2\\x80\\x8f" }, /* U+200F */
		{ "\xd8\x9c", "\\xd8\\x9c" },	       /* U+061C */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, /* U+2028 */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" }, /* U+FEFF */
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		render_escaped(cases[i][0], out);
		fclose(out);
		assert_string_equal(text, cases[i][1]);
		free(text);
	}
}

static void columns_are_those_of_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(escape_columns("abc", false), 3);
	assert_int_equal(escape_columns("\xe6\x97\xa5", false), 2); /* a wide character */
	assert_int_equal(escape_columns("e\xcc\x81", false), 1);    /* a combining mark */
	assert_int_equal(escape_columns("\xe6\x97\xa5", true), 12); /* \xe6\x97\xa5 */
	assert_int_equal(escape_columns("\x1b", false), 4);
}

static void durations_have_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0 s" },
		{ 999, "999 ns" },
		{ 1000, "1.00 us" },
		{ 9994, "9.99 us" },
		{ 9995, "10.0 us" },
		{ 99949, "99.9 us" },
		{ 999499, "999 us" },
		{ 999500, "1.00 ms" },
		{ 999499999, "999 ms" },
		{ 999500000, "1.00 s" },
		{ 2410000000, "2.41 s" },
		{ 99949999999, "99.9 s" },
		{ 99950000000, "1m40s" },
		{ 3599499999999, "59m59s" },
		{ 3599500000000, "1h00m" },
		{ 93780000000000, "26h03m" },
	};
	char text[UNIT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		format_duration(cases[i].ns, false, text);
		assert_string_equal(text, cases[i].text);
	}
	format_duration(1500, true, text);
	assert_string_equal(text, "1.50 \xc2\xb5s");
	format_duration(UINT64_MAX, true, text);
	assert_string_equal(text, "5124095h34m");
}

static void counts_have_separators(void **state)
{
	char text[UNIT_BYTES];

	(void)state;
	format_count(0, text);
	assert_string_equal(text, "0");
	format_count(999, text);
	assert_string_equal(text, "999");
	format_count(1000, text);
	assert_string_equal(text, "1,000");
	format_count(UINT64_MAX, text);
	assert_string_equal(text, "18,446,744,073,709,551,615");
}

static void shares_near_the_ends_are_not_rounded_to_them(void **state)
{
	static const struct {
		double share;
		const char *text;
	} cases[] = {
		{ 0, "0.0%" },	      { 0.0001, "<0.1%" },  { 0.0005, "0.1%" }, { 0.956, "95.6%" },
		{ 0.99949, "99.9%" }, { 0.9996, ">99.9%" }, { 1, "100.0%" },
	};
	char text[UNIT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		format_share(cases[i].share, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void bytes_and_factors_are_short(void **state)
{
	char text[UNIT_BYTES];

	(void)state;
	format_bytes(1023, text);
	assert_string_equal(text, "1023 B");
	format_bytes(164 << 20, text);
	assert_string_equal(text, "164 MiB");
	format_bytes((1 << 20) - 1, text);
	assert_string_equal(text, "1.00 MiB");
	format_bytes(UINT64_MAX, text);
	assert_string_equal(text, "16.0 EiB");
	format_factor(0.849, text);
	assert_string_equal(text, "0.85");
	format_factor(0.999, text);
	assert_string_equal(text, "1.0");
	format_factor(120.4, text);
	assert_string_equal(text, "120");
}

/* What a page of @width prints for a label and two pieces of text. */
static char *lay_out(bool use_unicode, const char *first, const char *second)
{
	struct text_style style = { .use_unicode = use_unicode, .width = 48 };
	struct page page;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	page_init(&page, &style, out);
	page_label(&page, COLOR_RED, "label");
	page_say(&page, first);
	page_say(&page, second);
	page_newline(&page);
	fclose(out);
	return text;
}

static void paragraphs_break_between_words(void **state)
{
	char *text = lay_out(true, "The words of a paragraph stay together,", " and hang.");

	(void)state;
	assert_string_equal(text, "  label      The words of a paragraph stay\n"
				  "             together, and hang.\n");
	free(text);
}

static void a_word_longer_than_the_line_is_cut(void **state)
{
	char *text = lay_out(true, "/a", "/path/without/blanks/that/is/longer/than/one/line");

	(void)state;
	assert_string_equal(text, "  label      /a\n"
				  "             /path/without/blanks/that/is/longer\n"
				  "             /than/one/line\n");
	free(text);
}

static char *fit(const char *text, bool use_unicode, int max_columns)
{
	struct text_style style = { .use_unicode = use_unicode };
	struct page page;
	char *fitted;
	size_t len;
	FILE *out = open_memstream(&fitted, &len);

	page_init(&page, &style, out);
	page_put_fit(&page, text, max_columns);
	fclose(out);
	return fitted;
}

static void a_long_name_loses_its_middle(void **state)
{
	static const struct {
		const char *text;
		bool use_unicode;
		int max_columns;
		const char *fitted;
	} cases[] = {
		{ "/usr/bin/python3", true, 16, "/usr/bin/python3" },
		{ "/usr/bin/python3", true, 11, "/usr/\xe2\x80\xa6thon3" },
		{ "/usr/bin/python3", false, 11, "/usr...hon3" },
		{ "\x1b\x1b\x1b\x1b", true, 10, "\\x1b\xe2\x80\xa6\\x1b" },
		/* Wide characters that would stick out over the edge are left out. */
		{ "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", true, 6,
		  "\xe6\x97\xa5\xe2\x80\xa6\xe6\x97\xa5" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *fitted = fit(cases[i].text, cases[i].use_unicode, cases[i].max_columns);

		assert_string_equal(fitted, cases[i].fitted);
		free(fitted);
	}
}

static void a_fitted_name_never_exceeds_its_room(void **state)
{
	(void)state;
	for (int max_columns = 4; max_columns < 60; max_columns++) {
		char *fitted =
			fit("a\x1b/\xe6\x97\xa5\xff/caf\xc3\xa9/\xf0\x9f\x98\x80/e\xcc\x81nd", true,
			    max_columns);

		assert_in_range(escape_columns(fitted, false), 1, max_columns);
		free(fitted);
	}
}

static char *bar(double share, bool use_unicode)
{
	struct text_style style = { .use_unicode = use_unicode };
	struct page page;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	page_init(&page, &style, out);
	page_bar(&page, share, 4);
	fclose(out);
	assert_int_equal(page.column, 4);
	return text;
}

static void bars_show_even_a_little(void **state)
{
	static const struct {
		double share;
		bool use_unicode;
		const char *bar;
	} cases[] = {
		{ 0, true, "    " },
		{ 0.0001, true, "\xe2\x96\x8f   " },
		{ 0.5, true, "\xe2\x96\x88\xe2\x96\x88  " },
		{ 1.1, true, "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88" },
		{ 0.0001, false, "#   " },
		{ 0.75, false, "### " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = bar(cases[i].share, cases[i].use_unicode);

		assert_string_equal(text, cases[i].bar);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_act_is_escaped),
		cmocka_unit_test(columns_are_those_of_the_terminal),
		cmocka_unit_test(durations_have_three_digits),
		cmocka_unit_test(counts_have_separators),
		cmocka_unit_test(shares_near_the_ends_are_not_rounded_to_them),
		cmocka_unit_test(bytes_and_factors_are_short),
		cmocka_unit_test(paragraphs_break_between_words),
		cmocka_unit_test(a_word_longer_than_the_line_is_cut),
		cmocka_unit_test(a_long_name_loses_its_middle),
		cmocka_unit_test(a_fitted_name_never_exceeds_its_room),
		cmocka_unit_test(bars_show_even_a_little),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		fprintf(stderr, "the locale C.UTF-8 is missing\n");
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
