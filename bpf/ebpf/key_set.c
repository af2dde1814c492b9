/* Open addressing over numbers of keys; see key_set.h. */
#include "key_set.h"
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64
#define FNV_OFFSET     14695981039346656037ull
#define FNV_PRIME      1099511628211ull

void key_set_init(struct key_set *set, size_t key_bytes, uint32_t capacity_max)
{
	key_set_init_values(set, key_bytes, 0, capacity_max);
}

void key_set_init_values(struct key_set *set, size_t key_bytes, size_t value_bytes,
			 uint32_t capacity_max)
{
	*set = (struct key_set){ .key_bytes = key_bytes,
				 .value_bytes = value_bytes,
				 .capacity_max = capacity_max };
}

void key_set_release(struct key_set *set)
{
	free(set->keys);
	free(set->values);
	free(set->slots);
	key_set_init_values(set, set->key_bytes, set->value_bytes, set->capacity_max);
}

/* FNV-1a by words where it can be, with its upper bits brought down. */
static uint64_t hash_of(const struct key_set *set, const char *key)
{
	uint64_t hash = FNV_OFFSET, word;
	size_t at = 0;

	for (; at + sizeof(word) <= set->key_bytes; at += sizeof(word)) {
		memcpy(&word, key + at, sizeof(word));
		hash = (hash ^ word) * FNV_PRIME;
		hash ^= hash >> 32;
	}
	for (; at < set->key_bytes; at++)
		hash = (hash ^ (unsigned char)key[at]) * FNV_PRIME;
	return hash ^ hash >> 29;
}

/* The slot of @key, or the free one where it belongs. There is one while the set isn't empty. */
static uint32_t *slot_of(const struct key_set *set, const void *key)
{
	size_t mask = 2 * (size_t)set->capacity - 1;
	size_t at = hash_of(set, key) & mask;

	while (set->slots[at] && memcmp(key_set_at(set, set->slots[at] - 1), key, set->key_bytes))
		at = (at + 1) & mask;
	return &set->slots[at];
}

static bool grow_values(struct key_set *set, uint32_t capacity)
{
	size_t had_bytes = set->capacity * set->value_bytes;
	char *values;

	if (!set->value_bytes)
		return true;
	values = reallocarray(set->values, capacity, set->value_bytes);
	if (!values)
		return false;
	memset(values + had_bytes, 0, capacity * set->value_bytes - had_bytes);
	set->values = values;
	return true;
}

static bool grow(struct key_set *set)
{
	uint32_t capacity = set->capacity ? 2 * set->capacity : CAPACITY_FIRST;
	char *keys = reallocarray(set->keys, capacity, set->key_bytes);
	uint32_t *slots = keys ? calloc(2 * (size_t)capacity, sizeof(*slots)) : NULL;

	if (keys)
		set->keys = keys;
	if (!slots || !grow_values(set, capacity)) {
		free(slots);
		return false;
	}
	free(set->slots);
	set->slots = slots;
	set->capacity = capacity;
	for (uint32_t i = 0; i < set->cnt; i++)
		*slot_of(set, key_set_at(set, i)) = i + 1;
	return true;
}

uint32_t key_set_find(const struct key_set *set, const void *key)
{
	return set->cnt ? *slot_of(set, key) - 1 : KEY_SET_FULL;
}

uint32_t key_set_add(struct key_set *set, const void *key)
{
	uint32_t found = key_set_find(set, key);

	if (found != KEY_SET_FULL)
		return found;
	if (set->cnt >= set->capacity_max || (set->cnt >= set->capacity && !grow(set)))
		return KEY_SET_FULL;
	memcpy(set->keys + set->cnt * set->key_bytes, key, set->key_bytes);
	*slot_of(set, key) = ++set->cnt;
	return set->cnt - 1;
}
