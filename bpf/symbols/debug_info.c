/* The index of units and what is read of each; see debug_info.h. */
#include "symbols/debug_info.h"
#include <dwarf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "symbols/debug_entries.h"
#include "symbols/debug_file.h"
#include "symbols/debug_names.h"

#define UNITS_MAX	 (4u << 20)
#define ENTRY_RANGES_MAX 65536 /* of one entry: more were made to slow us down */

struct inlined {
	uint64_t start, end;
	uint32_t entry;
	uint32_t depth;
};

/* A function that has code. */
struct function {
	uint32_t entry;
	bool is_read; /* the inlined ones are known */
	struct inlined *inlined;
	size_t inlined_cnt;
};

struct unit {
	Dwarf_Die line_die; /* of the unit in the file itself: it has the lines */
	Dwarf_Die die; /* of the unit that has the functions: another file's with split DWARF */
	enum frame_language language;
	bool is_read;
	struct debug_entries entries;
	struct range_map ranges; /* of functions, by their numbers */
	struct function *functions;
	size_t function_cnt, function_room_cnt;
};

struct debug_info {
	Dwarf *dwarf;
	Dwarf_Addr bias;
	const char *directory; /* of the file */
	struct range_map *code;
	struct string_pool *texts;
	struct unit *units;
	size_t unit_cnt, unit_room_cnt;
	struct range_map ranges; /* of units, by their numbers */
};

/* Adds the ranges of @entry to @map. What the linker threw away has addresses where no code is. */
static void add_ranges(struct debug_info *info, struct range_map *map, Dwarf_Die *entry,
		       uint32_t value)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;

	for (size_t i = 0; i < ENTRY_RANGES_MAX; i++) {
		offset = dwarf_ranges(entry, offset, &base, &start, &end);
		if (offset <= 0)
			return;
		if (start < end && range_map_find(info->code, start + info->bias))
			range_map_add(map, start, end, value);
	}
}

static struct unit *add_unit(struct debug_info *info)
{
	if (info->unit_cnt == info->unit_room_cnt) {
		size_t room_cnt = info->unit_room_cnt ? 2 * info->unit_room_cnt : 64;
		struct unit *units = NULL;

		if (info->unit_cnt < UNITS_MAX)
			units = realloc(info->units, room_cnt * sizeof(*units));
		if (!units)
			return NULL;
		info->units = units;
		info->unit_room_cnt = room_cnt;
	}
	info->units[info->unit_cnt] = (struct unit){ 0 };
	return &info->units[info->unit_cnt++];
}

static void index_units(struct debug_info *info)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;
	Dwarf_Die die;

	while (dwarf_get_units(info->dwarf, cu, &cu, &version, &type, &die, NULL) == 0) {
		struct unit *unit;

		if (type != DW_UT_compile && type != DW_UT_skeleton && type != DW_UT_partial)
			continue;
		unit = add_unit(info);
		if (!unit)
			return;
		unit->line_die = unit->die = die;
		add_ranges(info, &info->ranges, &die, (uint32_t)info->unit_cnt - 1);
	}
}

struct debug_info *debug_info_new(Dwarf *dwarf, Dwarf_Addr bias, const char *directory,
				  struct range_map *code, struct string_pool *texts)
{
	struct debug_info *info = calloc(1, sizeof(*info));

	if (!info)
		return NULL;
	*info = (struct debug_info){ .dwarf = dwarf,
				     .bias = bias,
				     .directory = text_keep(texts, directory, PATH_MAX),
				     .code = code,
				     .texts = texts };
	index_units(info);
	return info;
}

void debug_info_free(struct debug_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->unit_cnt; i++) {
		struct unit *unit = &info->units[i];

		for (size_t j = 0; j < unit->function_cnt; j++)
			free(unit->functions[j].inlined);
		free(unit->functions);
		range_map_release(&unit->ranges);
		debug_entries_release(&unit->entries);
	}
	free(info->units);
	range_map_release(&info->ranges);
	free(info);
}

static bool entry_die(struct unit *unit, uint32_t entry, Dwarf_Die *die)
{
	return debug_entry_die(&unit->entries, &unit->die, entry, die);
}

static bool add_function(struct debug_info *info, struct unit *unit, uint32_t entry)
{
	Dwarf_Die die;

	if (unit->function_cnt == unit->function_room_cnt) {
		size_t room_cnt = unit->function_room_cnt ? 2 * unit->function_room_cnt : 64;
		void *functions = realloc(unit->functions, room_cnt * sizeof(*unit->functions));

		if (!functions)
			return false;
		unit->functions = functions;
		unit->function_room_cnt = room_cnt;
	}
	if (!entry_die(unit, entry, &die))
		return false;
	unit->functions[unit->function_cnt] = (struct function){ .entry = entry };
	add_ranges(info, &unit->ranges, &die, (uint32_t)unit->function_cnt++);
	return true;
}

/* Sets the unit's entry to the one in the other file (.dwo) that it has with split DWARF. */
static void open_split(struct debug_info *info, struct unit *unit)
{
	const char *directory = debug_text(&unit->die, DW_AT_comp_dir);
	const char *name = debug_text(&unit->die, DW_AT_dwo_name);
	Dwarf_Die split = { 0 };

	if (!name)
		name = debug_text(&unit->die, DW_AT_GNU_dwo_name);
	if (!name || !debug_file_is_plain(info->directory, name) ||
	    !debug_file_is_plain(directory ? directory : "", name))
		return;
	if (dwarf_cu_info(unit->die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 &&
	    split.cu)
		unit->die = split;
}

static void read_unit(struct debug_info *info, struct unit *unit)
{
	uint8_t type;

	unit->is_read = true;
	if (dwarf_cu_info(unit->die.cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton)
		open_split(info, unit);
	unit->language = debug_language(&unit->die);
	debug_entries_read(&unit->entries, &unit->die);
	for (size_t i = 0; i < unit->entries.cnt; i++)
		if (unit->entries.items[i].kind == ENTRY_CODE &&
		    !add_function(info, unit, (uint32_t)i))
			break;
}

static bool add_inlined(struct function *function, size_t *room_cnt, uint64_t start, uint64_t end,
			uint32_t entry, uint32_t depth)
{
	if (function->inlined_cnt == *room_cnt) {
		size_t larger = *room_cnt ? 2 * *room_cnt : 16;
		void *inlined = realloc(function->inlined, larger * sizeof(*function->inlined));

		if (!inlined)
			return false;
		function->inlined = inlined;
		*room_cnt = larger;
	}
	function->inlined[function->inlined_cnt++] = (struct inlined){ start, end, entry, depth };
	return true;
}

/* Reads where other functions are inlined into @function: what follows its entry and is deeper. */
static void read_inlined(struct unit *unit, struct function *function)
{
	const struct debug_entry *own = &unit->entries.items[function->entry];
	size_t room_cnt = 0;

	function->is_read = true;
	for (size_t i = function->entry + 1; i < unit->entries.cnt; i++) {
		const struct debug_entry *entry = &unit->entries.items[i];
		Dwarf_Addr base, start, end;
		ptrdiff_t offset = 0;
		Dwarf_Die die;

		if (entry->depth <= own->depth)
			return;
		if (entry->kind != ENTRY_INLINED || !entry_die(unit, (uint32_t)i, &die))
			continue;
		for (size_t j = 0; j < ENTRY_RANGES_MAX; j++) {
			offset = dwarf_ranges(&die, offset, &base, &start, &end);
			if (offset <= 0)
				break;
			if (!add_inlined(function, &room_cnt, start, end, (uint32_t)i,
					 entry->depth))
				return;
		}
	}
}

struct place {
	const char *file;
	uint32_t line;
};

static struct place line_at(struct debug_info *info, struct unit *unit, uint64_t address)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->line_die, address);
	struct place place = { .file = "" };
	int number;

	if (!line)
		return place;
	place.file = debug_path(dwarf_linesrc(line, NULL, NULL), &unit->line_die, info->texts);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		place.line = number;
	return place;
}

static uint32_t number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &number) != 0 || number > INT32_MAX)
		return 0;
	return (uint32_t)number;
}

/* Where the function that @inlined went into calls it. */
static struct place call_of(struct debug_info *info, struct unit *unit, Dwarf_Die *inlined)
{
	struct place place = { .file = "", .line = number_of(inlined, DW_AT_call_line) };
	Dwarf_Files *files;
	size_t cnt;

	if (dwarf_getsrcfiles(&unit->die, &files, &cnt) == 0)
		place.file = debug_path(
			dwarf_filesrc(files, number_of(inlined, DW_AT_call_file), NULL, NULL),
			&unit->die, info->texts);
	return place;
}

static void describe(struct debug_info *info, struct unit *unit, Dwarf_Die *die,
		     struct symbol *symbol, struct place place)
{
	int first_line;

	*symbol = (struct symbol){ .file = place.file,
				   .line = place.line,
				   .language = unit->language };
	symbol->function =
		debug_function_name(die, unit->language, &unit->die, &unit->entries, info->texts);
	if (dwarf_decl_line(die, &first_line) == 0 && first_line > 0)
		symbol->first_line = first_line;
	if (!*symbol->file)
		symbol->file = debug_path(dwarf_decl_file(die), &unit->die, info->texts);
}

/* The entries around an address, the outermost first. */
struct chain {
	uint32_t entries[SYMBOL_INLINED_MAX];
	size_t cnt;
	uint32_t outermost; /* inlined one, perhaps left out of entries */
};

/* Of more entries than there is room for the function itself and the innermost ones are kept. */
static void find_chain(const struct function *function, uint64_t address, struct chain *chain)
{
	uint32_t depth = 0;

	*chain = (struct chain){ .entries = { function->entry }, .cnt = 1, .outermost = NO_ENTRY };
	for (size_t i = 0; i < function->inlined_cnt; i++) {
		const struct inlined *inlined = &function->inlined[i];

		if (address < inlined->start || address >= inlined->end || inlined->depth <= depth)
			continue;
		depth = inlined->depth;
		if (chain->outermost == NO_ENTRY)
			chain->outermost = inlined->entry;
		if (chain->cnt == SYMBOL_INLINED_MAX)
			memmove(&chain->entries[1], &chain->entries[2],
				(--chain->cnt - 1) * sizeof(*chain->entries));
		chain->entries[chain->cnt++] = inlined->entry;
	}
}

/* Describes the functions of @chain, of which @place is in the innermost. */
static size_t describe_chain(struct debug_info *info, struct unit *unit, const struct chain *chain,
			     struct place place, struct symbol found[SYMBOL_INLINED_MAX])
{
	Dwarf_Die die;

	for (size_t i = 0; i < chain->cnt; i++) {
		bool is_last = i + 1 == chain->cnt;

		if (is_last && chain->outermost != NO_ENTRY &&
		    entry_die(unit, chain->outermost, &die))
			place = call_of(info, unit, &die);
		if (!entry_die(unit, chain->entries[chain->cnt - 1 - i], &die))
			return i;
		describe(info, unit, &die, &found[i], place);
		found[i].is_inlined = !is_last;
		place = call_of(info, unit, &die);
	}
	return chain->cnt;
}

static size_t find_function(struct debug_info *info, struct unit *unit, uint64_t address,
			    struct symbol found[SYMBOL_INLINED_MAX])
{
	const struct range *range = range_map_find(&unit->ranges, address);
	struct place place = line_at(info, unit, address);
	struct function *function;
	struct chain chain;

	if (!range) {
		found[0] = (struct symbol){ .function = "",
					    .file = place.file,
					    .line = place.line,
					    .language = unit->language };
		return *place.file ? 1 : 0;
	}
	function = &unit->functions[range->value];
	if (!function->is_read)
		read_inlined(unit, function);
	find_chain(function, address, &chain);
	return describe_chain(info, unit, &chain, place, found);
}

size_t debug_info_find(struct debug_info *info, uint64_t address,
		       struct symbol found[SYMBOL_INLINED_MAX])
{
	const struct range *range = range_map_find(&info->ranges, address - info->bias);
	struct unit *unit;

	if (!range)
		return 0;
	unit = &info->units[range->value];
	if (!unit->is_read)
		read_unit(info, unit);
	return find_function(info, unit, address - info->bias, found);
}
