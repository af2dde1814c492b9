/* Finds symbols in the target's ELF files; see elf_symbol.h. */
#include "elf_symbol.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps.h"

/* The largest libpython with debug info is under 60 MB; a browser's symbol table under 64 MB. */
#define FILE_BYTES_MAX	  (4ULL << 30)
#define SECTION_BYTES_MAX (64ULL << 20)
#define SEGMENTS_MAX	  64

static int open_regular(const char *path)
{
	struct stat status;
	/* O_NONBLOCK: a hostile target may have put a FIFO there. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode) ||
	    (uint64_t)status.st_size > FILE_BYTES_MAX) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/*
 * map_files names exactly what is mapped, deleted files too, but needs rights that an ordinary
 * user lacks. The path seen from the target's root is right as long as nobody replaced the file.
 */
static int open_mapped(pid_t pid, const struct mapped_file *file)
{
	char path[4096 + 64];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", (int)pid, file->start,
		 file->end);
	int fd = open_regular(path);

	if (fd >= 0)
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, file->path) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	return open_regular(path);
}

/* What the loader added to the file's own addresses, from the segment that the mapping shows: the
 * last that begins at or before it, as segments may share a page. */
static bool load_bias(Elf *elf, const struct mapped_file *file, uint64_t *bias)
{
	bool is_found = false;
	GElf_Phdr segment;
	size_t cnt = 0;

	if (elf_getphdrnum(elf, &cnt))
		return false;
	for (size_t i = 0; i < cnt && i < SEGMENTS_MAX; i++) {
		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD)
			continue;

		/* The mapping begins at the page that holds the segment's first byte. */
		uint64_t page = segment.p_offset & ~4095ULL;

		if (file->offset < page || file->offset - page >= segment.p_filesz + 4096)
			continue;
		*bias = file->start - (segment.p_vaddr - segment.p_offset + file->offset);
		is_found = true;
	}
	return is_found;
}

static void match(struct elf_symbol *symbols, size_t cnt, const char *name, uint64_t value)
{
	for (size_t i = 0; i < cnt; i++)
		if (!symbols[i].address && !strcmp(symbols[i].name, name))
			symbols[i].address = value;
}

/* Returns NULL when there is none, or more than can be believed. */
static Elf_Data *bounded_data(Elf_Scn *section)
{
	GElf_Shdr header;
	Elf_Data *data;

	if (!section || !gelf_getshdr(section, &header) || header.sh_size > SECTION_BYTES_MAX)
		return NULL;
	data = elf_getdata(section, NULL);
	return data && data->d_buf && data->d_size ? data : NULL;
}

static void scan_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
		       struct elf_symbol *symbols, size_t cnt)
{
	const Elf_Data *names = bounded_data(elf_getscn(elf, header->sh_link));
	Elf_Data *table = bounded_data(section);
	GElf_Sym symbol;

	/* elf_strptr() would look for the end of each name again, from the section's end on. */
	if (!table || !names || ((const char *)names->d_buf)[names->d_size - 1] != '\0')
		return;
	for (int i = 0; gelf_getsym(table, i, &symbol); i++)
		if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < names->d_size)
			match(symbols, cnt, (const char *)names->d_buf + symbol.st_name,
			      symbol.st_value);
}

static bool is_all_found(const struct elf_symbol *symbols, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (!symbols[i].address)
			return false;
	return true;
}

/* Files have one table of each type. A hostile one may have thousands of headers, all of the same
 * 64 MiB: those after the first are not read. */
static Elf_Scn *find_table(Elf *elf, GElf_Word type)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == type)
			return section;
	return NULL;
}

static void scan_table_of_type(Elf *elf, GElf_Word type, struct elf_symbol *symbols, size_t cnt)
{
	Elf_Scn *section = find_table(elf, type);
	GElf_Shdr header;

	if (section && gelf_getshdr(section, &header))
		scan_table(elf, section, &header, symbols, cnt);
}

static void find_in_elf(Elf *elf, const struct mapped_file *file, struct elf_symbol *symbols,
			size_t cnt, bool in_symtab)
{
	uint64_t bias;

	if (elf_kind(elf) != ELF_K_ELF || !load_bias(elf, file, &bias))
		return;
	scan_table_of_type(elf, SHT_DYNSYM, symbols, cnt);
	if (in_symtab && !is_all_found(symbols, cnt))
		scan_table_of_type(elf, SHT_SYMTAB, symbols, cnt);
	for (size_t i = 0; i < cnt; i++)
		if (symbols[i].address)
			symbols[i].address += bias;
}

/*
 * Counts that don't fit the header stand in the first section header, 32 bits wide, and libelf
 * allocates what they say. No program has 65,000 sections or segments.
 */
static bool has_plain_counts(int fd)
{
	Elf64_Ehdr header;

	return pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
	       header.e_ident[EI_CLASS] == ELFCLASS64 && (header.e_shnum || !header.e_shoff) &&
	       header.e_phnum != PN_XNUM;
}

/* Opens the file behind @file; NULL, or an Elf and its descriptor in @fd. */
static Elf *open_elf(pid_t pid, const struct mapped_file *file, int *fd)
{
	Elf *elf;

	if (elf_version(EV_CURRENT) == EV_NONE) {
		*fd = -ENOTSUP;
		return NULL;
	}
	*fd = open_mapped(pid, file);
	if (*fd < 0)
		return NULL;
	/* Read, not mapped: the target may truncate the file under our feet. */
	elf = has_plain_counts(*fd) ? elf_begin(*fd, ELF_C_READ, NULL) : NULL;
	if (!elf) {
		close(*fd);
		*fd = 0;
	}
	return elf;
}

int elf_symbols_find(pid_t pid, const struct mapped_file *file, struct elf_symbol *symbols,
		     size_t cnt, bool in_symtab)
{
	Elf *elf;
	int fd;

	for (size_t i = 0; i < cnt; i++)
		symbols[i].address = 0;
	elf = open_elf(pid, file, &fd);
	if (!elf)
		return fd;
	find_in_elf(elf, file, symbols, cnt, in_symtab);
	elf_end(elf);
	close(fd);
	return 0;
}

/* Is the file's own @address in one of its writable segments, zeroed data included? */
static bool is_in_data(Elf *elf, uint64_t address)
{
	GElf_Phdr segment;
	size_t cnt = 0;

	if (elf_getphdrnum(elf, &cnt))
		return false;
	for (size_t i = 0; i < cnt && i < SEGMENTS_MAX; i++)
		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD &&
		    segment.p_flags & PF_W && address >= segment.p_vaddr &&
		    address - segment.p_vaddr < segment.p_memsz)
			return true;
	return false;
}

static bool is_variable(const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && (type == STT_OBJECT || type == STT_COMMON);
}

/* The smallest variable that holds place->in_file. Returns whether there is such a table. */
static bool variable_in_table(Elf *elf, GElf_Word type, struct elf_place *place)
{
	Elf_Scn *section = find_table(elf, type);
	uint64_t best = UINT64_MAX;
	const Elf_Data *names;
	GElf_Shdr header;
	GElf_Sym symbol;
	Elf_Data *table;

	if (!section || !gelf_getshdr(section, &header))
		return false;
	names = bounded_data(elf_getscn(elf, header.sh_link));
	table = bounded_data(section);
	if (!table || !names || ((const char *)names->d_buf)[names->d_size - 1] != '\0')
		return false;
	for (int i = 0; gelf_getsym(table, i, &symbol); i++) {
		if (!is_variable(&symbol) || symbol.st_name >= names->d_size ||
		    place->in_file < symbol.st_value || symbol.st_size >= best ||
		    place->in_file - symbol.st_value >= symbol.st_size)
			continue;
		best = symbol.st_size;
		place->in_symbol = place->in_file - symbol.st_value;
		snprintf(place->symbol, sizeof(place->symbol), "%s",
			 (const char *)names->d_buf + symbol.st_name);
	}
	return true;
}

bool elf_symbol_at(pid_t pid, const struct mapped_file *file, uint64_t address,
		   struct elf_place *place)
{
	uint64_t bias;
	bool is_data;
	int fd;
	Elf *elf = open_elf(pid, file, &fd);

	memset(place, 0, sizeof(*place));
	if (!elf)
		return false;
	is_data = elf_kind(elf) == ELF_K_ELF && load_bias(elf, file, &bias) &&
		  is_in_data(elf, address - bias);
	if (is_data) {
		place->in_file = address - bias;
		if (!variable_in_table(elf, SHT_SYMTAB, place))
			variable_in_table(elf, SHT_DYNSYM, place);
	}
	elf_end(elf);
	close(fd);
	return is_data;
}
