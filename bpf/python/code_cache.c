/* Code objects that were read; see code_cache.h. */
#include "python/code_cache.h"

#include <stdlib.h>
#include <string.h>

/* A large program runs some thousands of functions; 2/3 of the slots are used at most. */
#define SLOT_CNT  (1U << 13)
#define ENTRY_MAX (SLOT_CNT / 3 * 2)
#define BYTES_MAX (16UL << 20)

struct code_cache {
	size_t entry_cnt;
	size_t byte_cnt;
	struct code_entry slots[SLOT_CNT]; /* those in use have a code */
};

struct code_cache *code_cache_new(void)
{
	return calloc(1, sizeof(struct code_cache));
}

static void release_entry(struct code_entry *entry)
{
	free(entry->function);
	free(entry->file);
	free(entry->lines);
	memset(entry, 0, sizeof(*entry));
}

static void forget_all(struct code_cache *cache)
{
	for (size_t i = 0; i < SLOT_CNT; i++)
		release_entry(&cache->slots[i]);
	cache->entry_cnt = 0;
	cache->byte_cnt = 0;
}

void code_cache_free(struct code_cache *cache)
{
	if (cache)
		forget_all(cache);
	free(cache);
}

/* The slot of @code, or the free one where it belongs: there always is one. */
static size_t slot_of(const struct code_cache *cache, uint64_t code)
{
	size_t slot = (size_t)((code >> 4) * 0x9e3779b97f4a7c15ULL >> 32) % SLOT_CNT;

	while (cache->slots[slot].code && cache->slots[slot].code != code)
		slot = (slot + 1) % SLOT_CNT;
	return slot;
}

const struct code_entry *code_cache_find(const struct code_cache *cache, uint64_t code)
{
	const struct code_entry *entry = &cache->slots[slot_of(cache, code)];

	return entry->code ? entry : NULL;
}

static size_t bytes_of(const struct code_entry *entry)
{
	return entry->code ? entry->lines_bytes + strlen(entry->function) + strlen(entry->file) : 0;
}

const struct code_entry *code_cache_add(struct code_cache *cache, struct code_entry *entry)
{
	struct code_entry *slot;

	if (!entry->function || !entry->file || !entry->lines) {
		release_entry(entry);
		return NULL;
	}
	if (cache->entry_cnt >= ENTRY_MAX || cache->byte_cnt + bytes_of(entry) > BYTES_MAX)
		forget_all(cache);
	slot = &cache->slots[slot_of(cache, entry->code)];
	cache->entry_cnt += !slot->code;
	cache->byte_cnt += bytes_of(entry) - bytes_of(slot);
	release_entry(slot);
	*slot = *entry;
	return slot;
}
