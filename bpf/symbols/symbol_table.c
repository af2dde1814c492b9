/* Reads symbol tables through libdwfl, once for each file; see symbol_table.h. */
#include "symbols/symbol_table.h"
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX    (16 << 20)
#define NAME_MAX_BYTES 4096

struct entry {
	uint64_t start, size_bytes;
	const char *name;
	uint8_t is_function, is_local, is_weak;
};

/* $x, $d.realm: marks of the kind of code, on ARM and RISC-V. */
static bool is_mark(const char *name)
{
	return name[0] == '$' && name[1] && strchr("adtx", name[1]) && strchr(".", name[2]);
}

static bool read_entry(struct entry *entry, Dwfl_Module *module, int number, struct range_map *code)
{
	GElf_Sym sym;
	GElf_Addr address;
	GElf_Word section;
	const char *name =
		dwfl_module_getsym_info(module, number, &sym, &address, &section, NULL, NULL);
	int type;

	if (!name || !*name || section == SHN_UNDEF ||
	    strnlen(name, NAME_MAX_BYTES) == NAME_MAX_BYTES)
		return false;
	type = GELF_ST_TYPE(sym.st_info);
	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	if (is_mark(name) || !strncmp(name, ".L", 2) || !range_map_find(code, address))
		return false;
	*entry = (struct entry){ .start = address,
				 .size_bytes = sym.st_size,
				 .name = name,
				 .is_function = type != STT_NOTYPE,
				 .is_local = GELF_ST_BIND(sym.st_info) == STB_LOCAL,
				 .is_weak = GELF_ST_BIND(sym.st_info) == STB_WEAK };
	return address + sym.st_size >= address;
}

/* read, a weak name, is better known than __read and __libc_read, the strong ones: so underscores
 * count more than strength. */
static int by_fame(const struct entry *a, const struct entry *b)
{
	size_t underscores_a = strspn(a->name, "_"), underscores_b = strspn(b->name, "_");

	if (a->is_function != b->is_function)
		return a->is_function ? -1 : 1;
	if (a->is_local != b->is_local)
		return a->is_local ? 1 : -1;
	if (underscores_a != underscores_b)
		return underscores_a < underscores_b ? -1 : 1;
	if (a->is_weak != b->is_weak)
		return a->is_weak ? 1 : -1;
	return strcmp(a->name, b->name);
}

static int by_place(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->size_bytes != b->size_bytes)
		return a->size_bytes > b->size_bytes ? -1 : 1;
	return by_fame(a, b);
}

/* Where the code that begins with entries[i] ends: it is told by its size, else it is what comes
 * next. */
static uint64_t end_of(const struct entry *entries, size_t cnt, size_t i, struct range_map *code)
{
	const struct range *part = range_map_find(code, entries[i].start);
	size_t next = i + 1;

	if (entries[i].size_bytes)
		return entries[i].start + entries[i].size_bytes;
	while (next < cnt && entries[next].start == entries[i].start)
		next++;
	if (next < cnt && entries[next].start < part->end)
		return entries[next].start;
	return part->end;
}

static void keep_best(struct symbol_table *table, const struct entry *entries, size_t cnt,
		      struct range_map *code)
{
	table->names = calloc(cnt, sizeof(*table->names));
	if (!table->names)
		return;
	for (size_t i = 0; i < cnt; i++) {
		struct range_map *map = entries[i].size_bytes ? &table->sized : &table->unsized;

		if (i && entries[i].start == entries[i - 1].start &&
		    entries[i].size_bytes == entries[i - 1].size_bytes)
			continue;
		table->names[table->cnt] = entries[i].name;
		if (!range_map_add(map, entries[i].start, end_of(entries, cnt, i, code),
				   (uint32_t)table->cnt))
			return;
		table->cnt++;
	}
}

void symbol_table_read(struct symbol_table *table, Dwfl_Module *module, struct range_map *code)
{
	int symbol_cnt = dwfl_module_getsymtab(module);
	struct entry *entries;
	size_t cnt = 0;

	if (symbol_cnt <= 0)
		return;
	if (symbol_cnt > SYMBOLS_MAX)
		symbol_cnt = SYMBOLS_MAX;
	entries = calloc(symbol_cnt, sizeof(*entries));
	if (!entries)
		return;
	for (int i = 0; i < symbol_cnt; i++)
		cnt += read_entry(&entries[cnt], module, i, code);
	if (cnt) {
		qsort(entries, cnt, sizeof(*entries), by_place);
		keep_best(table, entries, cnt, code);
	}
	free(entries);
}

const char *symbol_table_find(struct symbol_table *table, uint64_t address)
{
	const struct range *range = range_map_find(&table->sized, address);

	if (!range)
		range = range_map_find(&table->unsized, address);
	return range ? table->names[range->value] : NULL;
}

void symbol_table_release(struct symbol_table *table)
{
	range_map_release(&table->sized);
	range_map_release(&table->unsized);
	free(table->names);
	*table = (struct symbol_table){ 0 };
}
