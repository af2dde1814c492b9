/* Pages of an interpreter's memory; see page_cache.h. */
#include "python/page_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 4096U
#define PAGE_CNT   1024U

/* Of a look. One at 512 tasks takes about 40,000 accesses and at worst 3,000 pages. */
#define ACCESSES_MAX 400000U
#define FILLS_MAX    8192U

struct cached_page {
	uint64_t number;
	uint32_t look;
	bool is_there;
	unsigned char bytes[PAGE_BYTES];
};

static const unsigned char *page_at(struct page_cache *cache, uint64_t number)
{
	struct cached_page *page = &cache->pages[number % PAGE_CNT];

	if (page->look != cache->look || page->number != number) {
		if (!cache->fills_left)
			return NULL;
		cache->fills_left--;
		page->look = cache->look;
		page->number = number;
		page->is_there = cache->read(cache->context, number * PAGE_BYTES, page->bytes,
					     sizeof(page->bytes));
	}
	return page->is_there ? page->bytes : NULL;
}

static bool read_cached(void *context, uint64_t address, void *bytes, size_t len)
{
	struct page_cache *cache = context;

	if (!cache->accesses_left)
		return false;
	cache->accesses_left--;
	for (size_t done = 0, part; done < len; done += part) {
		uint64_t at = address + done;
		size_t in_page = (size_t)(at % PAGE_BYTES);
		const unsigned char *page = page_at(cache, at / PAGE_BYTES);

		if (!page)
			return false;
		part = PAGE_BYTES - in_page < len - done ? PAGE_BYTES - in_page : len - done;
		memcpy((unsigned char *)bytes + done, page + in_page, part);
	}
	return true;
}

void page_cache_release(struct page_cache *cache)
{
	free(cache->pages);
	memset(cache, 0, sizeof(*cache));
}

int page_cache_begin(struct page_cache *cache, struct python_memory *memory)
{
	if (!cache->pages)
		cache->pages = calloc(PAGE_CNT, sizeof(*cache->pages));
	if (!cache->pages)
		return -ENOMEM;
	cache->look++;
	cache->accesses_left = ACCESSES_MAX;
	cache->fills_left = FILLS_MAX;
	cache->memory = memory;
	cache->read = memory->read;
	cache->context = memory->context;
	memory->read = read_cached;
	memory->context = cache;
	return 0;
}

void page_cache_end(struct page_cache *cache)
{
	cache->memory->read = cache->read;
	cache->memory->context = cache->context;
}
