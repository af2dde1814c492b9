/*
 * Tasks read from memory that was recorded of each version of CPython (tests/fuzz/python_image.py),
 * so that the layouts are tested where those versions aren't installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "python/page_cache.h"
#include "python_image.h"

/* In order of their names. */
static const struct {
	const char *name;
	size_t frame_cnt;
} wanted[] = {
	{ "task Task-1 waits for something", 1 }, { "task gather waits for a task", 1 },
	{ "task iterate waits for time", 3 },	  { "task own waits for something", 2 },
	{ "task py waits for a task", 1 },	  { "task shield waits for a task", 1 },
	{ "task sleep waits for time", 2 },	  { "task t\u00e2che \u4efb waits for a task", 1 },
	{ "task wait waits for a task", 2 },
};

static void open_image(struct image *image, const char *path)
{
	FILE *in = fopen(path, "rb");
	long bytes;

	assert_non_null(in);
	assert_int_equal(fseek(in, 0, SEEK_END), 0);
	bytes = ftell(in);
	rewind(in);
	assert_true(bytes > (long)sizeof(image->head));
	image->piece_cnt = ((size_t)bytes - sizeof(image->head)) / sizeof(*image->pieces);
	image->pieces = calloc(image->piece_cnt, sizeof(*image->pieces));
	assert_int_equal(fread(&image->head, sizeof(image->head), 1, in), 1);
	assert_int_equal(fread(image->pieces, sizeof(*image->pieces), image->piece_cnt, in),
			 image->piece_cnt);
	fclose(in);
}

static void check_frames(char **line, const char *task, size_t frame_cnt)
{
	for (size_t i = 0; i < frame_cnt; i++) {
		if (!*line || strncmp(*line, "frame ", 6) != 0)
			fail_msg("%s has %zu frames", task, i);
		*line = strtok(NULL, "\n");
	}
}

static void check_text(char *text)
{
	char *line = strtok(text, "\n");

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_non_null(line);
		assert_string_equal(line, wanted[i].name);
		line = strtok(NULL, "\n");
		check_frames(&line, wanted[i].name, wanted[i].frame_cnt);
	}
	assert_string_equal(line, "current ?");
	assert_string_equal(strtok(NULL, "\n"), "thread MainThread");
	assert_null(strtok(NULL, "\n"));
}

static void reads_each_version(void **state)
{
	static const char *const versions[] = { "3.8", "3.9", "3.10", "3.11", "3.12", "3.13" };
	char *text = malloc(IMAGE_TEXT_BYTES);
	struct page_cache pages = { 0 };
	struct image image;
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		snprintf(path, sizeof(path), "%s/fuzz/corpus/python_tasks/%s", TEST_DATA,
			 versions[i]);
		open_image(&image, path);
		assert_int_equal(image.head.hexversion >> 16 & 0xff,
				 strtol(versions[i] + 2, NULL, 10));
		image_look(&image, &pages, text);
		check_text(text);
		free(image.pieces);
	}
	page_cache_release(&pages);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
