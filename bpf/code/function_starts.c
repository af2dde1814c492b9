/* See function_starts.h; the table's format is that of the Linux Standard Base. */
#include "code/function_starts.h"
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A browser has some 500,000 functions, of 8 bytes each. */
#define TABLE_BYTES_MAX ((size_t)32 << 20)
#define SEGMENTS_MAX	64

/* Version 1; pointers of 4 bytes, those of the table counted from its own beginning: as all linkers
 * write it. */
struct header {
	uint8_t version;
	uint8_t frame_encoding;
	uint8_t cnt_encoding;
	uint8_t table_encoding;
	int32_t frame;
	uint32_t cnt;
};

#define ENCODING_PC_4	 0x1b
#define ENCODING_PLAIN_4 0x03
#define ENCODING_DATA_4	 0x3b

struct entry {
	int32_t function;
	int32_t description;
};

struct function_starts {
	uint64_t base; /* what functions are counted from */
	size_t cnt;
	struct entry entries[]; /* by function */
};

static bool find_table(int fd, GElf_Phdr *table)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	bool is_found = false;
	size_t cnt = 0;

	if (elf && elf_getphdrnum(elf, &cnt))
		cnt = 0;
	for (size_t i = 0; i < cnt && i < SEGMENTS_MAX && !is_found; i++)
		is_found = gelf_getphdr(elf, (int)i, table) && table->p_type == PT_GNU_EH_FRAME;
	elf_end(elf);
	return is_found;
}

static bool is_understood(const struct header *header, size_t table_bytes)
{
	return header->version == 1 && header->frame_encoding == ENCODING_PC_4 &&
	       header->cnt_encoding == ENCODING_PLAIN_4 &&
	       header->table_encoding == ENCODING_DATA_4 &&
	       header->cnt <= (table_bytes - sizeof(*header)) / sizeof(struct entry);
}

struct function_starts *function_starts_read(int fd)
{
	struct function_starts *starts;
	struct header header;
	GElf_Phdr table;
	size_t bytes;

	if (fd < 0 || !find_table(fd, &table) || table.p_filesz < sizeof(header) ||
	    table.p_filesz > TABLE_BYTES_MAX ||
	    pread(fd, &header, sizeof(header), (off_t)table.p_offset) != sizeof(header) ||
	    !is_understood(&header, table.p_filesz))
		return NULL;
	bytes = header.cnt * sizeof(struct entry);
	starts = malloc(sizeof(*starts) + bytes);
	if (!starts)
		return NULL;
	starts->base = table.p_vaddr;
	starts->cnt = header.cnt;
	if (pread(fd, starts->entries, bytes, (off_t)(table.p_offset + sizeof(header))) ==
	    (ssize_t)bytes)
		return starts;
	free(starts);
	return NULL;
}

uint64_t function_starts_find(const struct function_starts *starts, uint64_t address)
{
	size_t low = 0, high = starts ? starts->cnt : 0;
	int64_t sought = starts ? (int64_t)(address - starts->base) : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (starts->entries[middle].function <= sought)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? starts->base + (uint64_t)(int64_t)starts->entries[low - 1].function : 0;
}
