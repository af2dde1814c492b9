/* Layouts of CPython's structures; see layouts.h. */
#include "python/layouts.h"

#include <string.h>

#include "python/memory.h"

/* By offsetof() in the internal headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7 and 3.12.1, on 64-bit
 * Linux; they stay the same within a minor version. */
static const struct python_layout layouts[] = {
	{
		.version = 0x0308,
		.interpreters_head = 32,
		.interpreter_next = 0,
		.interpreter_threads = 8,
		.thread_prev = 0,
		.thread_next = 8,
		.thread_interpreter = 16,
		.thread_id = 176,
		.thread_frame = 24,
		.frame_code = 32,
		.frame_previous = 24,
		.frame_position = 104,
		.frame_bytes = 112,
		.line_format = PYTHON_LINES_LNOTAB,
		.code_first_line = 40,
		.code_file = 104,
		.code_name = 112,
		.code_line_table = 120,
		.code_bytes = 128,
		.unicode_state = 32,
		.unicode_ascii_data = 48,
		.unicode_compact_data = 72,
	},
	{
		.version = 0x0309,
		.interpreters_head = 32,
		.interpreter_next = 0,
		.interpreter_threads = 8,
		.thread_prev = 0,
		.thread_next = 8,
		.thread_interpreter = 16,
		.thread_id = 176,
		.thread_frame = 24,
		.frame_code = 32,
		.frame_previous = 24,
		.frame_position = 104,
		.frame_bytes = 112,
		.line_format = PYTHON_LINES_LNOTAB,
		.code_first_line = 40,
		.code_file = 104,
		.code_name = 112,
		.code_line_table = 120,
		.code_bytes = 128,
		.unicode_state = 32,
		.unicode_ascii_data = 48,
		.unicode_compact_data = 72,
	},
	{
		.version = 0x030a,
		.interpreters_head = 32,
		.interpreter_next = 0,
		.interpreter_threads = 8,
		.thread_prev = 0,
		.thread_next = 8,
		.thread_interpreter = 16,
		.thread_id = 176,
		.thread_frame = 24,
		.frame_code = 32,
		.frame_previous = 24,
		.frame_position = 96,
		.frame_bytes = 104,
		.line_format = PYTHON_LINES_RANGES,
		.code_first_line = 40,
		.code_file = 104,
		.code_name = 112,
		.code_line_table = 120,
		.code_bytes = 128,
		.unicode_state = 32,
		.unicode_ascii_data = 48,
		.unicode_compact_data = 72,
	},
	{
		.version = 0x030b,
		.interpreters_head = 40,
		.interpreter_next = 0,
		.interpreter_threads = 16,
		.thread_prev = 0,
		.thread_next = 8,
		.thread_interpreter = 16,
		.thread_id = 152,
		.thread_frame = 56,
		.has_cframe = true,
		.cframe_frame = 8,
		.frame_code = 32,
		.frame_previous = 48,
		.frame_position = 56,
		.has_is_entry = true,
		.frame_is_entry = 68,
		.frame_bytes = 72,
		.line_format = PYTHON_LINES_LOCATIONS,
		.code_first_line = 72,
		.code_file = 112,
		.code_name = 128,
		.code_line_table = 136,
		.code_instructions = 184,
		.code_bytes = 144,
		.unicode_state = 32,
		.unicode_ascii_data = 48,
		.unicode_compact_data = 72,
	},
	{
		.version = 0x030c,
		.interpreters_head = 40,
		.interpreter_next = 0,
		.interpreter_threads = 72,
		.thread_prev = 0,
		.thread_next = 8,
		.thread_interpreter = 16,
		.thread_id = 136,
		.thread_frame = 56,
		.has_cframe = true,
		.cframe_frame = 0,
		.frame_code = 0,
		.frame_previous = 8,
		.frame_position = 56,
		.has_owner = true,
		.frame_owner = 70,
		.frame_bytes = 72,
		.line_format = PYTHON_LINES_LOCATIONS,
		.code_first_line = 68,
		.code_file = 112,
		.code_name = 128,
		.code_line_table = 136,
		.code_instructions = 192,
		.code_bytes = 144,
		.unicode_state = 32,
		.unicode_ascii_data = 40,
		.unicode_compact_data = 56,
	},
};

/*
 * _Py_DebugOffsets of 3.13 in words. What follows the version moves between minor versions, so that
 * each has to be verified by itself.
 */
enum debug_word {
	DEBUG_COOKIE = 0,
	DEBUG_VERSION = 1,
	DEBUG_FREE_THREADED = 2,
	DEBUG_INTERPRETERS_HEAD = 5,
	DEBUG_INTERPRETER_NEXT = 8,
	DEBUG_INTERPRETER_THREADS = 9,
	DEBUG_THREAD_PREV = 20,
	DEBUG_THREAD_NEXT = 21,
	DEBUG_THREAD_INTERPRETER = 22,
	DEBUG_THREAD_FRAME = 23,
	DEBUG_THREAD_ID = 24,
	DEBUG_FRAME_PREVIOUS = 29,
	DEBUG_FRAME_CODE = 30,
	DEBUG_FRAME_POSITION = 31,
	DEBUG_FRAME_OWNER = 33,
	DEBUG_CODE_FILE = 35,
	DEBUG_CODE_QUALIFIED_NAME = 37,
	DEBUG_CODE_LINE_TABLE = 38,
	DEBUG_CODE_FIRST_LINE = 39,
	DEBUG_CODE_INSTRUCTIONS = 43,
	DEBUG_OBJECT_TYPE = 45,
	DEBUG_TYPE_NAME = 47,
	DEBUG_BYTES_SIZE = 65,
	DEBUG_BYTES_DATA = 66,
	DEBUG_UNICODE_SIZE = 67,
	DEBUG_UNICODE_STATE = 68,
	DEBUG_UNICODE_LENGTH = 69,
	DEBUG_UNICODE_ASCII_SIZE = 70,
	DEBUG_WORD_CNT = 71,
};

#define COOKIE		     "xdebugpy"
#define VERIFIED_VERSION     0x030d
#define OFFSET_MAX	     (1U << 20) /* an interpreter has some 200 KiB */
#define THREAD_OFFSET_MAX    4096
#define CODE_OFFSET_MAX	     248
#define UNICODE_OBJECT_BYTES 8 /* PyUnicodeObject is a PyCompactUnicodeObject and a pointer */

static uint32_t largest(const uint64_t *words, const enum debug_word *which, size_t cnt)
{
	uint64_t max = 0;

	for (size_t i = 0; i < cnt; i++)
		max = words[which[i]] > max ? words[which[i]] : max;
	return (uint32_t)max;
}

static const enum debug_word frame_words[] = { DEBUG_FRAME_PREVIOUS, DEBUG_FRAME_CODE,
					       DEBUG_FRAME_POSITION, DEBUG_FRAME_OWNER };
static const enum debug_word thread_words[] = { DEBUG_THREAD_PREV, DEBUG_THREAD_NEXT,
						DEBUG_THREAD_INTERPRETER, DEBUG_THREAD_FRAME,
						DEBUG_THREAD_ID };
static const enum debug_word code_words[] = { DEBUG_CODE_FILE, DEBUG_CODE_QUALIFIED_NAME,
					      DEBUG_CODE_LINE_TABLE, DEBUG_CODE_FIRST_LINE,
					      DEBUG_CODE_INSTRUCTIONS };

#define LARGEST(words, which) largest(words, which, sizeof(which) / sizeof((which)[0]))

/* Are these the offsets of a build that is known, as far as can be seen by themselves? */
static bool is_believable(const uint64_t *words)
{
	for (size_t i = DEBUG_INTERPRETERS_HEAD; i < DEBUG_WORD_CNT; i++)
		if (words[i] >= OFFSET_MAX)
			return false;
	return !memcmp(words, COOKIE, sizeof(words[0])) &&
	       (uint32_t)words[DEBUG_VERSION] >> 16 == VERIFIED_VERSION &&
	       !words[DEBUG_FREE_THREADED] &&
	       LARGEST(words, frame_words) <= LAYOUT_FRAME_BYTES_MAX - sizeof(uint64_t) &&
	       LARGEST(words, thread_words) <= THREAD_OFFSET_MAX &&
	       LARGEST(words, code_words) <= CODE_OFFSET_MAX &&
	       words[DEBUG_OBJECT_TYPE] == LAYOUT_OBJECT_TYPE &&
	       words[DEBUG_TYPE_NAME] == LAYOUT_TYPE_NAME &&
	       words[DEBUG_BYTES_SIZE] == LAYOUT_OBJECT_SIZE &&
	       words[DEBUG_BYTES_DATA] == LAYOUT_BYTES_DATA &&
	       words[DEBUG_UNICODE_LENGTH] == LAYOUT_OBJECT_SIZE;
}

static bool layout_of_debug_offsets(const struct python_memory *memory, uint64_t runtime,
				    struct python_layout *layout)
{
	uint64_t words[DEBUG_WORD_CNT];

	if (!memory_read(memory, runtime, words, sizeof(words)) || !is_believable(words))
		return false;
	*layout = (struct python_layout){
		.version = VERIFIED_VERSION,
		.interpreters_head = (uint32_t)words[DEBUG_INTERPRETERS_HEAD],
		.interpreter_next = (uint32_t)words[DEBUG_INTERPRETER_NEXT],
		.interpreter_threads = (uint32_t)words[DEBUG_INTERPRETER_THREADS],
		.thread_prev = (uint32_t)words[DEBUG_THREAD_PREV],
		.thread_next = (uint32_t)words[DEBUG_THREAD_NEXT],
		.thread_interpreter = (uint32_t)words[DEBUG_THREAD_INTERPRETER],
		.thread_id = (uint32_t)words[DEBUG_THREAD_ID],
		.thread_frame = (uint32_t)words[DEBUG_THREAD_FRAME],
		.frame_code = (uint32_t)words[DEBUG_FRAME_CODE],
		.frame_previous = (uint32_t)words[DEBUG_FRAME_PREVIOUS],
		.frame_position = (uint32_t)words[DEBUG_FRAME_POSITION],
		.has_owner = true,
		.frame_owner = (uint32_t)words[DEBUG_FRAME_OWNER],
		.frame_bytes = (LARGEST(words, frame_words) | 7) + 1,
		.line_format = PYTHON_LINES_LOCATIONS,
		.code_first_line = (uint32_t)words[DEBUG_CODE_FIRST_LINE],
		.code_file = (uint32_t)words[DEBUG_CODE_FILE],
		.code_name = (uint32_t)words[DEBUG_CODE_QUALIFIED_NAME],
		.code_line_table = (uint32_t)words[DEBUG_CODE_LINE_TABLE],
		.code_instructions = (uint32_t)words[DEBUG_CODE_INSTRUCTIONS],
		.code_bytes = (LARGEST(words, code_words) | 7) + 1,
		.unicode_state = (uint32_t)words[DEBUG_UNICODE_STATE],
		.unicode_ascii_data = (uint32_t)words[DEBUG_UNICODE_ASCII_SIZE],
		.unicode_compact_data = (uint32_t)words[DEBUG_UNICODE_SIZE] - UNICODE_OBJECT_BYTES,
	};
	return true;
}

bool layout_find(const struct python_memory *memory, uint64_t runtime, uint32_t hexversion,
		 struct python_layout *layout)
{
	if (hexversion >> 16 >= 0x030d)
		return layout_of_debug_offsets(memory, runtime, layout);
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].version != hexversion >> 16)
			continue;
		*layout = layouts[i];
		return true;
	}
	return false;
}
