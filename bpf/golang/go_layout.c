/* See go_layout.h. */
#include "golang/go_layout.h"
#include "code/elf_section.h"
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define SYMBOLS_MAX  (1u << 21)
#define UNITS_MAX    (1u << 16)
#define TYPES_MAX    (1u << 18)
#define MEMBERS_MAX  256
#define STRING_BYTES 16 /* a pointer and a length */

/* --- symbols --- */

static void take_symbol(const char *name, const GElf_Sym *symbol, struct go_layout *layout)
{
	if (!strcmp(name, "runtime.allgptr")) {
		layout->goroutines = symbol->st_value;
	} else if (!strcmp(name, "runtime.allglen")) {
		layout->goroutine_cnt = symbol->st_value;
	} else if (!strcmp(name, "runtime.waitReasonStrings")) {
		layout->reasons = symbol->st_value;
		layout->reason_cnt = (uint32_t)(symbol->st_size / STRING_BYTES);
	}
}

static void read_symbols(Elf *elf, struct go_layout *layout)
{
	GElf_Shdr header;
	Elf_Scn *section = elf_section_find(elf, ".symtab", &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	size_t cnt = data && header.sh_entsize ? data->d_size / header.sh_entsize : 0;

	for (size_t i = 0; i < cnt && i < SYMBOLS_MAX; i++) {
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol))
			continue;
		name = elf_strptr(elf, header.sh_link, symbol.st_name);
		if (name && name[0] == 'r')
			take_symbol(name, &symbol, layout);
	}
}

/* --- debug information --- */

/* The structure @name among the types of @unit. */
static bool find_structure(Dwarf_Die *unit, const char *name, Dwarf_Die *found)
{
	size_t cnt = 0;

	if (dwarf_child(unit, found))
		return false;
	do {
		const char *type = dwarf_diename(found);

		if (type && dwarf_tag(found) == DW_TAG_structure_type && !strcmp(type, name))
			return true;
	} while (++cnt < TYPES_MAX && !dwarf_siblingof(found, found));
	return false;
}

/* Sets @offset to where the member @name of @structure is. */
static bool find_member(Dwarf_Die *structure, const char *name, uint32_t *offset)
{
	Dwarf_Attribute attribute;
	Dwarf_Die member;
	Dwarf_Word value;
	size_t cnt = 0;

	if (dwarf_child(structure, &member))
		return false;
	do {
		const char *found = dwarf_diename(&member);

		if (!found || strcmp(found, name) != 0)
			continue;
		if (!dwarf_attr(&member, DW_AT_data_member_location, &attribute) ||
		    dwarf_formudata(&attribute, &value) || value >= GO_STRUCTURE_BYTES / 2)
			return false;
		*offset = (uint32_t)value;
		return true;
	} while (++cnt < MEMBERS_MAX && !dwarf_siblingof(&member, &member));
	return false;
}

/* Members of runtime.g, and of what is in it. */
static bool read_offsets(Dwarf_Die *unit, struct go_layout *layout)
{
	Dwarf_Die goroutine, registers, stack;
	uint32_t at_registers, at_stack;

	if (!find_structure(unit, "runtime.g", &goroutine) ||
	    !find_structure(unit, "runtime.gobuf", &registers) ||
	    !find_structure(unit, "runtime.stack", &stack) ||
	    !find_member(&goroutine, "sched", &at_registers) ||
	    !find_member(&goroutine, "stack", &at_stack) ||
	    !find_member(&goroutine, "atomicstatus", &layout->status) ||
	    !find_member(&goroutine, "goid", &layout->id) ||
	    !find_member(&goroutine, "waitreason", &layout->reason) ||
	    !find_member(&registers, "sp", &layout->sp) ||
	    !find_member(&registers, "pc", &layout->pc) ||
	    !find_member(&registers, "bp", &layout->bp) ||
	    !find_member(&stack, "hi", &layout->stack_high))
		return false;
	layout->stack_high += at_stack;
	layout->sp += at_registers;
	layout->pc += at_registers;
	layout->bp += at_registers;
	return true;
}

static bool read_debug_information(Elf *elf, struct go_layout *layout)
{
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	Dwarf_CU *unit = NULL, *next;
	bool is_found = false;
	Dwarf_Die die;

	for (size_t i = 0; dwarf && !is_found && i < UNITS_MAX; i++) {
		const char *name;

		if (dwarf_get_units(dwarf, unit, &next, NULL, NULL, &die, NULL))
			break;
		unit = next;
		name = dwarf_diename(&die);
		if (name && !strcmp(name, "runtime"))
			is_found = read_offsets(&die, layout);
	}
	dwarf_end(dwarf);
	return is_found;
}

static int read_file(Elf *elf, struct go_layout *layout)
{
	GElf_Shdr header;

	if (!elf_section_find(elf, ".go.buildinfo", &header))
		return -ENOENT;
	read_symbols(elf, layout);
	if (!layout->goroutines || !layout->goroutine_cnt || !layout->reasons)
		return -ENOTSUP;
	return read_debug_information(elf, layout) ? 0 : -ENOTSUP;
}

int go_layout_read(int fd, struct go_layout *layout)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	int error = elf && elf_kind(elf) == ELF_K_ELF ? 0 : -ENOENT;

	*layout = (struct go_layout){ 0 };
	if (!error)
		error = read_file(elf, layout);
	elf_end(elf);
	return error;
}
