/* Reads program headers; see elf_segments.h. */
#include "code/elf_segments.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "code/code_file.h"

/* More program headers than any real file has. */
#define HEADERS_MAX 256

static bool read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, bytes, size, (off_t)offset) == (ssize_t)size;
}

static bool is_for_this_machine(const Elf64_Ehdr *header)
{
	return header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_machine == EM_X86_64;
}

static void take_segment(struct code_file *file, const Elf64_Phdr *header)
{
	if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || !header->p_filesz ||
	    header->p_offset + header->p_filesz < header->p_offset ||
	    file->segment_cnt == CODE_SEGMENTS_MAX)
		return;
	file->segments[file->segment_cnt++] = (struct code_segment){
		.offset = header->p_offset,
		.size = header->p_filesz,
		.address = header->p_vaddr,
	};
}

const char *elf_segments_read(struct code_file *file)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	file->segment_cnt = 0;
	if (!read_at(file->fd, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return "it is no ELF file";
	if (!is_for_this_machine(&header))
		return "it is for another kind of machine";
	if (header.e_phentsize != sizeof(segment))
		return "its program headers are corrupt";
	file->entry = header.e_entry;
	for (size_t i = 0; i < header.e_phnum && i < HEADERS_MAX; i++) {
		if (!read_at(file->fd, &segment, sizeof(segment),
			     header.e_phoff + i * sizeof(segment)))
			break;
		take_segment(file, &segment);
	}
	return file->segment_cnt ? NULL : "it has no segment with code";
}
