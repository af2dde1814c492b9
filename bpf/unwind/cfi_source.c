/* Opens call frame information; see cfi_source.h. */
#include "unwind/cfi_source.h"
#include "code/elf_section.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Of .eh_frame_hdr. */
#define TABLE_AT   12
#define PAIR_BYTES 8

static const char image_names[] = "\0.debug_frame\0.shstrtab";

/* The largest programs (Chromium, Node with all its parts) have 10 to 40 MB. */
#define CFI_BYTES_MAX ((size_t)256 << 20)

/* The section @name, if it has contents that are worth reading. */
static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = elf_section_find(elf, name, header);

	return section && header->sh_type != SHT_NOBITS && header->sh_size <= CFI_BYTES_MAX
		       ? section
		       : NULL;
}

static int32_t read_int32(const uint8_t *bytes)
{
	int32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* What every linker writes: version 1, all of 4 bytes, relative to where it is or to the section.
 * With another one, true but no table: libdw doesn't use it either. */
static bool take_table(struct cfi_source *source, const Elf_Data *data, uint64_t address)
{
	const uint8_t *bytes = data->d_buf;
	struct cfi_table *table = &source->table;

	if (data->d_size < 4 || bytes[0] != 1)
		return false;
	/* Linkers leave the table out when they don't understand a section of their input. */
	if (bytes[2] == DW_EH_PE_omit || bytes[3] == DW_EH_PE_omit)
		return true;
	if (bytes[1] != (DW_EH_PE_pcrel | DW_EH_PE_sdata4) || bytes[2] != DW_EH_PE_udata4 ||
	    bytes[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4) || data->d_size < TABLE_AT)
		return false;
	table->header_address = address;
	table->pairs = bytes + TABLE_AT;
	table->pair_cnt = (uint32_t)read_int32(bytes + 8);
	return table->pair_cnt <= (data->d_size - TABLE_AT) / PAIR_BYTES &&
	       address + 4 + (uint64_t)read_int32(bytes + 4) == table->section_address;
}

/* False: what is there isn't to be used at all. */
static bool read_table(struct cfi_source *source, Elf_Scn *section)
{
	GElf_Shdr header;
	Elf_Scn *table = find_section(source->elf, ".eh_frame_hdr", &header);
	Elf_Data *data = table ? elf_rawdata(table, NULL) : NULL;

	if (!table)
		return true;
	/* libdw takes the one that comes first in the file. */
	return data && data->d_buf && elf_ndxscn(table) < elf_ndxscn(section) &&
	       take_table(source, data, header.sh_addr);
}

static bool is_sound(struct cfi_source *source)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(source->elf, ".eh_frame", &header);
	Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;

	if (!data || !data->d_buf)
		return false;
	source->check = (struct cfi_check){
		.ident = (const unsigned char *)elf_getident(source->elf, NULL),
		.data = data,
		.is_exceptions = true,
	};
	source->table.section_address = header.sh_addr;
	if (!source->check.ident || !read_table(source, section))
		return false;
	/* Without a table libdw reads all of it from the start. */
	return source->table.pair_cnt || cfi_check_all(&source->check);
}

/* Without mapping it: a file that is cut short meanwhile would end us by SIGBUS. */
void cfi_source_open(struct cfi_source *source, int fd)
{
	*source = (struct cfi_source){ 0 };
	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return;
	source->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (source->elf && elf_kind(source->elf) == ELF_K_ELF && is_sound(source))
		source->exceptions = dwarf_getcfi_elf(source->elf);
}

/* The same search as libdw's: both have to come to the same entry. */
static bool find_entry(const struct cfi_table *table, uint64_t address, Dwarf_Off *offset)
{
	size_t low = 0, high = table->pair_cnt;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const uint8_t *pair = table->pairs + middle * PAIR_BYTES;

		if (address < table->header_address + (uint64_t)read_int32(pair)) {
			high = middle;
			continue;
		}
		low = middle + 1;
		if (low < table->pair_cnt &&
		    address >= table->header_address + (uint64_t)read_int32(pair + PAIR_BYTES))
			continue;
		*offset = table->header_address + (uint64_t)read_int32(pair + 4) -
			  table->section_address;
		return true;
	}
	return false;
}

Dwarf_CFI *cfi_source_exceptions(struct cfi_source *source, uint64_t address)
{
	Dwarf_Off offset;

	if (!source->exceptions || !source->table.pair_cnt)
		return source->exceptions;
	return find_entry(&source->table, address, &offset) &&
			       cfi_check_entry(&source->check, offset)
		       ? source->exceptions
		       : NULL;
}

/* Go compresses it. Returns NULL when it would be larger than it may be, too. */
static Elf_Data *uncompressed(Elf_Scn *section, const GElf_Shdr *header)
{
	GElf_Chdr compressed;

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
	Elf_Data bytes = { .d_size = data->d_size };
	struct cfi_check check = { .data = &bytes };

	if (!image)
		return;
	fill_image(image, data);
	bytes.d_buf = image->bytes;
	check.ident = image->header.e_ident;
	source->debug_image = image;
	if (!cfi_check_all(&check))
		return;
	source->debug_elf = elf_memory((char *)image, size);
	source->debug_dwarf = dwarf_begin_elf(source->debug_elf, DWARF_C_READ, NULL);
	if (source->debug_dwarf)
		source->debug = dwarf_getcfi(source->debug_dwarf);
}

static void open_debug(struct cfi_source *source, Elf *elf)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(elf, ".debug_frame", &header);
	Elf_Data *data = section ? uncompressed(section, &header) : NULL;

	if (data && data->d_buf && data->d_size)
		open_image(source, data);
}

Dwarf_CFI *cfi_source_debug(struct cfi_source *source, int fd)
{
	Elf *elf;

	if (source->is_debug_sought || fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return source->debug;
	source->is_debug_sought = true;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		open_debug(source, elf);
	elf_end(elf);
	return source->debug;
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
