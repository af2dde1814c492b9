/*
 * From registers and a copy of the stack to who called whom: through the call frame information of
 * the files (.eh_frame, .debug_frame), by frame pointers where there is none. Files and stacks are
 * untrusted: nothing in them leads outside of the copy, or on for ever.
 */
#ifndef CLASSIFY_UNWIND_H
#define CLASSIFY_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_space;
struct code_file;
struct code_files;
struct unwinder;

#define UNWIND_REGISTER_CNT 17 /* DWARF's numbers; 16 is the instruction pointer */
/* More frames than this are cut off, outermost ones. */
#define UNWIND_FRAMES_MAX 256

struct stack_copy {
	const uint64_t *registers; /* UNWIND_REGISTER_CNT */
	const uint8_t *bytes;	   /* from the stack pointer up */
	size_t byte_cnt;
};

enum unwind_end {
	UNWIND_COMPLETE, /* the outermost frame is where the thread began */
	UNWIND_CUT,	 /* the stack went on beyond the copy, or beyond capacity */
	UNWIND_NO_RULE,	 /* neither call frame information nor a frame pointer led on */
	UNWIND_UNMAPPED, /* an address that no mapping has: read the maps again */
};

/* Keeps what it has learned of @files, which have to live longer. NULL: out of memory. */
struct unwinder *unwinder_new(struct code_files *files);
void unwinder_free(struct unwinder *unwinder);

/* Drops what was learned of @file; it is read again when it is needed. */
void unwinder_forget(struct code_file *file);

/*
 * Fills @addresses, innermost first, with at most @capacity addresses: the first is the next
 * instruction; each other one lies inside the call that has not returned. Returns their number, and
 * in @end why there are no more.
 */
size_t unwind(struct unwinder *unwinder, const struct address_space *space,
	      const struct stack_copy *copy, uint64_t *addresses, size_t capacity,
	      enum unwind_end *end);

#endif
