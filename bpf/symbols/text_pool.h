/* Texts that live as long as the pool, each stored once. */
#ifndef CLASSIFY_TEXT_POOL_H
#define CLASSIFY_TEXT_POOL_H

#include <stddef.h>

struct text_pool;

/* Returns NULL when out of memory. */
struct text_pool *text_pool_new(void);
void text_pool_free(struct text_pool *pool);

/* The pool's own copy of the first @len bytes of @text, with a 0 after them; "" when out of memory
 * or when the pool is full, which keeps a hostile file from filling the memory. */
const char *text_pool_add(struct text_pool *pool, const char *text, size_t len);

#endif
