/* What of the target's strings may reach a terminal. */
#include "render/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "observation/utf8.h"
#include "render/render.h"

struct code_range {
	uint32_t first, last;
};

/* Characters that act instead of showing. Marks and overrides of direction can make a line read as
 * something else (CVE-2021-42574); NEL and the separators break lines; U+FEFF is invisible. */
static const struct code_range acting[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0x061c, 0x061c }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xe0000, 0xe007f },
};

static bool is_acting(uint32_t code_point)
{
	for (size_t i = 0; i < sizeof(acting) / sizeof(acting[0]); i++)
		if (code_point >= acting[i].first && code_point <= acting[i].last)
			return true;
	return false;
}

static int columns_of(uint32_t code_point)
{
	int columns = code_point < 0x80 ? 1 : wcwidth((wchar_t)code_point);

	return columns < 0 ? 1 : columns;
}

bool escape_next(const char **text, bool ascii_only, struct glyph *glyph)
{
	uint32_t code_point = 0;
	size_t len = utf8_decode(*text, &code_point);
	bool is_printable = len && !is_acting(code_point) && !(ascii_only && code_point >= 0x80);

	if (!**text)
		return false;
	if (!len)
		len = 1;
	if (is_printable) {
		*(char *)mempcpy(glyph->bytes, *text, len) = '\0';
		glyph->columns = columns_of(code_point);
	} else {
		for (size_t i = 0; i < len; i++)
			sprintf(glyph->bytes + 4 * i, "\\x%02x", (unsigned char)(*text)[i]);
		glyph->columns = (int)len * 4;
	}
	*text += len;
	return true;
}

int escape_columns(const char *text, bool ascii_only)
{
	struct glyph glyph;
	int columns = 0;

	while (escape_next(&text, ascii_only, &glyph))
		columns += glyph.columns;
	return columns;
}

void render_escaped(const char *text, FILE *out)
{
	struct glyph glyph;

	while (escape_next(&text, false, &glyph))
		fputs(glyph.bytes, out);
}
