/* Opens call frame information; see cfi_source.h. */
#include "unwind/cfi_source.h"

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char image_names[] = "\0.debug_frame\0.shstrtab";

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

/* Go compresses it. Returns NULL when it would be larger than it may be, too. */
static Elf_Data *uncompressed(Elf_Scn *section, const GElf_Shdr *header)
{
	GElf_Chdr compressed;

	if (header->sh_size > CFI_BYTES_MAX)
		return NULL;
	if (!(header->sh_flags & SHF_COMPRESSED))
		return elf_rawdata(section, NULL);
	if (!gelf_getchdr(section, &compressed) || compressed.ch_size > CFI_BYTES_MAX ||
	    elf_compress(section, 0, 0) < 0)
		return NULL;
	return elf_getdata(section, NULL);
}

/* A file in memory with .debug_frame alone: libdw would read all debug information of the real one,
 * which may have gigabytes. */
struct image {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3];
	char names[sizeof(image_names)];
	uint8_t bytes[];
};

static void fill_image(struct image *image, const Elf_Data *data)
{
	image->header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shoff = offsetof(struct image, sections),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	image->sections[1] = (Elf64_Shdr){ .sh_name = 1,
					   .sh_type = SHT_PROGBITS,
					   .sh_offset = offsetof(struct image, bytes),
					   .sh_size = data->d_size,
					   .sh_addralign = 1 };
	image->sections[2] = (Elf64_Shdr){ .sh_name = sizeof("\0.debug_frame"),
					   .sh_type = SHT_STRTAB,
					   .sh_offset = offsetof(struct image, names),
					   .sh_size = sizeof(image->names),
					   .sh_addralign = 1 };
	memcpy(image->names, image_names, sizeof(image_names));
	memcpy(image->bytes, data->d_buf, data->d_size);
}

static void open_image(struct cfi_source *source, const Elf_Data *data)
{
	size_t size = sizeof(struct image) + data->d_size;
	struct image *image = calloc(1, size);

	if (!image)
		return;
	fill_image(image, data);
	source->debug_image = image;
	source->debug_elf = elf_memory((char *)image, size);
	source->debug_dwarf = dwarf_begin_elf(source->debug_elf, DWARF_C_READ, NULL);
	if (source->debug_dwarf)
		source->debug = dwarf_getcfi(source->debug_dwarf);
}

void cfi_source_open_debug(struct cfi_source *source, int fd)
{
	GElf_Shdr header;
	Elf_Scn *section;
	Elf_Data *data;
	Elf *elf;

	if (source->is_debug_sought || fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return;
	source->is_debug_sought = true;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	section = elf && elf_kind(elf) == ELF_K_ELF ? find_section(elf, ".debug_frame", &header)
						    : NULL;
	data = section ? uncompressed(section, &header) : NULL;
	if (data && data->d_buf && data->d_size)
		open_image(source, data);
	elf_end(elf);
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
