/*
 * An interpreter's memory in pages that are read once: a graph of objects is many small reads close
 * to each other, and a system call for each would cost more than all the rest. The number of reads
 * is bounded, so that lying lengths and cycles come to an end.
 */
#ifndef CLASSIFY_PYTHON_PAGE_CACHE_H
#define CLASSIFY_PYTHON_PAGE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "python/memory.h"

struct cached_page;

/* All zeroes: it holds nothing yet. */
struct page_cache {
	struct cached_page *pages;
	uint32_t look; /* what was read in an earlier one is forgotten */
	uint32_t accesses_left;
	uint32_t fills_left;
	/* What it stands in for meanwhile. */
	struct python_memory *memory;
	bool (*read)(void *context, uint64_t address, void *bytes, size_t len);
	void *context;
};

void page_cache_release(struct page_cache *cache);

/* Begins a look: until page_cache_end(), @memory reads through @cache. Returns 0 or -ENOMEM. */
int page_cache_begin(struct page_cache *cache, struct python_memory *memory);
void page_cache_end(struct page_cache *cache);

#endif
