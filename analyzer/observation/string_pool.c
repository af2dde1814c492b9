/* A set with open addressing over blocks of strings. It is never more than three quarters full, so
 * that a probe ends soon. */
#include "observation/string_pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES    65536
#define FIRST_SLOT_CNT 1024

struct block {
	struct block *next;
	size_t used_bytes, size_bytes;
	char text[];
};

struct string_pool {
	struct block *blocks;
	size_t size_bytes, max_bytes; /* of all blocks */
	const char **slots;	      /* NULL: free */
	size_t slot_cnt;	      /* a power of two */
	size_t string_cnt;
};

struct string_pool *string_pool_new(size_t max_bytes)
{
	struct string_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->max_bytes = max_bytes ? max_bytes : SIZE_MAX;
	pool->slot_cnt = FIRST_SLOT_CNT;
	pool->slots = calloc(pool->slot_cnt, sizeof(*pool->slots));
	if (!pool->slots) {
		free(pool);
		return NULL;
	}
	return pool;
}

void string_pool_free(struct string_pool *pool)
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

static uint64_t hash_of(const char *bytes, size_t len)
{
	/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

/* The slot that holds the string, or the free one where it belongs. */
static const char **slot_of(const struct string_pool *pool, const char *bytes, size_t len)
{
	size_t i = hash_of(bytes, len) & (pool->slot_cnt - 1);

	while (pool->slots[i] && (strncmp(pool->slots[i], bytes, len) || pool->slots[i][len]))
		i = (i + 1) & (pool->slot_cnt - 1);
	return &pool->slots[i];
}

static bool grow(struct string_pool *pool)
{
	struct string_pool larger = *pool;

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

static char *room(struct string_pool *pool, size_t bytes)
{
	struct block *block = pool->blocks;

	if (!block || block->size_bytes - block->used_bytes < bytes) {
		size_t size_bytes = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

		if (size_bytes > pool->max_bytes - pool->size_bytes)
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

const char *string_pool_intern(struct string_pool *pool, const char *bytes, size_t len)
{
	const char **slot;
	char *copy;

	len = strnlen(bytes, len);
	if (pool->string_cnt >= pool->slot_cnt / 4 * 3 && !grow(pool))
		return NULL;
	slot = slot_of(pool, bytes, len);
	if (*slot)
		return *slot;
	copy = room(pool, len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	*slot = copy;
	pool->string_cnt++;
	return copy;
}
