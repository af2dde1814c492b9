/* See elf_section.h. */
#include "code/elf_section.h"
#include <stddef.h>
#include <string.h>

Elf_Scn *elf_section_find(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL, *found = NULL;
	GElf_Shdr candidate;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *its_name;

		if (!gelf_getshdr(section, &candidate))
			continue;
		its_name = elf_strptr(elf, names, candidate.sh_name);
		if (!its_name || strcmp(its_name, name) != 0)
			continue;
		if (found)
			return NULL;
		found = section;
		*header = candidate;
	}
	return found;
}
