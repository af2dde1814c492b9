/*
 * Makes an image for fuzz_python of a running interpreter: the pieces of its memory that a look at
 * its threads' frames reads.
 *
 * record_python_frames PID FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python/code_cache.h"
#include "python/interpreter.h"
#include "python/python.h"
#include "python_image.h"
#include "target_memory.h"

#define PIECES_MAX  4096
#define THREADS_MAX 8
#define FRAMES_MAX  20

struct recorder {
	pid_t pid;
	struct image_piece pieces[PIECES_MAX];
	size_t cnt;
};

static void record(struct recorder *recorder, uint64_t address)
{
	struct image_piece piece = { .address = address };

	for (size_t i = 0; i < recorder->cnt; i++)
		if (recorder->pieces[i].address == address)
			return;
	if (recorder->cnt < PIECES_MAX &&
	    target_memory_read(recorder->pid, address, piece.bytes, sizeof(piece.bytes)))
		recorder->pieces[recorder->cnt++] = piece;
}

static bool spy_read(void *context, uint64_t address, void *bytes, size_t len)
{
	struct recorder *recorder = context;

	for (uint64_t at = address - address % IMAGE_PIECE_BYTES; at < address + len;
	     at += IMAGE_PIECE_BYTES)
		record(recorder, at);
	return target_memory_read(recorder->pid, address, bytes, len);
}

/* Looks anew, through the recorder. Returns the last thread's pointer. */
static uint64_t look(struct python *python, struct recorder *recorder)
{
	struct python_thread threads[THREADS_MAX];
	struct python_frame frames[FRAMES_MAX];
	struct python_place place;
	ssize_t cnt;

	python->memory.read = spy_read;
	python->memory.context = recorder;
	python->code_type = python->string_type = 0;
	code_cache_free(python->codes);
	python->codes = code_cache_new();
	layout_find(&python->memory, python->runtime, python->hexversion, &python->layout);
	cnt = python_threads(python, threads, THREADS_MAX);
	for (ssize_t i = 0; i < cnt; i++) {
		ssize_t frame_cnt =
			python_walk(python, threads[i].thread_pointer, frames, FRAMES_MAX);

		for (ssize_t j = 0; j < frame_cnt; j++)
			if (!python_place(python, &frames[j], &place))
				printf("%s %s:%u\n", place.function, place.file, place.line);
	}
	return cnt > 0 ? threads[cnt - 1].thread_pointer : 0;
}

int main(int argc, char **argv)
{
	static struct recorder recorder;
	struct image_head head = { 0 };
	struct python *python;
	char why[256];
	FILE *out;

	if (argc != 3 || python_open(atoi(argv[1]), &python, why, sizeof(why)))
		return 1;
	recorder.pid = atoi(argv[1]);
	head.hexversion = python->hexversion;
	head.runtime = python->runtime;
	head.thread_pointer = look(python, &recorder);
	out = fopen(argv[2], "wb");
	if (!out)
		return 1;
	fwrite(&head, sizeof(head), 1, out);
	fwrite(recorder.pieces, sizeof(recorder.pieces[0]), recorder.cnt, out);
	python_free(python);
	return fclose(out) != 0;
}
