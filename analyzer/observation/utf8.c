/* Strict UTF-8 decoding (Unicode 15, table 3-7) and repair. */
#include "observation/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the first byte of a character says about it. */
struct lead {
	unsigned char mask;
	unsigned char bits;
	uint32_t min_code_point; /* below it, a shorter form exists */
};

static const struct lead leads[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

size_t utf8_decode(const char *text, uint32_t *code_point)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t len = 0;
	uint32_t code;

	while (len < 4 && (bytes[0] & leads[len].mask) != leads[len].bits)
		len++;
	if (len == 4)
		return 0;
	code = bytes[0] & (unsigned char)~leads[len].mask;
	for (size_t i = 1; i <= len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	if (code < leads[len].min_code_point || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	*code_point = code;
	return len + 1;
}

char *utf8_sanitize(const char *text)
{
	/* Every byte may grow to the four of "\xNN". */
	char *clean = calloc(strlen(text) + 1, sizeof("\\xNN") - 1);
	char *end = clean;
	uint32_t code_point;

	if (!clean)
		return NULL;
	while (*text) {
		size_t len = utf8_decode(text, &code_point);

		if (len) {
			end = mempcpy(end, text, len);
			text += len;
		} else {
			end += sprintf(end, "\\x%02x", (unsigned char)*text++);
		}
	}
	return clean;
}
