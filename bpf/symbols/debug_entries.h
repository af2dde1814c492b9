/*
 * The entries of one unit of debug information that matter for naming code, found in one pass over
 * its bytes. libdw walks a unit anew for each address; this is 20 to 100 times as fast.
 */
#ifndef CLASSIFY_DEBUG_ENTRIES_H
#define CLASSIFY_DEBUG_ENTRIES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_ENTRY UINT32_MAX

enum debug_entry_kind {
	ENTRY_OTHER = 0,   /* not kept */
	ENTRY_CODE = 1,	   /* a function that has code */
	ENTRY_INLINED = 2, /* a function inlined into another */
	ENTRY_SCOPE = 3,   /* namespaces, types and functions without code: parts of names */
};

struct debug_entry {
	uint32_t offset; /* from the unit's own entry */
	uint32_t parent; /* the kept entry around it, or NO_ENTRY */
	uint16_t depth;
	uint8_t kind;
};

struct debug_entries {
	struct debug_entry *items; /* in the order of the file: outer ones before inner ones */
	size_t cnt, room_cnt;
};

/* Fills @entries (zeroed) from the unit whose own entry is @unit. What follows a corrupt place is
 * left out. */
void debug_entries_read(struct debug_entries *entries, Dwarf_Die *unit);

/* The entry at @offset, or NO_ENTRY. */
uint32_t debug_entries_find(const struct debug_entries *entries, uint64_t offset);

/* Sets @die to the entry at place @number, of the unit whose own entry is @unit. */
bool debug_entry_die(const struct debug_entries *entries, Dwarf_Die *unit, uint32_t number,
		     Dwarf_Die *die);

void debug_entries_release(struct debug_entries *entries);

#endif
