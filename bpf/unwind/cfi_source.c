/* Opens call frame information; see cfi_source.h. */
#include "unwind/cfi_source.h"

#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The largest programs (Chromium, Node with all its parts) have 10 to 40 MB. */
#define CFI_BYTES_MAX ((size_t)256 << 20)

static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *header)
{
	size_t names;
	Elf_Scn *section = NULL;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *found;

		if (!gelf_getshdr(section, header))
			continue;
		found = elf_strptr(elf, names, header->sh_name);
		if (found && !strcmp(found, name) && header->sh_type != SHT_NOBITS)
			return section;
	}
	return NULL;
}

/* libdw searches the table with the number of entries that it states. */
static bool is_search_table_sound(Elf *elf)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(elf, ".eh_frame_hdr", &header);
	Elf_Data *data;
	uint32_t entry_cnt;
	const uint8_t *bytes;

	if (!section)
		return true;
	data = header.sh_size <= CFI_BYTES_MAX ? elf_rawdata(section, NULL) : NULL;
	if (!data || data->d_size < 12)
		return false;
	bytes = data->d_buf;
	/* Version 1, offsets of 4 bytes: what every linker writes. */
	if (bytes[0] != 1 || bytes[1] != 0x1b || bytes[2] != 0x03 || bytes[3] != 0x3b)
		return false;
	memcpy(&entry_cnt, bytes + 8, sizeof(entry_cnt));
	return entry_cnt <= (data->d_size - 12) / 8;
}

static bool is_section_sound(Elf *elf)
{
	GElf_Shdr header;

	return find_section(elf, ".eh_frame", &header) && header.sh_size <= CFI_BYTES_MAX &&
	       is_search_table_sound(elf);
}

/* Without mapping it: a file that is cut short meanwhile would end us by SIGBUS. */
void cfi_source_open(struct cfi_source *source, int fd)
{
	*source = (struct cfi_source){ 0 };
	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return;
	source->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (source->elf && elf_kind(source->elf) == ELF_K_ELF && is_section_sound(source->elf))
		source->exceptions = dwarf_getcfi_elf(source->elf);
}

void cfi_source_open_debug(struct cfi_source *source)
{
	(void)source;
}

void cfi_source_close(struct cfi_source *source)
{
	dwarf_end(source->debug_dwarf);
	elf_end(source->debug_elf);
	free(source->debug_image);
	dwarf_cfi_end(source->exceptions);
	elf_end(source->elf);
	*source = (struct cfi_source){ 0 };
}
