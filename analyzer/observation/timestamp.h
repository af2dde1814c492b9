/* Points in time as RFC 3339 text in UTC with nanoseconds: exact, where a JSON number would not be.
 */
#ifndef CLASSIFY_TIMESTAMP_H
#define CLASSIFY_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

enum { TIMESTAMP_BYTES = sizeof("2262-04-11T23:47:16.854775807Z") };

/* Writes @unix_ns (nanoseconds since 1970, never negative) to @text. */
void timestamp_format(int64_t unix_ns, char text[TIMESTAMP_BYTES]);

/* Reads what timestamp_format() wrote; false when @text is anything else. */
bool timestamp_parse(const char *text, int64_t *unix_ns);

#endif
