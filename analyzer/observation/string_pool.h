/* A set of strings: each different one is stored once and lives until the pool is freed. */
#ifndef CLASSIFY_STRING_POOL_H
#define CLASSIFY_STRING_POOL_H

#include <stddef.h>

struct string_pool;

/* Returns an empty pool whose blocks of 64 KB take @max_bytes at most (0: no limit; what a hostile
 * file could fill the memory with has one), or NULL when out of memory. */
struct string_pool *string_pool_new(size_t max_bytes);

/* Frees the pool and its strings; accepts NULL. */
void string_pool_free(struct string_pool *pool);

/* Returns the pool's copy of the first @len bytes at @bytes, or of those before a NUL; it ends in
 * one. NULL when out of memory, or the pool is full. */
const char *string_pool_intern(struct string_pool *pool, const char *bytes, size_t len);

#endif
