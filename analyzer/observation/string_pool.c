/* A string set with open addressing. It is never more than half full, so a probe ends soon. */
#include "observation/string_pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INITIAL_SLOT_CNT = 64 };

struct string_pool {
	char **slots;	 /* NULL: free */
	size_t slot_cnt; /* a power of two */
	size_t string_cnt;
};

struct string_pool *string_pool_new(void)
{
	struct string_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->slots = calloc(INITIAL_SLOT_CNT, sizeof(*pool->slots));
	if (!pool->slots) {
		free(pool);
		return NULL;
	}
	pool->slot_cnt = INITIAL_SLOT_CNT;
	return pool;
}

void string_pool_free(struct string_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->slot_cnt; i++)
		free(pool->slots[i]);
	free(pool->slots);
	free(pool);
}

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_bytes(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++) {
		hash ^= (unsigned char)bytes[i];
		hash *= 0x100000001b3;
	}
	return hash;
}

/* The slot that holds the string, or the free one where it belongs. */
static char **find_slot(char **slots, size_t slot_cnt, const char *bytes, size_t len)
{
	size_t i = hash_bytes(bytes, len) & (slot_cnt - 1);

	while (slots[i] && (strncmp(slots[i], bytes, len) != 0 || slots[i][len] != '\0'))
		i = (i + 1) & (slot_cnt - 1);
	return &slots[i];
}

static bool grow(struct string_pool *pool)
{
	size_t slot_cnt = pool->slot_cnt * 2;
	char **slots = calloc(slot_cnt, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < pool->slot_cnt; i++) {
		char *string = pool->slots[i];

		if (string)
			*find_slot(slots, slot_cnt, string, strlen(string)) = string;
	}
	free(pool->slots);
	pool->slots = slots;
	pool->slot_cnt = slot_cnt;
	return true;
}

const char *string_pool_intern(struct string_pool *pool, const char *bytes, size_t len)
{
	char **slot;

	if (pool->string_cnt * 2 >= pool->slot_cnt && !grow(pool))
		return NULL;
	slot = find_slot(pool->slots, pool->slot_cnt, bytes, len);
	if (*slot)
		return *slot;
	*slot = strndup(bytes, len);
	if (*slot)
		pool->string_cnt++;
	return *slot;
}
