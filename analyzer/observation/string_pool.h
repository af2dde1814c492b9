/* A set of strings: each different one is stored once and lives until the pool is freed. */
#ifndef CLASSIFY_STRING_POOL_H
#define CLASSIFY_STRING_POOL_H

#include <stddef.h>

struct string_pool;

/* Returns an empty pool, or NULL when out of memory. */
struct string_pool *string_pool_new(void);

/* Frees the pool and its strings; accepts NULL. */
void string_pool_free(struct string_pool *pool);

/* Returns the pool's copy of the @len bytes at @bytes (none of them NUL), NUL-terminated, or NULL
 * when out of memory. */
const char *string_pool_intern(struct string_pool *pool, const char *bytes, size_t len);

#endif
