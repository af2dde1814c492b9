/* What an entry of debug information is called and where it is written. */
#ifndef CLASSIFY_DEBUG_NAMES_H
#define CLASSIFY_DEBUG_NAMES_H

#include <elfutils/libdw.h>
#include "symbols/debug_entries.h"
#include "symbols/symbols.h"
#include "symbols/texts.h"

/* The language of the unit whose own entry is @unit. */
enum frame_language debug_language(Dwarf_Die *unit);

/* The text of the attribute @name of @entry or of what it is made from; NULL if it has none. */
const char *debug_text(Dwarf_Die *entry, unsigned int name);

/* The readable name of the function @entry; "" if it has none. @entries are of the unit whose own
 * entry is @unit. */
const char *debug_function_name(Dwarf_Die *entry, enum frame_language language, Dwarf_Die *unit,
				const struct debug_entries *entries, struct string_pool *texts);

/* @path made absolute by the directory that @unit was compiled in, without . and .. */
const char *debug_path(const char *path, Dwarf_Die *unit, struct string_pool *texts);

#endif
