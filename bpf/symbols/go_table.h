/*
 * The table of functions and lines that every Go program carries for its own tracebacks
 * (.gopclntab), which is left when symbols and debug information are stripped.
 */
#ifndef CLASSIFY_GO_TABLE_H
#define CLASSIFY_GO_TABLE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct go_table {
	const uint8_t *bytes; /* in the memory of the file's libelf handle; NULL: there is none */
	size_t byte_cnt;
	uint64_t text; /* where the program's code begins, at which its functions count from 0 */
	uint64_t function_cnt;
	uint64_t names, units, files, values, functions; /* where its parts begin */
	unsigned int quantum_bytes;			 /* instructions are multiples of this */
	unsigned int header_bytes;			 /* of a function */
};

struct go_place {
	const char *function;
	const char *file; /* "" if not told */
	uint32_t line;	  /* 0: not told */
};

/* Finds the table in @elf, as Go 1.18 and later write it. */
void go_table_read(struct go_table *table, Elf *elf);

/* The same of the bytes of a table, in @table already, of a program whose code begins at
 * table->text. */
void go_table_read_bytes(struct go_table *table);

/*
 * Finds what is at @address; false if the table has nothing there. Where another function is
 * inlined file and line are its own and not those of the function, so they are not told.
 */
bool go_table_find(const struct go_table *table, uint64_t address, struct go_place *place);

#endif
