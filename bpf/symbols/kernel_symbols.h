/* The kernel's own functions, from /proc/kallsyms. */
#ifndef CLASSIFY_KERNEL_SYMBOLS_H
#define CLASSIFY_KERNEL_SYMBOLS_H

#include <stdint.h>

struct kernel_symbols;

/* Reads @path (/proc/kallsyms). What it hides (addresses of 0) or can't be read is empty, not an
 * error. NULL when out of memory. */
struct kernel_symbols *kernel_symbols_read(const char *path);
void kernel_symbols_free(struct kernel_symbols *symbols);

/* The function at @address or NULL. Lives as long as @symbols. */
const char *kernel_symbols_find(const struct kernel_symbols *symbols, uint64_t address);

#endif
