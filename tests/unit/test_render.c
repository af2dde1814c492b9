/* Reports as text and JSON against golden files; CLASSIFY_UPDATE_GOLDEN=1 writes them anew. */
#include <errno.h>
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
#include "render/render.h"
#include "render_samples.h"
#include "report.h"

#define GOLDEN_DIR TEST_DATA "/golden/"

static const struct text_style screen = { .use_unicode = true, .width = 80 };

static char *render_text_string(const struct render_sample *sample, const struct text_style *style)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(render_text(sample->report, style, out), 0);
	fclose(out);
	return text;
}

static char *render_json_string(const struct render_sample *sample)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(render_json(sample->report, out), 0);
	fclose(out);
	return text;
}

/* Returns the file's contents for the caller to free. */
static char *read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!in)
		fail_msg("%s: %s", path, strerror(errno));
	assert_true(getdelim(&text, &size, '\0', in) > 0);
	fclose(in);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

/* Compares @text, which is freed, with the golden file <sample><suffix>. */
static void check_golden(const struct render_sample *sample, const char *suffix, char *text)
{
	char path[512];
	char *golden;

	snprintf(path, sizeof(path), GOLDEN_DIR "%s%s", sample->name, suffix);
	if (getenv("CLASSIFY_UPDATE_GOLDEN"))
		write_file(path, text);
	golden = read_file(path);
	assert_string_equal(text, golden);
	free(golden);
	free(text);
}

static void json_is_as_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < render_sample_cnt; i++)
		check_golden(&render_samples[i], ".json", render_json_string(&render_samples[i]));
}

static void text_is_as_before(void **state)
{
	struct text_style ascii = { .width = 60 };
	struct text_style verbose = { .use_unicode = true, .is_verbose = true, .width = 100 };
	struct text_style color = { .use_unicode = true, .use_color = true };

	(void)state;
	for (size_t i = 0; i < render_sample_cnt; i++) {
		const struct render_sample *sample = &render_samples[i];

		check_golden(sample, ".txt", render_text_string(sample, &screen));
		check_golden(sample, ".ascii.txt", render_text_string(sample, &ascii));
		check_golden(sample, ".verbose.txt", render_text_string(sample, &verbose));
	}
	check_golden(&render_samples[1], ".color.txt",
		     render_text_string(&render_samples[1], &color));
}

/* Calls @check with each line of @text. */
static size_t for_each_line(const char *text, const struct text_style *style,
			    void (*check)(char *line, const struct text_style *style))
{
	char *copy = strdup(text), *rest = copy, *line;
	size_t cnt = 0;

	while ((line = strsep(&rest, "\n")) && rest) {
		check(line, style);
		cnt++;
	}
	free(copy);
	return cnt;
}

static void check_width(char *line, const struct text_style *style)
{
	assert_true(escape_columns(line, !style->use_unicode) <= style->width);
}

static void text_fits_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < render_sample_cnt; i++) {
		/* All that can go wrong at once: more than a screen, and worth it. So are lines of
		 * code. */
		size_t max_lines = strcmp(render_samples[i].name, "mixed") ? 24 : 36;
		char *text;

		if (render_samples[i].report->hot_spot_cnt)
			max_lines += 8;
		text = render_text_string(&render_samples[i], &screen);
		assert_in_range(for_each_line(text, &screen, check_width), 10, max_lines);
		free(text);
	}
}

static void text_keeps_to_any_width(void **state)
{
	(void)state;
	for (int width = 48; width <= 110; width++) {
		for (int flags = 0; flags < 4; flags++) {
			struct text_style style = { .use_unicode = flags & 1,
						    .is_verbose = flags & 2,
						    .width = width };

			for (size_t i = 0; i < render_sample_cnt; i++) {
				char *text = render_text_string(&render_samples[i], &style);

				for_each_line(text, &style, check_width);
				free(text);
			}
		}
	}
}

static void check_no_control(char *line, const struct text_style *style)
{
	(void)style;
	for (; *line; line++)
		assert_true((unsigned char)*line >= 0x20 && *line != 0x7f);
	assert_null(strstr(line, "\xe2\x80\xae"));
}

static void check_ascii(char *line, const struct text_style *style)
{
	(void)style;
	for (; *line; line++)
		assert_in_range(*line, 0x20, 0x7e);
}

static void nothing_of_the_target_acts_on_the_terminal(void **state)
{
	struct text_style ascii = { .is_verbose = true };
	struct text_style unicode = { .is_verbose = true, .use_unicode = true };

	(void)state;
	for (size_t i = 0; i < render_sample_cnt; i++) {
		char *text = render_text_string(&render_samples[i], &unicode);

		for_each_line(text, &unicode, check_no_control);
		assert_null(strstr(text, "\xe2\x80\xae"));
		free(text);
		text = render_text_string(&render_samples[i], &ascii);
		for_each_line(text, &ascii, check_ascii);
		free(text);
	}
}

/* Undoes the breaking of lines, in place. */
static char *unwrap(char *text)
{
	char *end = text;

	for (const char *from = text; *from; from++)
		if (*from != '\n' && (*from != ' ' || end == text || end[-1] != ' '))
			*end++ = *from;
		else if (*from == '\n' && end != text && end[-1] != ' ')
			*end++ = ' ';
	*end = '\0';
	return text;
}

static void limits_of_the_measurement_are_always_told(void **state)
{
	char *hostile = unwrap(render_text_string(&render_samples[3], &screen));
	char *idle = unwrap(render_text_string(&render_samples[2], &screen));

	(void)state;
	assert_non_null(strstr(hostile, "12,345 events lost"));
	assert_non_null(strstr(hostile, "sk_data_ready: no such tracepoint"));
	assert_non_null(strstr(hostile, "user_stack: refused (EPERM)\\x0a"));
	assert_non_null(strstr(idle, "Run with sudo for exact figures."));
	free(hostile);
	free(idle);
}

static void the_embedded_schema_is_the_documented_one(void **state)
{
	char *documented = read_file(TEST_DATA "/../docs/report.schema.json");
	char *embedded;
	size_t len;
	FILE *out = open_memstream(&embedded, &len);

	(void)state;
	assert_int_equal(render_json_schema(out), 0);
	fclose(out);
	assert_string_equal(embedded, documented);
	free(embedded);
	free(documented);
}

static void a_full_disk_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(render_json(render_samples[0].report, full), -EIO);
	assert_int_equal(render_text(render_samples[0].report, &screen, full), -EIO);
	assert_int_equal(render_json_schema(full), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_as_before),
		cmocka_unit_test(text_is_as_before),
		cmocka_unit_test(text_fits_a_terminal),
		cmocka_unit_test(text_keeps_to_any_width),
		cmocka_unit_test(nothing_of_the_target_acts_on_the_terminal),
		cmocka_unit_test(limits_of_the_measurement_are_always_told),
		cmocka_unit_test(the_embedded_schema_is_the_documented_one),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	/* Without it the C library knows no widths, and the golden files would differ. */
	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		fprintf(stderr, "the locale C.UTF-8 is missing\n");
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
