/* Finds functions of Go's runtime; see go_runtime.h. */
#include "unwind/go_runtime.h"

#include <gelf.h>
#include <stdbool.h>
#include <string.h>

/* The largest Go programs have half a million symbols. */
#define SYMBOL_BYTES_MAX ((size_t)64 << 20)

/* Assembly is called through names with ".abi0" since Go 1.17. */
static const struct {
	const char *name;
	enum go_role role;
} known[] = {
	{ "runtime.mcall", GO_BEGINS },		 { "runtime.mstart", GO_BEGINS },
	{ "runtime.rt0_go", GO_BEGINS },	 { "runtime.systemstack", GO_ELSEWHERE },
	{ "runtime.morestack", GO_ELSEWHERE },	 { "runtime.asmcgocall", GO_ELSEWHERE },
	{ "runtime.cgocallback", GO_ELSEWHERE },
};

static enum go_role role_of(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = strlen(known[i].name);

		if (!strncmp(name, known[i].name, length) &&
		    (!name[length] || !strcmp(name + length, ".abi0")))
			return known[i].role;
	}
	return GO_OTHER;
}

static void take_symbol(struct go_runtime *go, const GElf_Sym *symbol, const char *name)
{
	enum go_role role = name ? role_of(name) : GO_OTHER;

	if (role == GO_OTHER || !symbol->st_size || go->function_cnt == GO_FUNCTIONS_MAX)
		return;
	go->functions[go->function_cnt++] = (struct go_function){
		.start = symbol->st_value,
		.end = symbol->st_value + symbol->st_size,
		.role = role,
	};
}

static void read_symbols(struct go_runtime *go, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = header->sh_size <= SYMBOL_BYTES_MAX ? elf_getdata(section, NULL) : NULL;
	size_t cnt = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
	GElf_Sym symbol;

	for (size_t i = 0; i < cnt && gelf_getsym(data, (int)i, &symbol); i++)
		if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC)
			take_symbol(go, &symbol, elf_strptr(elf, header->sh_link, symbol.st_name));
}

/* Its table of lines has this name, or in programs that lie anywhere one that ends in it. */
static bool is_go_section(const char *name)
{
	return name && strstr(name, ".gopclntab");
}

void go_runtime_read(struct go_runtime *go, Elf *elf)
{
	Elf_Scn *section = NULL, *symbols = NULL;
	GElf_Shdr header;
	bool is_go = false;
	size_t names;

	go->function_cnt = 0;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		is_go = is_go || is_go_section(elf_strptr(elf, names, header.sh_name));
		if (header.sh_type == SHT_SYMTAB)
			symbols = section;
	}
	if (is_go && symbols && gelf_getshdr(symbols, &header))
		read_symbols(go, elf, symbols, &header);
}

enum go_role go_runtime_role(const struct go_runtime *go, uint64_t address)
{
	for (size_t i = 0; i < go->function_cnt; i++)
		if (address >= go->functions[i].start && address < go->functions[i].end)
			return go->functions[i].role;
	return GO_OTHER;
}
