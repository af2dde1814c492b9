/* Pieces of an interpreter's memory; see python_image.h. */
#include "python_image.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python/interpreter.h"
#include "python/python.h"

#define TASKS_MAX  16
#define PAGE_BYTES 4096

static bool copy_overlap(const struct image_piece *piece, uint64_t address, uint8_t *bytes,
			 size_t len)
{
	uint64_t from = piece->address > address ? piece->address : address;
	uint64_t piece_end = piece->address + IMAGE_PIECE_BYTES;
	uint64_t to = piece_end < address + len ? piece_end : address + len;

	if (piece_end < piece->address || from >= to)
		return false;
	memcpy(bytes + (from - address), piece->bytes + (from - piece->address), to - from);
	return true;
}

bool image_read(void *context, uint64_t address, void *bytes, size_t len)
{
	const struct image *image = context;
	bool is_there = false;

	memset(bytes, 0, len);
	for (size_t i = 0; i < image->piece_cnt; i++) {
		const struct image_piece *piece = &image->pieces[i];

		if (copy_overlap(piece, address, bytes, len) ||
		    piece->address / PAGE_BYTES == address / PAGE_BYTES)
			is_there = true;
	}
	return is_there;
}

struct text {
	char *bytes;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text->bytes + text->len, IMAGE_TEXT_BYTES - text->len, format, arguments);
	va_end(arguments);
	text->len += (size_t)len;
	if (text->len >= IMAGE_TEXT_BYTES)
		text->len = IMAGE_TEXT_BYTES - 1;
}

static void add_name(struct text *text, const char *what, int error, const char *name)
{
	assert(error || memchr(name, '\0', PYTHON_NAME_BYTES));
	add(text, "%s %s\n", what, error ? "?" : name);
}

static const char *const waits_for[] = { "something", "time", "a lock", "a task" };

static void add_task(struct text *text, const struct python_task *task)
{
	assert(memchr(task->name, '\0', sizeof(task->name)));
	assert(task->frame_cnt <= sizeof(task->frames) / sizeof(task->frames[0]));
	add(text, "task %s waits for %s\n", task->name, waits_for[task->wait]);
	for (size_t i = 0; i < task->frame_cnt; i++)
		add(text, "frame %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", task->frames[i].code,
		    task->frames[i].position, task->frames[i].frame);
}

/* Looks begin at different tasks. */
static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct python_task *)a)->name, ((const struct python_task *)b)->name);
}

static void look(struct python *python, uint64_t thread_pointer, struct text *text)
{
	static struct python_task tasks[TASKS_MAX];
	ssize_t cnt = python_tasks(python, thread_pointer, tasks, TASKS_MAX);
	char name[PYTHON_NAME_BYTES];
	int error;

	assert(cnt <= TASKS_MAX);
	assert(cnt <= 0 || python_task_total(python) >= (size_t)cnt);
	if (cnt > 0)
		qsort(tasks, (size_t)cnt, sizeof(tasks[0]), by_name);
	for (ssize_t i = 0; i < cnt; i++)
		add_task(text, &tasks[i]);
	error = python_current_task(python, thread_pointer, name, sizeof(name));
	add_name(text, "current", error, name);
	error = python_thread_name(python, thread_pointer, name, sizeof(name));
	add_name(text, "thread", error, name);
}

void image_look(struct image *image, struct page_cache *pages, char *text)
{
	struct text written = { .bytes = text };
	struct python python = { .hexversion = image->head.hexversion,
				 .runtime = image->head.runtime,
				 .memory = { .read = image_read, .context = image },
				 .pages = *pages };

	text[0] = '\0';
	if (layout_find(&python.memory, python.runtime, python.hexversion, &python.layout))
		look(&python, image->head.thread_pointer, &written);
	*pages = python.pages;
}
