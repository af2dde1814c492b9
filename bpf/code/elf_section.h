/* Sections of an ELF file by their names, which are untrusted as all of it. */
#ifndef CLASSIFY_ELF_SECTION_H
#define CLASSIFY_ELF_SECTION_H

#include <gelf.h>

/* The only section of @elf that is called @name, and its @header; NULL if there is none, or more
 * than one. */
Elf_Scn *elf_section_find(Elf *elf, const char *name, GElf_Shdr *header);

#endif
