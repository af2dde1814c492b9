/* Line tables of code objects; see line_table.h. */
#include "python/line_table.h"

#include <stdbool.h>

/* In 3.10's table, in place of a difference of lines. */
#define RANGE_WITHOUT_LINE (-128)

/* Kinds of 3.11's entries (Objects/locations.md there); those below are short forms, which hold
 * columns only. */
#define KIND_SHORT_LAST	  9
#define KIND_ONE_LINE_0	  10
#define KIND_ONE_LINE_2	  12
#define KIND_NO_COLUMNS	  13
#define KIND_LONG	  14
#define KIND_WITHOUT_LINE 15
#define VARINT_SHIFT_MAX  30
#define INSTRUCTION_BYTES 2

/* Lines are ints; tables made up for it may lead out of them. */
static uint32_t plausible_line(int64_t line)
{
	return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

static uint32_t find_in_lnotab(const uint8_t *table, size_t len, int64_t line, int64_t offset)
{
	int64_t at = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		at += table[i];
		if (at > offset)
			break;
		line += (int8_t)table[i + 1];
	}
	return plausible_line(line);
}

static uint32_t find_in_ranges(const uint8_t *table, size_t len, int64_t line, int64_t offset)
{
	int64_t end = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		bool has_line = (int8_t)table[i + 1] != RANGE_WITHOUT_LINE;

		end += table[i];
		if (has_line)
			line += (int8_t)table[i + 1];
		if (offset < end)
			return has_line ? plausible_line(line) : 0;
	}
	return 0;
}

struct location_reader {
	const uint8_t *next;
	const uint8_t *end;
};

static uint8_t read_byte(struct location_reader *reader)
{
	return reader->next < reader->end ? *reader->next++ : 0;
}

/* Six bits a byte, the lowest first; what is wider than an int is no number of CPython's. */
static uint32_t read_varint(struct location_reader *reader)
{
	uint32_t shift = 0, value = 0;
	uint8_t byte;

	do {
		byte = read_byte(reader);
		if (shift <= VARINT_SHIFT_MAX)
			value |= (uint32_t)(byte & 63) << shift;
		shift += 6;
	} while (byte & 64);
	return value;
}

static int64_t read_signed_varint(struct location_reader *reader)
{
	uint32_t value = read_varint(reader);

	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

/* Reads the rest of an entry. Returns by how much the line differs from that of the one before. */
static int64_t read_line_difference(struct location_reader *reader, unsigned int kind)
{
	int64_t difference = 0;

	if (kind <= KIND_SHORT_LAST) {
		read_byte(reader);
	} else if (kind <= KIND_ONE_LINE_2) {
		difference = kind - KIND_ONE_LINE_0;
		read_byte(reader);
		read_byte(reader);
	} else if (kind == KIND_NO_COLUMNS) {
		difference = read_signed_varint(reader);
	} else if (kind == KIND_LONG) {
		difference = read_signed_varint(reader);
		for (int i = 0; i < 3; i++) /* the last line, and the columns */
			read_varint(reader);
	}
	return difference;
}

static uint32_t find_in_locations(const uint8_t *table, size_t len, int64_t line, int64_t offset)
{
	struct location_reader reader = { table, table + len };
	int64_t end = 0;

	while (reader.next < reader.end) {
		uint8_t head = read_byte(&reader);
		unsigned int kind = head >> 3 & 15;

		line += read_line_difference(&reader, kind);
		end += ((head & 7) + 1) * INSTRUCTION_BYTES;
		if (offset < end)
			return kind == KIND_WITHOUT_LINE ? 0 : plausible_line(line);
	}
	return 0;
}

uint32_t line_table_find(enum python_line_format format, const uint8_t *table, size_t len,
			 uint32_t first_line, int64_t offset)
{
	if (offset < 0)
		return first_line;
	switch (format) {
	case PYTHON_LINES_LNOTAB:
		return find_in_lnotab(table, len, first_line, offset);
	case PYTHON_LINES_RANGES:
		return find_in_ranges(table, len, first_line, offset);
	case PYTHON_LINES_LOCATIONS:
		return find_in_locations(table, len, first_line, offset);
	}
	return 0;
}
