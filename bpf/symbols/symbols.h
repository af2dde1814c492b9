/*
 * Names of places in code: function, source file and line, with the functions that were inlined
 * there. From debug information (in the file, or in a separate file by build id, debug link or
 * debuginfod), else from symbol tables (.symtab, .gnu_debugdata, .dynsym). All of it is untrusted.
 */
#ifndef CLASSIFY_SYMBOLS_H
#define CLASSIFY_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "observation/observation.h"

struct code_file;
struct symbols;

/* Functions inlined into each other at one place: more are not told, outermost ones last. */
#define SYMBOL_INLINED_MAX 16

/* Strings live as long as the struct symbols. */
struct symbol {
	const char *function; /* demangled; "" if unknown */
	const char *file;     /* of the source; "" if unknown */
	uint32_t line;	      /* 0: unknown */
	uint32_t first_line;  /* of the function; 0: unknown */
	enum frame_language language;
	bool is_inlined; /* into the next one */
};

/* Returns NULL when out of memory. */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *symbols);

/*
 * Fills @found, the innermost first, with what is at @address (as @file numbers them). Returns how
 * many, at least 1: the last one is the function itself, of which perhaps nothing is known. Sets
 * file->why when the file can't be read or is corrupt.
 */
size_t symbols_find(struct symbols *symbols, struct code_file *file, uint64_t address,
		    struct symbol found[SYMBOL_INLINED_MAX]);

/* The same for code that process @pid compiled as it ran, by its /tmp/perf-PID.map, in its own
 * mount namespace and by its own number there. May be asked when the process is gone if
 * symbols_read_perf_map() was while it lived. */
size_t symbols_find_jit(struct symbols *symbols, pid_t pid, uint64_t address,
			struct symbol found[SYMBOL_INLINED_MAX]);

/* Reads what has been added to the perf map of @pid since the last time. Returns 0, -ENOENT when
 * there is none, or another -errno. */
int symbols_read_perf_map(struct symbols *symbols, pid_t pid);

/* The process @pid is gone: reads the end of its perf map, if there is one, and closes it. */
void symbols_close_perf_map(struct symbols *symbols, pid_t pid);

/* The kernel's own function at @address; "" in function when /proc/kallsyms doesn't tell. */
void symbols_find_kernel(struct symbols *symbols, uint64_t address, struct symbol *found);

#endif
