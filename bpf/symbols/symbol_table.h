/* The functions that a file's symbol tables name (.symtab, .gnu_debugdata, .dynsym), by address. */
#ifndef CLASSIFY_SYMBOL_TABLE_H
#define CLASSIFY_SYMBOL_TABLE_H

#include <elfutils/libdwfl.h>
#include <stdint.h>
#include "symbols/range_map.h"

struct symbol_table {
	struct range_map sized;	  /* their values are places in names */
	struct range_map unsized; /* assembly that didn't say how long it is */
	const char **names;	  /* in the module's memory */
	size_t cnt;
};

/* Fills @table (zeroed) from @module, which lies at bias 0 and outlives it. Only what is in @code,
 * the executable parts, is taken. */
void symbol_table_read(struct symbol_table *table, Dwfl_Module *module, struct range_map *code);

/* The name of the function at @address as the table spells it, or NULL; of several at one place the
 * one that people know. */
const char *symbol_table_find(struct symbol_table *table, uint64_t address);

void symbol_table_release(struct symbol_table *table);

#endif
