/* One pass over the bytes of a unit, guided by its table of abbreviations; see debug_entries.h. */
#include "symbols/debug_entries.h"
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#define CODE_MAX  65535 /* of abbreviations: compilers number them from 1 */
#define FORM_MAX  128	/* attributes of one abbreviation; compilers use up to about 20 */
#define DEPTH_MAX 256

#define STEP_BYTES (1u << 31)

struct abbreviation {
	uint32_t step_first; /* in scan.steps */
	uint16_t step_cnt;
	uint8_t kind;
	bool is_known, has_children;
};

struct scan {
	struct debug_entries *entries;
	const uint8_t *start, *at, *end;
	unsigned int address_bytes, offset_bytes, ref_addr_bytes;
	struct abbreviation *abbreviations; /* by code */
	size_t abbreviation_cnt;
	uint32_t *steps; /* over attributes: forms, or STEP_BYTES and a length */
	size_t step_cnt, step_room_cnt;
	uint32_t parents[DEPTH_MAX];
};

static enum debug_entry_kind kind_of(unsigned int tag, bool has_code)
{
	switch (tag) {
	case DW_TAG_subprogram:
		return has_code ? ENTRY_CODE : ENTRY_SCOPE;
	case DW_TAG_inlined_subroutine:
		return ENTRY_INLINED;
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type:
		return ENTRY_SCOPE;
	default:
		return ENTRY_OTHER;
	}
}

/* The bytes of a form whose length is always the same; -1 for others. */
static int fixed_bytes(const struct scan *scan, unsigned int form)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return scan->address_bytes;
	case DW_FORM_ref_addr:
		return scan->ref_addr_bytes;
	case DW_FORM_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_line_strp:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return scan->offset_bytes;
	default:
		return -1;
	}
}

/* Adds a step over @form to those of @known; lengths that follow each other are one. */
static bool add_step(struct scan *scan, struct abbreviation *known, unsigned int form)
{
	int bytes = fixed_bytes(scan, form);

	if (bytes >= 0 && known->step_cnt && scan->steps[scan->step_cnt - 1] & STEP_BYTES) {
		scan->steps[scan->step_cnt - 1] += bytes;
		return true;
	}
	if (scan->step_cnt == scan->step_room_cnt) {
		size_t room_cnt = scan->step_room_cnt ? 2 * scan->step_room_cnt : 1024;
		void *steps = realloc(scan->steps, room_cnt * sizeof(*scan->steps));

		if (!steps)
			return false;
		scan->steps = steps;
		scan->step_room_cnt = room_cnt;
	}
	scan->steps[scan->step_cnt++] = bytes >= 0 ? STEP_BYTES | bytes : form & ~STEP_BYTES;
	known->step_cnt++;
	return true;
}

static bool add_abbreviation(struct scan *scan, Dwarf_Abbrev *abbrev)
{
	struct abbreviation *known = &scan->abbreviations[dwarf_getabbrevcode(abbrev)];
	unsigned int name, form;
	bool has_code = false;
	size_t cnt = 0;

	*known = (struct abbreviation){ .step_first = (uint32_t)scan->step_cnt };
	/* Up to its end: dwarf_getattrcnt of libdw 0.188 counts too many in DWARF 5. */
	while (cnt <= FORM_MAX &&
	       dwarf_getabbrevattr_data(abbrev, cnt, &name, &form, NULL, NULL) == 0) {
		if (!add_step(scan, known, form))
			return false;
		has_code |= name == DW_AT_low_pc || name == DW_AT_ranges;
		cnt++;
	}
	known->kind = (uint8_t)kind_of(dwarf_getabbrevtag(abbrev), has_code);
	known->has_children = dwarf_abbrevhaschildren(abbrev) > 0;
	known->is_known = cnt <= FORM_MAX;
	return known->is_known;
}

static bool read_abbreviations(struct scan *scan, Dwarf_Die *unit)
{
	size_t offset = 0, len = 0;
	Dwarf_Abbrev *abbrev;

	scan->abbreviations = calloc(CODE_MAX + 1, sizeof(*scan->abbreviations));
	while (scan->abbreviations && (abbrev = dwarf_getabbrev(unit, offset, &len)) != NULL) {
		if (abbrev == DWARF_END_ABBREV)
			return true;
		if (dwarf_getabbrevcode(abbrev) > CODE_MAX || !add_abbreviation(scan, abbrev))
			return false;
		offset += len;
	}
	return false;
}

static bool skip(struct scan *scan, uint64_t bytes)
{
	if (bytes > (uint64_t)(scan->end - scan->at))
		return false;
	scan->at += bytes;
	return true;
}

static bool read_number(struct scan *scan, uint64_t *number)
{
	*number = 0;
	for (unsigned int shift = 0; scan->at < scan->end; shift += 7) {
		uint8_t byte = *scan->at++;

		if (shift < 64)
			*number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool skip_block(struct scan *scan, unsigned int len_bytes)
{
	uint64_t len = 0;

	if (len_bytes > (uint64_t)(scan->end - scan->at))
		return false;
	for (unsigned int i = 0; i < len_bytes; i++)
		len |= (uint64_t)scan->at[i] << 8 * i;
	return skip(scan, len_bytes + len);
}

static bool skip_form(struct scan *scan, unsigned int form);

/* The form is among the data, which no compiler does but assembly may. */
static bool skip_indirect(struct scan *scan, uint64_t form)
{
	int bytes = form <= UINT16_MAX ? fixed_bytes(scan, (unsigned int)form) : -1;

	if (form > UINT16_MAX || form == DW_FORM_indirect || form == DW_FORM_implicit_const)
		return false;
	return bytes >= 0 ? skip(scan, bytes) : skip_form(scan, (unsigned int)form);
}

static bool skip_form(struct scan *scan, unsigned int form)
{
	uint64_t number;

	switch (form) {
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		return read_number(scan, &number);
	case DW_FORM_string: {
		const uint8_t *zero = memchr(scan->at, 0, scan->end - scan->at);

		return zero && skip(scan, zero + 1 - scan->at);
	}
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return read_number(scan, &number) && skip(scan, number);
	case DW_FORM_block1:
		return skip_block(scan, 1);
	case DW_FORM_block2:
		return skip_block(scan, 2);
	case DW_FORM_block4:
		return skip_block(scan, 4);
	case DW_FORM_indirect:
		return read_number(scan, &number) && skip_indirect(scan, number);
	default:
		return false;
	}
}

static bool keep(struct scan *scan, const struct abbreviation *known, size_t offset, size_t depth)
{
	struct debug_entries *entries = scan->entries;

	if (entries->cnt == entries->room_cnt) {
		size_t room_cnt = entries->room_cnt ? 2 * entries->room_cnt : 256;
		void *items = realloc(entries->items, room_cnt * sizeof(*entries->items));

		if (!items)
			return false;
		entries->items = items;
		entries->room_cnt = room_cnt;
	}
	entries->items[entries->cnt++] =
		(struct debug_entry){ .offset = (uint32_t)offset,
				      .parent = depth ? scan->parents[depth - 1] : NO_ENTRY,
				      .depth = (uint16_t)depth,
				      .kind = known->kind };
	return true;
}

/* Reads one entry at @depth. False: the data ends or is corrupt. */
static bool read_entry(struct scan *scan, size_t *depth)
{
	size_t offset = scan->at - scan->start;
	const struct abbreviation *known;
	uint64_t code;

	if (!read_number(scan, &code) || code > CODE_MAX)
		return false;
	if (!code)
		return *depth && --*depth;
	known = &scan->abbreviations[code];
	if (!known->is_known || (known->kind && !keep(scan, known, offset, *depth)))
		return false;
	for (size_t i = 0; i < known->step_cnt; i++) {
		uint32_t step = scan->steps[known->step_first + i];

		if (!(step & STEP_BYTES ? skip(scan, step & ~STEP_BYTES) : skip_form(scan, step)))
			return false;
	}
	if (!known->has_children)
		return *depth > 0;
	if (*depth >= DEPTH_MAX)
		return false;
	if (known->kind)
		scan->parents[*depth] = (uint32_t)scan->entries->cnt - 1;
	else
		scan->parents[*depth] = *depth ? scan->parents[*depth - 1] : NO_ENTRY;
	++*depth;
	return true;
}

/* Sets where the bytes of @unit end; false if that is beyond its section. */
static bool find_end(struct scan *scan, Dwarf_Die *unit)
{
	Dwarf *dwarf = dwarf_cu_getdwarf(unit->cu);
	Dwarf_Off offset = dwarf_dieoffset(unit), next;
	Dwarf_Off begin = offset - dwarf_cuoffset(unit);
	Dwarf_Die last;

	if (dwarf_next_unit(dwarf, begin, &next, NULL, NULL, NULL, NULL, NULL, NULL, NULL) != 0)
		return false;
	/* Also asks libdw whether the section is that long. */
	if (next <= offset || next - offset > UINT32_MAX || !dwarf_offdie(dwarf, next - 1, &last))
		return false;
	scan->end = scan->start + (next - offset);
	return true;
}

void debug_entries_read(struct debug_entries *entries, Dwarf_Die *unit)
{
	struct scan scan = { .entries = entries, .start = unit->addr, .at = unit->addr };
	uint8_t address_bytes, offset_bytes;
	Dwarf_Half version;
	Dwarf_Die own;
	size_t depth = 0;

	if (!dwarf_cu_die(unit->cu, &own, &version, NULL, &address_bytes, &offset_bytes, NULL,
			  NULL))
		return;
	scan.address_bytes = address_bytes;
	scan.offset_bytes = offset_bytes;
	scan.ref_addr_bytes = version < 3 ? address_bytes : offset_bytes;
	if (find_end(&scan, unit) && read_abbreviations(&scan, unit))
		while (read_entry(&scan, &depth))
			;
	free(scan.abbreviations);
	free(scan.steps);
}

uint32_t debug_entries_find(const struct debug_entries *entries, uint64_t offset)
{
	size_t low = 0, high = entries->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entries->items[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < entries->cnt && entries->items[low].offset == offset ? (uint32_t)low
									  : NO_ENTRY;
}

bool debug_entry_die(const struct debug_entries *entries, Dwarf_Die *unit, uint32_t number,
		     Dwarf_Die *die)
{
	return dwarf_offdie(dwarf_cu_getdwarf(unit->cu),
			    dwarf_dieoffset(unit) + entries->items[number].offset, die) != NULL;
}

void debug_entries_release(struct debug_entries *entries)
{
	free(entries->items);
	*entries = (struct debug_entries){ 0 };
}
