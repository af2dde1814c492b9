/* String objects and the names of types; see interpreter.h. */
#include <errno.h>
#include <string.h>

#include "python/interpreter.h"

#define TYPE_NAME_BYTES 32
/* The state word: how a string is stored. */
#define STATE_KIND_SHIFT 2
#define STATE_KIND_MASK	 7
#define STATE_COMPACT	 (1 << 5)
#define STATE_ASCII	 (1 << 6)
#define CHUNK_BYTES	 1024

#define REPLACEMENT	0xfffd
#define SURROGATE_FIRST 0xd800
#define SURROGATE_LAST	0xdfff
#define CHARACTER_MAX	0x10ffff

bool type_is(struct python *python, uint64_t type, const char *name, uint64_t *known)
{
	char bytes[TYPE_NAME_BYTES];
	size_t len = strlen(name) + 1;

	if (!type || type == *known)
		return type != 0;
	/* There is one type of that name, and it doesn't move. */
	if (*known || len > sizeof(bytes) ||
	    !memory_read(&python->memory, memory_word(&python->memory, type + LAYOUT_TYPE_NAME),
			 bytes, len) ||
	    memcmp(bytes, name, len))
		return false;
	*known = type;
	return true;
}

/* Appends @character to the @len bytes in @string if it fits. Returns the new length, or 0. */
static size_t append_utf8(char *string, size_t len, size_t size, uint32_t character)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t cnt;

	if (!character || character > CHARACTER_MAX ||
	    (character >= SURROGATE_FIRST && character <= SURROGATE_LAST))
		character = REPLACEMENT;
	cnt = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	if (len + cnt >= size)
		return 0;
	for (size_t i = cnt - 1; i > 0; i--) {
		string[len + i] = (char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	string[len] = (char)(leads[cnt == 1 ? 0 : cnt] | character);
	return len + cnt;
}

static uint32_t character_at(const uint8_t *bytes, size_t kind)
{
	uint32_t character = 0;

	memcpy(&character, bytes, kind);
	return character;
}

/* Where a string's characters are, how wide, and how many. */
struct characters {
	uint64_t data;
	uint64_t cnt;
	uint32_t kind; /* bytes of each: 1, 2, 4 */
};

static bool find_characters(struct python *python, uint64_t address, struct characters *characters)
{
	const struct python_layout *layout = &python->layout;
	uint64_t header[3]; /* count of references, type, length */
	uint32_t state;

	if (!memory_read(&python->memory, address, header, sizeof(header)) ||
	    !type_is(python, header[LAYOUT_OBJECT_TYPE / 8], "str", &python->string_type) ||
	    !memory_read(&python->memory, address + layout->unicode_state, &state, sizeof(state)))
		return false;
	characters->kind = state >> STATE_KIND_SHIFT & STATE_KIND_MASK;
	characters->cnt = header[LAYOUT_OBJECT_SIZE / 8];
	characters->data = address + (state & STATE_ASCII ? layout->unicode_ascii_data
							  : layout->unicode_compact_data);
	return state & STATE_COMPACT && characters->cnt <= INT64_MAX &&
	       (characters->kind == 1 || characters->kind == 2 || characters->kind == 4);
}

int string_read(struct python *python, uint64_t address, char *string, size_t size)
{
	struct characters characters;
	uint8_t chunk[CHUNK_BYTES];
	size_t len = 0;

	string[0] = '\0';
	if (!find_characters(python, address, &characters))
		return -EINVAL;
	while (characters.cnt) {
		uint64_t cnt = CHUNK_BYTES / characters.kind;

		cnt = characters.cnt < cnt ? characters.cnt : cnt;
		if (!memory_read(&python->memory, characters.data, chunk, cnt * characters.kind))
			return -EFAULT;
		for (size_t i = 0; i < cnt; i++) {
			size_t longer = append_utf8(
				string, len, size,
				character_at(chunk + i * characters.kind, characters.kind));

			if (!longer)
				return 0;
			len = longer;
			string[len] = '\0';
		}
		characters.cnt -= cnt;
		characters.data += cnt * characters.kind;
	}
	return 0;
}
