/* What a process has mapped to run code from, by address. */
#ifndef CLASSIFY_ADDRESS_SPACE_H
#define CLASSIFY_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More executable mappings than this are left out: the highest ones. */
#define ADDRESS_SPACE_MAPPINGS_MAX 16384

struct code_file;
struct code_files;

struct code_mapping {
	uint64_t start, end;
	uint64_t file_offset;	/* of start */
	struct code_file *file; /* NULL: anonymous memory, where compilers put code as they run */
};

struct address_space {
	pid_t pid;
	struct code_mapping *mappings; /* executable ones, by address */
	size_t mapping_cnt;
};

/*
 * Reads the maps of @pid and opens the files in it that @files doesn't have yet. May be asked again
 * of the same @space (zeroed at first) when an address is not in it. Returns 0, or -errno (-ESRCH:
 * the process is gone) and leaves @space as it was.
 */
int address_space_read(struct address_space *space, struct code_files *files, pid_t pid);

/* The mapping that @address is in, or NULL. */
const struct code_mapping *address_space_find(const struct address_space *space, uint64_t address);

/*
 * Where @address, which is in @mapping, lies as the file itself numbers addresses (an ELF file's
 * virtual addresses, which its symbols and its debug information use). False: no segment holds it.
 */
bool code_mapping_address(const struct code_mapping *mapping, uint64_t address,
			  uint64_t *file_address);

/* Reads up to @size bytes of code at @address, which is in @mapping, from its file; an address near
 * the end has less of them. Returns how many; 0 when there is no file to read. */
size_t code_mapping_read(const struct code_mapping *mapping, uint64_t address, uint8_t *bytes,
			 size_t size);

void address_space_release(struct address_space *space);

#endif
