/* Reads Go's table of functions; see go_table.h. Its form is that of Go's runtime/symtab.go. */
#include "symbols/go_table.h"
#include "code/elf_section.h"
#include <gelf.h>
#include <string.h>

#define MAGIC_GO_1_18  0xfffffff0
#define MAGIC_GO_1_20  0xfffffff1
#define INLINE_TABLE   2 /* which of a function's tables has the inlined ones */
#define NAME_MAX_BYTES 4096

/* Fields of a function, 32 bits each. */
enum function_field {
	FIELD_NAME = 4,
	FIELD_FILES = 20,
	FIELD_LINES = 24,
	FIELD_TABLE_CNT = 28,
	FIELD_UNIT = 32,
};

static bool read_bytes(const struct go_table *table, uint64_t at, void *to, size_t byte_cnt)
{
	if (at > table->byte_cnt || table->byte_cnt - at < byte_cnt)
		return false;
	memcpy(to, table->bytes + at, byte_cnt);
	return true;
}

static uint32_t u32_at(const struct go_table *table, uint64_t at)
{
	uint32_t value;

	return read_bytes(table, at, &value, sizeof(value)) ? value : 0;
}

static uint64_t word_at(const struct go_table *table, unsigned int number)
{
	uint64_t value;

	return read_bytes(table, 8 + 8 * number, &value, sizeof(value)) ? value : 0;
}

/* The text at @at, or "" if it has no end. */
static const char *text_at(const struct go_table *table, uint64_t at)
{
	const char *text;

	if (at >= table->byte_cnt)
		return "";
	text = (const char *)table->bytes + at;
	if (!memchr(text, 0, table->byte_cnt - at) ||
	    strnlen(text, NAME_MAX_BYTES) == NAME_MAX_BYTES)
		return "";
	return text;
}

void go_table_read_bytes(struct go_table *table)
{
	uint32_t magic = u32_at(table, 0);
	uint8_t head[8];

	/* Only of 64 bits, the order of bytes being our own. */
	if ((magic != MAGIC_GO_1_18 && magic != MAGIC_GO_1_20) ||
	    !read_bytes(table, 0, head, sizeof(head)) || head[7] != 8) {
		table->bytes = NULL;
		return;
	}
	table->quantum_bytes = head[6];
	table->function_cnt = word_at(table, 0);
	/* 0 when it is set as the program starts. */
	if (word_at(table, 2))
		table->text = word_at(table, 2);
	table->names = word_at(table, 3);
	table->units = word_at(table, 4);
	table->files = word_at(table, 5);
	table->values = word_at(table, 6);
	table->functions = word_at(table, 7);
	table->header_bytes = magic == MAGIC_GO_1_20 ? 44 : 40;
	if (table->functions > table->byte_cnt ||
	    table->function_cnt > (table->byte_cnt - table->functions) / 8)
		table->bytes = NULL;
}

void go_table_read(struct go_table *table, Elf *elf)
{
	GElf_Shdr header;
	Elf_Scn *section;
	Elf_Data *data;

	*table = (struct go_table){ 0 };
	if (elf_section_find(elf, ".text", &header))
		table->text = header.sh_addr;
	section = elf_section_find(elf, ".gopclntab", &header);
	if (!section)
		section = elf_section_find(elf, ".data.rel.ro.gopclntab", &header);
	data = section && header.sh_type == SHT_PROGBITS ? elf_rawdata(section, NULL) : NULL;
	if (data && data->d_buf) {
		table->bytes = data->d_buf;
		table->byte_cnt = data->d_size;
	}
	go_table_read_bytes(table);
}

static bool read_number(const struct go_table *table, uint64_t *at, uint32_t *number)
{
	uint8_t byte = 0x80;

	*number = 0;
	for (unsigned int shift = 0; byte & 0x80; shift += 7) {
		if (shift > 28 || !read_bytes(table, (*at)++, &byte, 1))
			return false;
		*number |= (uint32_t)(byte & 0x7f) << shift;
	}
	return true;
}

/* The value for the instruction @distance after the beginning of its function, in the list at
 * @offset of all: pairs of how the value changes and how far it then reaches. -1: not told. */
static int32_t value_at(const struct go_table *table, uint32_t offset, uint64_t distance)
{
	uint64_t at = table->values + offset, reached = 0;
	uint32_t change, length, value = UINT32_MAX;

	if (!offset || at < offset)
		return -1;
	for (bool is_first = true;; is_first = false) {
		if (!read_number(table, &at, &change) || (!change && !is_first) ||
		    !read_number(table, &at, &length))
			return -1;
		value += change & 1 ? ~(change >> 1) : change >> 1;
		reached += (uint64_t)length * table->quantum_bytes;
		if (distance < reached)
			return (int32_t)value;
	}
}

/* The place in the table of functions of the one around @offset of the code, or that of none. */
static uint64_t function_at(const struct go_table *table, uint64_t offset)
{
	uint64_t low = 0, high = table->function_cnt;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (u32_at(table, table->functions + 8 * middle) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	/* What follows the last one is where it ends. */
	if (!low || offset >= u32_at(table, table->functions + 8 * low))
		return table->function_cnt;
	return low - 1;
}

static bool is_inlined(const struct go_table *table, uint64_t function, uint64_t distance)
{
	uint32_t list;

	if (u32_at(table, function + FIELD_TABLE_CNT) <= INLINE_TABLE)
		return false;
	list = u32_at(table, function + table->header_bytes + 4 * INLINE_TABLE);
	return list && value_at(table, list, distance) >= 0;
}

static void read_place(const struct go_table *table, uint64_t function, uint64_t distance,
		       struct go_place *place)
{
	int32_t file = value_at(table, u32_at(table, function + FIELD_FILES), distance);
	int32_t line = value_at(table, u32_at(table, function + FIELD_LINES), distance);
	uint64_t unit = u32_at(table, function + FIELD_UNIT);

	if (file < 0 || line <= 0)
		return;
	place->file =
		text_at(table, table->files + u32_at(table, table->units + 4 * (unit + file)));
	place->line = *place->file ? (uint32_t)line : 0;
}

bool go_table_find(const struct go_table *table, uint64_t address, struct go_place *place)
{
	uint64_t number, entry, function, distance;

	*place = (struct go_place){ .function = "", .file = "" };
	if (!table->bytes || address < table->text)
		return false;
	number = function_at(table, address - table->text);
	if (number == table->function_cnt)
		return false;
	entry = table->functions + 8 * number;
	distance = address - table->text - u32_at(table, entry);
	function = table->functions + u32_at(table, entry + 4);
	place->function = text_at(table, table->names + u32_at(table, function + FIELD_NAME));
	if (!is_inlined(table, function, distance))
		read_place(table, function, distance, place);
	return *place->function;
}
