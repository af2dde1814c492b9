/*
 * Where a symbol of a mapped ELF file lies in a process's memory. The file is the target's and may
 * be anything: each size is bounded, and what does not fit is "not found".
 */
#ifndef CLASSIFY_ELF_SYMBOL_H
#define CLASSIFY_ELF_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapped_file;

struct elf_symbol {
	const char *name;
	uint64_t address; /* in the process; 0: not found */
};

/*
 * Looks for the @cnt symbols (addresses zeroed first) in .dynsym of @file as mapped by @pid, then,
 * if @in_symtab, in .symtab, which may take milliseconds; works across mount namespaces and, with
 * enough rights, for deleted files. Returns 0 or -errno when the file cannot be read; what is not
 * found keeps address 0.
 */
int elf_symbols_find(pid_t pid, const struct mapped_file *file, struct elf_symbol *symbols,
		     size_t cnt, bool in_symtab);

/* What a file has at an address: bounded, untrusted bytes. */
struct elf_place {
	char symbol[128];   /* the variable that holds it; "" if none is known */
	uint64_t in_symbol; /* bytes from the variable's beginning */
	uint64_t in_file;   /* the address as the file itself numbers them, as addr2line takes it */
};

/*
 * Looks for the variable at @address in .symtab, or where there is none in .dynsym, of @file as
 * mapped by @pid; @file may be any of its mappings. Returns false when the file can't be read, is
 * no ELF file, or has no writable segment there.
 */
bool elf_symbol_at(pid_t pid, const struct mapped_file *file, uint64_t address,
		   struct elf_place *place);

#endif
