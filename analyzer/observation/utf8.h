/* UTF-8 in strings that are whatever bytes the target chose. */
#ifndef CLASSIFY_UTF8_H
#define CLASSIFY_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns the length in bytes (1 to 4) of the character at @text and stores it in @code_point, or
 * returns 0 when no valid UTF-8 character starts there (a stray or truncated byte, an overlong
 * form, a surrogate). Doesn't read past a NUL; a NUL itself is a character of length 1.
 */
size_t utf8_decode(const char *text, uint32_t *code_point);

/*
 * Returns a copy of @text that is valid UTF-8: each byte that is part of no valid character becomes
 * the four characters \xNN. Not reversible (a literal \xNN of the target looks the same), but
 * readable, and valid text is unchanged. NULL when out of memory; the caller frees it.
 */
char *utf8_sanitize(const char *text);

#endif
