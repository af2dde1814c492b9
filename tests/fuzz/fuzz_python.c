/* Frames, code objects and line tables in an interpreter's memory that says anything: cycles, lying
 * lengths, pointers to nowhere. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_harness.h"
#include "python/code_cache.h"
#include "python/interpreter.h"
#include "python/python.h"
#include "python_image.h"

#define THREADS_MAX 64

static void look_at_frames(struct python *python, uint64_t thread_pointer)
{
	struct python_frame frames[PYTHON_FRAMES_MAX];
	struct python_place place;
	ssize_t cnt = python_walk(python, thread_pointer, frames, PYTHON_FRAMES_MAX);

	assert(cnt <= PYTHON_FRAMES_MAX);
	for (ssize_t i = 0; i < cnt; i++) {
		if (python_place(python, &frames[i], &place))
			continue;
		assert(memchr(place.function, '\0', sizeof(place.function)));
		assert(memchr(place.file, '\0', sizeof(place.file)));
	}
}

static void look(struct image *image)
{
	static struct python_thread threads[THREADS_MAX];
	struct python *python = calloc(1, sizeof(*python));
	ssize_t cnt;

	if (!python)
		return;
	python->hexversion = image->head.hexversion;
	python->runtime = image->head.runtime;
	python->memory.read = image_read;
	python->memory.context = image;
	python->codes = code_cache_new();
	if (python->codes &&
	    layout_find(&python->memory, python->runtime, python->hexversion, &python->layout)) {
		cnt = python_threads(python, threads, THREADS_MAX);
		assert(cnt <= THREADS_MAX);
		for (ssize_t i = 0; i < cnt && i < 4; i++)
			look_at_frames(python, threads[i].thread_pointer);
		look_at_frames(python, image->head.thread_pointer);
	}
	code_cache_free(python->codes);
	free(python);
}

static void look_at_lines(const uint8_t *bytes, size_t byte_cnt)
{
	for (int format = PYTHON_LINES_LNOTAB; format <= PYTHON_LINES_LOCATIONS; format++)
		line_table_find((enum python_line_format)format, bytes, byte_cnt, 1,
				(int64_t)byte_cnt * 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	struct image image;

	look_at_lines(bytes, byte_cnt);
	if (byte_cnt < sizeof(image.head))
		return 0;
	memcpy(&image.head, bytes, sizeof(image.head));
	bytes += sizeof(image.head);
	image.piece_cnt = (byte_cnt - sizeof(image.head)) / sizeof(*image.pieces);
	image.pieces = malloc(image.piece_cnt * sizeof(*image.pieces) + 1);
	if (!image.pieces)
		return 0;
	memcpy(image.pieces, bytes, image.piece_cnt * sizeof(*image.pieces));
	look(&image);
	free(image.pieces);
	return 0;
}
