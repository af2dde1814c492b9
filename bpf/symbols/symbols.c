/* Asks debug information first and symbol tables where that knows no name; see symbols.h. */
#include "symbols/symbols.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "code/code_file.h"
#include "symbols/debug_file.h"
#include "symbols/debug_info.h"
#include "symbols/go_table.h"
#include "symbols/jit_name.h"
#include "symbols/kernel_symbols.h"
#include "symbols/perf_map.h"
#include "symbols/readable_name.h"
#include "symbols/symbol_table.h"
#include "symbols/texts.h"

/* What hangs off a struct code_file. */
struct file_symbols {
	struct file_symbols *next;
	struct code_file *file;
	Dwfl *dwfl; /* NULL: not readable */
	Dwfl_Module *module;
	struct range_map code; /* the executable parts of the file */
	struct debug_info *debug;
	struct symbol_table table;
	bool is_table_read;
	struct go_table go;
};

/* The code that one process compiled as it ran. */
struct jit_symbols {
	struct jit_symbols *next;
	pid_t pid;
	struct perf_map *map;
};

struct symbols {
	struct string_pool *texts;
	struct file_symbols *files;
	struct jit_symbols *jit;
	struct kernel_symbols *kernel;
	uint64_t online_ns; /* see debug_file.h */
};

struct symbols *symbols_new(void)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return NULL;
	elf_version(EV_CURRENT);
	symbols->online_ns = DEBUG_ONLINE_NS;
	symbols->texts = string_pool_new(TEXTS_MAX_BYTES);
	if (!symbols->texts) {
		free(symbols);
		return NULL;
	}
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	while (symbols->files) {
		struct file_symbols *own = symbols->files;

		symbols->files = own->next;
		own->file->symbols = NULL;
		debug_info_free(own->debug);
		symbol_table_release(&own->table);
		range_map_release(&own->code);
		dwfl_end(own->dwfl);
		free(own);
	}
	while (symbols->jit) {
		struct jit_symbols *own = symbols->jit;

		symbols->jit = own->next;
		perf_map_free(own->map);
		free(own);
	}
	kernel_symbols_free(symbols->kernel);
	string_pool_free(symbols->texts);
	free(symbols);
}

static void read_code_parts(struct file_symbols *own)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(own->module, &bias);
	size_t cnt;

	if (!elf || elf_getphdrnum(elf, &cnt) != 0)
		return;
	go_table_read(&own->go, elf);
	for (size_t i = 0; i < cnt; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    header.p_flags & PF_X)
			range_map_add(&own->code, header.p_vaddr, header.p_vaddr + header.p_memsz,
				      0);
	}
}

/* The directory of @file, as we call it: as the process calls it, it may be another one. */
static void read_directory(const struct code_file *file, char directory[PATH_MAX])
{
	char link[64], *slash;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
	len = readlink(link, directory, PATH_MAX - 1);
	directory[len < 0 ? 0 : len] = '\0';
	slash = strrchr(directory, '/');
	if (slash)
		*slash = '\0';
}

static void open_file(struct symbols *symbols, struct file_symbols *own)
{
	char directory[PATH_MAX];
	Dwarf_Addr bias;
	Dwarf *dwarf;

	if (own->file->fd >= 0)
		own->dwfl = debug_file_open(own->file, &own->module, &symbols->online_ns);
	if (!own->dwfl) {
		if (!own->file->why)
			own->file->why = "it can't be read";
		return;
	}
	read_code_parts(own);
	read_directory(own->file, directory);
	dwarf = debug_file_dwarf(own->module, directory, &bias);
	if (dwarf)
		own->debug = debug_info_new(dwarf, bias, directory, &own->code, symbols->texts);
}

static struct file_symbols *symbols_of(struct symbols *symbols, struct code_file *file)
{
	struct file_symbols *own = file->symbols;

	if (own)
		return own;
	own = calloc(1, sizeof(*own));
	if (!own)
		return NULL;
	own->file = file;
	own->next = symbols->files;
	symbols->files = own;
	file->symbols = own;
	open_file(symbols, own);
	return own;
}

/* Names @symbol if debug information doesn't, or names it by what the source calls it and others
 * don't: the C library's __libc_read is everybody's read. */
static void name_by_table(struct symbols *symbols, struct file_symbols *own, uint64_t address,
			  struct symbol *symbol)
{
	char name[READABLE_NAME_BYTES];
	const char *raw;

	if (!own->is_table_read)
		symbol_table_read(&own->table, own->module, &own->code);
	own->is_table_read = true;
	raw = symbol_table_find(&own->table, address);
	if (!raw || (*symbol->function && strspn(raw, "_") >= strspn(symbol->function, "_")))
		return;
	symbol->language = readable_name(raw, symbol->language, name);
	symbol->function = text_keep(symbols->texts, name, sizeof(name));
}

/* Is it a name that only the inside of a library uses? */
static bool is_inside_name(const struct symbol *symbol)
{
	return *symbol->function == '_' && symbol->language == LANGUAGE_C;
}

/* By the program's own table, when debug information doesn't tell. */
static bool find_go(struct symbols *symbols, struct file_symbols *own, uint64_t address,
		    struct symbol *symbol)
{
	char name[READABLE_NAME_BYTES];
	struct go_place place;

	if (!go_table_find(&own->go, address, &place))
		return false;
	readable_name(place.function, LANGUAGE_GO, name);
	*symbol = (struct symbol){ .function = text_keep(symbols->texts, name, sizeof(name)),
				   .file = text_keep(symbols->texts, place.file, PATH_MAX),
				   .line = place.line,
				   .language = LANGUAGE_GO };
	return true;
}

size_t symbols_find(struct symbols *symbols, struct code_file *file, uint64_t address,
		    struct symbol found[SYMBOL_INLINED_MAX])
{
	struct file_symbols *own = symbols_of(symbols, file);
	size_t cnt = 0;

	if (own && own->debug)
		cnt = debug_info_find(own->debug, address, found);
	if (!cnt && own && own->dwfl)
		cnt = find_go(symbols, own, address, &found[0]);
	if (!cnt) {
		found[0] = (struct symbol){ .function = "", .file = "" };
		cnt = 1;
	}
	if (own && own->dwfl && (!*found[cnt - 1].function || is_inside_name(&found[cnt - 1])))
		name_by_table(symbols, own, address, &found[cnt - 1]);
	return cnt;
}

static struct jit_symbols *jit_of(const struct symbols *symbols, pid_t pid)
{
	struct jit_symbols *own = symbols->jit;

	while (own && own->pid != pid)
		own = own->next;
	return own;
}

/* Most processes have no map, so nothing is kept of them. */
static int read_first(struct symbols *symbols, pid_t pid)
{
	struct jit_symbols *own = calloc(1, sizeof(*own));
	int error;

	if (!own)
		return -ENOMEM;
	*own = (struct jit_symbols){ .next = symbols->jit, .pid = pid, .map = perf_map_new() };
	error = own->map ? perf_map_read(own->map, pid) : -ENOMEM;
	if (error) {
		perf_map_free(own->map);
		free(own);
		return error;
	}
	symbols->jit = own;
	return 0;
}

int symbols_read_perf_map(struct symbols *symbols, pid_t pid)
{
	struct jit_symbols *own = jit_of(symbols, pid);

	return own ? perf_map_read(own->map, pid) : read_first(symbols, pid);
}

void symbols_close_perf_map(struct symbols *symbols, pid_t pid)
{
	struct jit_symbols *own = jit_of(symbols, pid);

	if (own)
		perf_map_close(own->map);
}

size_t symbols_find_jit(struct symbols *symbols, pid_t pid, uint64_t address,
			struct symbol found[SYMBOL_INLINED_MAX])
{
	struct jit_symbols *own = jit_of(symbols, pid);
	const char *raw = own ? perf_map_find(own->map, address) : NULL;
	struct jit_name name;

	found[0] = (struct symbol){ .function = "", .file = "", .language = LANGUAGE_JIT };
	if (!raw && symbols_read_perf_map(symbols, pid) == 0)
		raw = perf_map_find(jit_of(symbols, pid)->map, address);
	if (!raw)
		return 1;
	jit_name_read(raw, &name);
	found[0].function = text_keep(symbols->texts, name.function, sizeof(name.function));
	found[0].file = text_keep(symbols->texts, name.file, sizeof(name.file));
	found[0].line = found[0].first_line = name.line;
	return 1;
}

void symbols_find_kernel(struct symbols *symbols, uint64_t address, struct symbol *found)
{
	const char *name = NULL;

	*found = (struct symbol){ .function = "", .file = "", .language = LANGUAGE_KERNEL };
	if (!symbols->kernel)
		symbols->kernel = kernel_symbols_read("/proc/kallsyms");
	if (symbols->kernel)
		name = kernel_symbols_find(symbols->kernel, address);
	if (name)
		found->function = name;
}
