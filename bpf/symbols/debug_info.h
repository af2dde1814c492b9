/*
 * What debug information says of an address: functions, inlined ones too, files and lines. Units
 * are found by an index over the ranges of all, which is made once for each file: clang, Go and
 * Rust leave .debug_aranges out. Each unit is read when an address in it is asked for.
 */
#ifndef CLASSIFY_DEBUG_INFO_H
#define CLASSIFY_DEBUG_INFO_H

#include <elfutils/libdw.h>
#include "symbols/range_map.h"
#include "symbols/symbols.h"
#include "symbols/texts.h"

struct debug_info;

/* @bias is what has to be added to its addresses to get the file's own, @directory where the file
 * is.
 * @code (executable parts of the file), @texts and @dwarf outlive it. NULL when out of memory. */
struct debug_info *debug_info_new(Dwarf *dwarf, Dwarf_Addr bias, const char *directory,
				  struct range_map *code, struct string_pool *texts);
void debug_info_free(struct debug_info *info);

/*
 * Fills @found, the innermost first. Returns how many: 0 when it knows nothing of @address. Without
 * an entry of the function there is one with file and line only.
 */
size_t debug_info_find(struct debug_info *info, uint64_t address,
		       struct symbol found[SYMBOL_INLINED_MAX]);

#endif
