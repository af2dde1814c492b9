/* A hash table over blocks of text; see text_pool.h. */
#include "symbols/text_pool.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES    65536
#define POOL_MAX_BYTES (256u << 20)

struct block {
	struct block *next;
	size_t used_bytes, size_bytes;
	char text[];
};

struct text_pool {
	struct block *blocks;
	size_t size_bytes;
	const char **slots; /* a power of two of them, at most three quarters full */
	size_t slot_cnt, text_cnt;
};

struct text_pool *text_pool_new(void)
{
	struct text_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->slot_cnt = 1024;
	pool->slots = calloc(pool->slot_cnt, sizeof(*pool->slots));
	if (!pool->slots) {
		free(pool);
		return NULL;
	}
	return pool;
}

void text_pool_free(struct text_pool *pool)
{
	if (!pool)
		return;
	while (pool->blocks) {
		struct block *next = pool->blocks->next;

		free(pool->blocks);
		pool->blocks = next;
	}
	free(pool->slots);
	free(pool);
}

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

/* The slot of @text, or the empty one that it belongs into. */
static const char **slot_of(const struct text_pool *pool, const char *text, size_t len)
{
	size_t i = hash_of(text, len) & (pool->slot_cnt - 1);

	while (pool->slots[i] && (strncmp(pool->slots[i], text, len) || pool->slots[i][len]))
		i = (i + 1) & (pool->slot_cnt - 1);
	return &pool->slots[i];
}

static bool grow(struct text_pool *pool)
{
	struct text_pool larger = *pool;

	larger.slot_cnt *= 2;
	larger.slots = calloc(larger.slot_cnt, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < pool->slot_cnt; i++)
		if (pool->slots[i])
			*slot_of(&larger, pool->slots[i], strlen(pool->slots[i])) = pool->slots[i];
	free(pool->slots);
	*pool = larger;
	return true;
}

static char *room(struct text_pool *pool, size_t bytes)
{
	struct block *block = pool->blocks;

	if (!block || block->size_bytes - block->used_bytes < bytes) {
		size_t size_bytes = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

		if (pool->size_bytes + size_bytes > POOL_MAX_BYTES)
			return NULL;
		block = malloc(sizeof(*block) + size_bytes);
		if (!block)
			return NULL;
		*block = (struct block){ .next = pool->blocks, .size_bytes = size_bytes };
		pool->blocks = block;
		pool->size_bytes += size_bytes;
	}
	block->used_bytes += bytes;
	return block->text + block->used_bytes - bytes;
}

const char *text_pool_add(struct text_pool *pool, const char *text, size_t len)
{
	const char **slot;
	char *copy;

	len = strnlen(text, len);
	if (pool->text_cnt >= pool->slot_cnt / 4 * 3 && !grow(pool))
		return "";
	slot = slot_of(pool, text, len);
	if (*slot)
		return *slot;
	copy = room(pool, len + 1);
	if (!copy)
		return "";
	memcpy(copy, text, len);
	copy[len] = '\0';
	*slot = copy;
	pool->text_cnt++;
	return copy;
}
