/* Code objects: which function, file and line a frame is at; see python.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python/code_cache.h"
#include "python/interpreter.h"
#include "python/python.h"

#define CODE_BYTES_MAX 256
/* A function of 100,000 lines has some 500 KiB. */
#define LINE_TABLE_BYTES_MAX (1U << 20)

static uint64_t word_at(const uint8_t *bytes, uint32_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static int read_parts(struct python *python, uint64_t code, struct code_parts *parts)
{
	const struct python_layout *layout = &python->layout;
	uint8_t bytes[CODE_BYTES_MAX];
	int32_t first_line;

	if (!memory_read(&python->memory, code, bytes, layout->code_bytes))
		return -EFAULT;
	if (!type_is(python, word_at(bytes, LAYOUT_OBJECT_TYPE), "code", &python->code_type))
		return -EINVAL;
	memcpy(&first_line, bytes + layout->code_first_line, sizeof(first_line));
	memset(parts, 0, sizeof(*parts));
	parts->name = word_at(bytes, layout->code_name);
	parts->file = word_at(bytes, layout->code_file);
	parts->line_table = word_at(bytes, layout->code_line_table);
	parts->first_line = first_line > 0 ? (uint32_t)first_line : 0;
	return 0;
}

/* Reads the bytes object at @address to @entry. */
static int read_line_table(struct python *python, uint64_t address, struct code_entry *entry)
{
	uint64_t len = memory_word(&python->memory, address + LAYOUT_OBJECT_SIZE);

	if (len > LINE_TABLE_BYTES_MAX)
		return -E2BIG;
	entry->lines = malloc(len + 1);
	entry->lines_bytes = len;
	if (!entry->lines)
		return -ENOMEM;
	return !len || memory_read(&python->memory, address + LAYOUT_BYTES_DATA, entry->lines, len)
		       ? 0
		       : -EFAULT;
}

/* Reads all of a code object to @entry, whose members are the caller's, even on errors. */
static int read_entry(struct python *python, struct code_entry *entry)
{
	struct code_parts parts_after;
	char function[PYTHON_NAME_BYTES], file[PYTHON_PATH_BYTES];
	int error = string_read(python, entry->parts.name, function, sizeof(function));

	if (!error)
		error = string_read(python, entry->parts.file, file, sizeof(file));
	if (!error)
		error = read_line_table(python, entry->parts.line_table, entry);
	/* Has it been freed and its memory used again meanwhile? */
	if (!error)
		error = read_parts(python, entry->code, &parts_after);
	if (!error && memcmp(&parts_after, &entry->parts, sizeof(parts_after)))
		error = -EINVAL;
	if (error)
		return error;
	entry->function = strdup(function);
	entry->file = strdup(file);
	return entry->function && entry->file ? 0 : -ENOMEM;
}

static int find_entry(struct python *python, uint64_t code, const struct code_entry **found)
{
	const struct code_entry *known = code_cache_find(python->codes, code);
	struct code_entry entry = { .code = code };
	int error = read_parts(python, code, &entry.parts);

	*found = known;
	if (!error && known && !memcmp(&known->parts, &entry.parts, sizeof(entry.parts)))
		return 0;
	/* When the process is gone nothing changes any more. */
	if (error == -EFAULT && known &&
	    !memory_word(&python->memory, python->runtime + python->layout.interpreters_head))
		return 0;
	if (!error)
		error = read_entry(python, &entry);
	if (error) {
		free(entry.lines);
		free(entry.function);
		free(entry.file);
		return error;
	}
	*found = code_cache_add(python->codes, &entry);
	return *found ? 0 : -ENOMEM;
}

/* Of the instruction that @frame is at, in bytes from the function's first. */
static int64_t offset_in_code(const struct python_layout *layout, const struct python_frame *frame)
{
	if (layout->code_instructions)
		return (int64_t)(frame->position - frame->code - layout->code_instructions);

	/* 3.10 counts instructions, of two bytes each. */
	return (int32_t)frame->position *
	       (layout->line_format == PYTHON_LINES_RANGES ? INT64_C(2) : INT64_C(1));
}

int python_place(struct python *python, const struct python_frame *frame,
		 struct python_place *place)
{
	const struct code_entry *entry;
	int error = find_entry(python, frame->code, &entry);

	memset(place, 0, sizeof(*place));
	if (error)
		return error;
	snprintf(place->function, sizeof(place->function), "%s", entry->function);
	snprintf(place->file, sizeof(place->file), "%s", entry->file);
	place->first_line = entry->parts.first_line;
	place->line =
		line_table_find(python->layout.line_format, entry->lines, entry->lines_bytes,
				entry->parts.first_line, offset_in_code(&python->layout, frame));
	return 0;
}
