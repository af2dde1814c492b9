/*
 * Where the fields lie that are read of CPython's structures, by version. From 3.13 on the runtime
 * tells itself (_Py_DebugOffsets), for those before there is a table.
 */
#ifndef CLASSIFY_PYTHON_LAYOUTS_H
#define CLASSIFY_PYTHON_LAYOUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "python/line_table.h"

struct python_memory;

/* What is read at once of a frame at most; a frame at the end of its memory is not longer. */
#define LAYOUT_FRAME_BYTES_MAX 128

/* Offsets in bytes. */
struct python_layout {
	uint32_t version; /* major and minor: 0x030b */

	uint32_t interpreters_head; /* in _PyRuntime */
	uint32_t interpreter_next;
	uint32_t interpreter_threads;

	uint32_t thread_prev;
	uint32_t thread_next;
	uint32_t thread_interpreter;
	uint32_t thread_id; /* pthread_self(), which is the thread pointer */
	uint32_t thread_frame;

	/* 3.11, 3.12: what thread_frame leads to is a _PyCFrame, which has the frame. */
	bool has_cframe;
	uint32_t cframe_frame;

	uint32_t frame_code;
	uint32_t frame_previous;
	uint32_t frame_position;
	bool has_owner; /* 3.12 and later: who has the frame says whether it is one of C's */
	uint32_t frame_owner;
	bool has_is_entry; /* 3.11 */
	uint32_t frame_is_entry;
	uint32_t frame_bytes; /* up to the last of these */

	enum python_line_format line_format;
	uint32_t code_first_line;
	uint32_t code_file;
	uint32_t code_name; /* the qualified one where there is one */
	uint32_t code_line_table;
	uint32_t code_instructions; /* 3.11 and later: where they begin in the code object */
	uint32_t code_bytes;	    /* up to the last of these */

	uint32_t unicode_state;
	uint32_t unicode_ascii_data;
	uint32_t unicode_compact_data;
};

/* The owner of frames by which C enters the interpreter, and those above it. */
#define LAYOUT_OWNER_IS_C 3

/* The same in all versions. */
#define LAYOUT_OBJECT_TYPE 8
#define LAYOUT_OBJECT_SIZE 16 /* of objects of variable size; of strings, in characters */
#define LAYOUT_BYTES_DATA  32
#define LAYOUT_TYPE_NAME   24

/* Finds the layout of the runtime at @runtime, of @hexversion. False: there is none that is known.
 */
bool layout_find(const struct python_memory *memory, uint64_t runtime, uint32_t hexversion,
		 struct python_layout *layout);

#endif
