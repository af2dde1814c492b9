/*
 * From a place in a code object's instructions to the line of the source: the three formats that
 * CPython had since 3.8. Pure; the bytes are untrusted.
 */
#ifndef CLASSIFY_PYTHON_LINE_TABLE_H
#define CLASSIFY_PYTHON_LINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum python_line_format {
	PYTHON_LINES_LNOTAB,	/* up to 3.9: where lines begin */
	PYTHON_LINES_RANGES,	/* 3.10: ranges of instructions, some without a line */
	PYTHON_LINES_LOCATIONS, /* 3.11 and later: with ends and columns */
};

/*
 * The line of the instruction at @offset (bytes), which is below 0 in a function that has not begun
 * to run. Returns 0 when the instruction has none or the table doesn't reach as far.
 */
uint32_t line_table_find(enum python_line_format format, const uint8_t *table, size_t len,
			 uint32_t first_line, int64_t offset);

#endif
