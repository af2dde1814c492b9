/*
 * Makes an image for fuzz_python_tasks of a running interpreter: the pages that a look reads, then
 * of them only the pieces without which the look would say something else.
 *
 * record_python_image PID THREAD-POINTER FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "python/interpreter.h"
#include "python/python.h"
#include "python_image.h"
#include "target_memory.h"

#define PAGE_BYTES 4096U
#define PIECES_MAX (1U << 16)

struct recorder {
	struct image image;
	struct page_cache pages;
	char text[IMAGE_TEXT_BYTES];
};

/* Adds the page at @address, in pieces. */
static void record_page(struct recorder *recorder, pid_t pid, uint64_t address)
{
	uint8_t bytes[PAGE_BYTES];

	if (!target_memory_read(pid, address, bytes, sizeof(bytes)))
		return;
	for (size_t i = 0; i < PAGE_BYTES && recorder->image.piece_cnt < PIECES_MAX;
	     i += IMAGE_PIECE_BYTES) {
		struct image_piece *piece = &recorder->image.pieces[recorder->image.piece_cnt++];

		piece->address = address + i;
		memcpy(piece->bytes, bytes + i, IMAGE_PIECE_BYTES);
	}
}

/* Reads the process, and records what is read. */
struct spy {
	struct recorder *recorder;
	pid_t pid;
};

static bool has_page(const struct recorder *recorder, uint64_t address)
{
	for (size_t i = 0; i < recorder->image.piece_cnt; i++)
		if (recorder->image.pieces[i].address == address)
			return true;
	return false;
}

static bool spy_read(void *context, uint64_t address, void *bytes, size_t len)
{
	struct spy *spy = context;
	uint64_t first = address - address % PAGE_BYTES;

	for (uint64_t page = first; page < address + len; page += PAGE_BYTES)
		if (!has_page(spy->recorder, page))
			record_page(spy->recorder, spy->pid, page);
	return target_memory_read(spy->pid, address, bytes, len);
}

static void record_pages(struct recorder *recorder, struct python *python, pid_t pid)
{
	static struct python_task tasks[512];
	struct spy spy = { recorder, pid };
	char name[PYTHON_NAME_BYTES];

	recorder->image.head.hexversion = python->hexversion;
	recorder->image.head.runtime = python->runtime;
	python->memory.read = spy_read;
	python->memory.context = &spy;
	layout_find(&python->memory, python->runtime, python->hexversion, &python->layout);
	python_tasks(python, recorder->image.head.thread_pointer, tasks, 512);
	python_current_task(python, recorder->image.head.thread_pointer, name, sizeof(name));
	python_thread_name(python, recorder->image.head.thread_pointer, name, sizeof(name));
}

/* Would the look be the same without @cnt pieces from @at on? Then they are left out. */
static bool drop(struct recorder *recorder, size_t at, size_t cnt, const char *wanted)
{
	struct image *image = &recorder->image;
	struct image_piece *kept = malloc(cnt * sizeof(*kept));
	size_t rest = image->piece_cnt - at - cnt;

	memcpy(kept, image->pieces + at, cnt * sizeof(*kept));
	memmove(image->pieces + at, image->pieces + at + cnt, rest * sizeof(*kept));
	image->piece_cnt -= cnt;
	image_look(image, &recorder->pages, recorder->text);
	if (strcmp(recorder->text, wanted) != 0) {
		memmove(image->pieces + at + cnt, image->pieces + at, rest * sizeof(*kept));
		memcpy(image->pieces + at, kept, cnt * sizeof(*kept));
		image->piece_cnt += cnt;
		free(kept);
		return false;
	}
	free(kept);
	return true;
}

static void minimise(struct recorder *recorder, const char *wanted)
{
	for (size_t step = 64; step; step /= 4)
		for (size_t at = 0; at + step <= recorder->image.piece_cnt;)
			if (!drop(recorder, at, step, wanted))
				at += step;
}

static int write_image(const struct image *image, const char *path)
{
	FILE *out = fopen(path, "wb");

	if (!out)
		return 1;
	fwrite(&image->head, sizeof(image->head), 1, out);
	fwrite(image->pieces, sizeof(*image->pieces), image->piece_cnt, out);
	return fclose(out) != 0;
}

int main(int argc, char **argv)
{
	static struct recorder recorder;
	static char wanted[IMAGE_TEXT_BYTES];
	struct python *python;
	char why[256];

	if (argc != 4 || python_open(atoi(argv[1]), &python, why, sizeof(why)))
		return 1;
	recorder.image.head.thread_pointer = strtoull(argv[2], NULL, 0);
	recorder.image.pieces = calloc(PIECES_MAX, sizeof(*recorder.image.pieces));
	record_pages(&recorder, python, atoi(argv[1]));
	python_free(python);
	image_look(&recorder.image, &recorder.pages, wanted);
	minimise(&recorder, wanted);
	fputs(wanted, stdout);
	return write_image(&recorder.image, argv[3]);
}
