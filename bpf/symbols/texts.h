/* The texts that come out of a target's files: names and paths, each kept once, within a limit. */
#ifndef CLASSIFY_TEXTS_H
#define CLASSIFY_TEXTS_H

#include "observation/string_pool.h"

#define TEXTS_MAX_BYTES (256u << 20)

/* As string_pool_intern(), but "" when out of memory or full: a frame without a name. */
static inline const char *text_keep(struct string_pool *texts, const char *text, size_t len)
{
	const char *kept = string_pool_intern(texts, text, len);

	return kept ? kept : "";
}

#endif
