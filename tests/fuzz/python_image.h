/*
 * Pieces of an interpreter's memory in a file: enough of it for a look at its tasks and at a
 * thread's name. record_python_image makes them of a running process; the fuzzer changes them.
 */
#ifndef CLASSIFY_PYTHON_IMAGE_H
#define CLASSIFY_PYTHON_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_cache;

#define IMAGE_PIECE_BYTES 64

struct image_head {
	uint32_t hexversion;
	uint32_t reserved;
	uint64_t runtime;
	uint64_t thread_pointer;
};

struct image_piece {
	uint64_t address; /* a multiple of its size */
	uint8_t bytes[IMAGE_PIECE_BYTES];
};

/* A file is the head, then the pieces. */
struct image {
	struct image_head head;
	struct image_piece *pieces;
	size_t piece_cnt;
};

/* Reads as a python_memory does; @context is a struct image. What lies between pieces of a page is
 * zeroes. */
bool image_read(void *context, uint64_t address, void *bytes, size_t len);

#define IMAGE_TEXT_BYTES 65536

/* Writes what a look at @image says to @text, of IMAGE_TEXT_BYTES; and checks what always holds.
 * @pages is used over again. */
void image_look(struct image *image, struct page_cache *pages, char *text);

#endif
