/* A set of keys of one size, numbered in the order they came, each with a value if wanted: what
 * equal stacks, threads, objects are found by. Bounded. */
#ifndef CLASSIFY_KEY_SET_H
#define CLASSIFY_KEY_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_SET_FULL UINT32_MAX

struct key_set {
	size_t key_bytes;
	size_t value_bytes;    /* 0: they have none */
	uint32_t capacity_max; /* keys beyond it are not taken */
	uint32_t cnt;
	uint32_t capacity;
	char *keys;	 /* by number */
	char *values;	 /* likewise */
	uint32_t *slots; /* numbers + 1 by hash, 0: free; twice the capacity */
};

void key_set_init(struct key_set *set, size_t key_bytes, uint32_t capacity_max);

/* The same, of keys that have a value each, which is zero at first. */
void key_set_init_values(struct key_set *set, size_t key_bytes, size_t value_bytes,
			 uint32_t capacity_max);
void key_set_release(struct key_set *set);

/* Returns the number of @key (all key_bytes count, padding too), which is added unless it is there;
 * KEY_SET_FULL when there is no room. */
uint32_t key_set_add(struct key_set *set, const void *key);

/* Returns its number, or KEY_SET_FULL when it isn't there. */
uint32_t key_set_find(const struct key_set *set, const void *key);

/* Both are good until the next key is added. */
static inline const void *key_set_at(const struct key_set *set, uint32_t number)
{
	return set->keys + number * set->key_bytes;
}

static inline void *key_set_value(const struct key_set *set, uint32_t number)
{
	return set->values + number * set->value_bytes;
}

#endif
