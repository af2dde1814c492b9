/* A chain of chunks, each filled from its front; see arena.h. */
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arena.h"

/* Most reports fit in one chunk of this size. */
#define CHUNK_BYTES 16384

struct chunk {
	struct chunk *next;
	size_t used_bytes;
	size_t size_bytes;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *chunks; /* the one being filled comes first */
	bool has_failed;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	struct chunk *chunk = arena ? arena->chunks : NULL;

	while (chunk) {
		struct chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	free(arena);
}

static struct chunk *add_chunk(struct arena *arena, size_t min_bytes)
{
	size_t size = min_bytes > CHUNK_BYTES ? min_bytes : CHUNK_BYTES;
	struct chunk *chunk = NULL;

	if (size <= SIZE_MAX - sizeof(*chunk))
		chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk) {
		arena->has_failed = true;
		return NULL;
	}
	chunk->size_bytes = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

static void *take(struct arena *arena, size_t bytes)
{
	const size_t align = alignof(max_align_t);
	struct chunk *chunk = arena->chunks;
	void *taken;

	if (bytes > SIZE_MAX - align) {
		arena->has_failed = true;
		return NULL;
	}
	bytes = (bytes + align - 1) / align * align;
	if (!chunk || chunk->size_bytes - chunk->used_bytes < bytes)
		chunk = add_chunk(arena, bytes);
	if (!chunk)
		return NULL;
	taken = chunk->bytes + chunk->used_bytes;
	chunk->used_bytes += bytes;
	return taken;
}

void *arena_array(struct arena *arena, size_t cnt, size_t size)
{
	size_t bytes;

	if (!cnt)
		return NULL;
	if (__builtin_mul_overflow(cnt, size, &bytes)) {
		arena->has_failed = true;
		return NULL;
	}
	return take(arena, bytes);
}

const char *arena_string(struct arena *arena, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	char *copy = len ? take(arena, len + 1) : NULL;

	if (!copy)
		return "";
	memcpy(copy, text, len);
	return copy;
}

const char **arena_strings(struct arena *arena, const char *const *strings, size_t cnt)
{
	const char **copies = arena_array(arena, cnt, sizeof(*copies));

	for (size_t i = 0; copies && i < cnt; i++)
		copies[i] = arena_string(arena, strings[i]);
	return copies;
}

const char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = len > 0 ? take(arena, (size_t)len + 1) : NULL;
	if (!text)
		return "";
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

bool arena_has_failed(const struct arena *arena)
{
	return arena->has_failed;
}
