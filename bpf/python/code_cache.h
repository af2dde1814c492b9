/*
 * What has been read of code objects, by their addresses. An entry is right as long as the object
 * still has the same parts; memory is used again. Bounded: when it is full, all is forgotten.
 */
#ifndef CLASSIFY_PYTHON_CODE_CACHE_H
#define CLASSIFY_PYTHON_CODE_CACHE_H

#include <stddef.h>
#include <stdint.h>

/* The parts that tell one code object from another at the same address. */
struct code_parts {
	uint64_t name;
	uint64_t file;
	uint64_t line_table;
	uint32_t first_line;
};

struct code_entry {
	uint64_t code;
	struct code_parts parts;
	char *function;
	char *file;
	uint8_t *lines;
	size_t lines_bytes;
};

struct code_cache;

/* Returns NULL when out of memory. */
struct code_cache *code_cache_new(void);
void code_cache_free(struct code_cache *cache);

/* Returns the entry of the code object at @code, or NULL. */
const struct code_entry *code_cache_find(const struct code_cache *cache, uint64_t code);

/*
 * Keeps @entry, whose memory is the cache's from then on, in place of what it had for the same
 * address. Returns it as kept, until the next call; or NULL when out of memory.
 */
const struct code_entry *code_cache_add(struct code_cache *cache, struct code_entry *entry);

#endif
