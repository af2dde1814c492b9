/*
 * An arena: many small allocations with one lifetime. The report owns one, so that its strings and
 * arrays need no freeing of their own; analyze() uses a second one for what it only needs
 * meanwhile.
 *
 * Running out of memory is remembered: callers may go on (arena_string functions then return "",
 * arena_array NULL) and look once, at the end, at arena_has_failed().
 */
#ifndef CLASSIFY_ARENA_H
#define CLASSIFY_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Returns an empty arena, or NULL when out of memory. */
struct arena *arena_new(void);

/* Frees the arena and all that came from it; accepts NULL. */
void arena_free(struct arena *arena);

/* Returns @cnt zeroed elements of @size bytes (aligned for any type), or NULL when out of memory
 * or when the product overflows. @cnt 0 yields NULL and is no failure. */
void *arena_array(struct arena *arena, size_t cnt, size_t size);

/* Returns a copy of @text (NULL counts as ""). */
const char *arena_string(struct arena *arena, const char *text);

/* Returns a copy of the @cnt strings at @strings; NULL when @cnt is 0 or out of memory. */
const char **arena_strings(struct arena *arena, const char *const *strings, size_t cnt);

/* Returns what printf would print. */
__attribute__((format(printf, 2, 3))) const char *arena_printf(struct arena *arena,
							       const char *format, ...);

/* Whether any of the above ran out of memory since arena_new(). */
bool arena_has_failed(const struct arena *arena);

#endif
