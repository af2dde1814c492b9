/*
 * Opens a mapped file for libdwfl, with the separate file that has its debug information: by build
 * id below /usr/lib/debug, by debug link, and by debuginfod when the user has set it.
 */
#ifndef CLASSIFY_DEBUG_FILE_H
#define CLASSIFY_DEBUG_FILE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

struct code_file;

/* How long debuginfod may still keep us waiting, for all files together. */
#define DEBUG_ONLINE_NS 20000000000

/* Places in separate debug files are found for them. Returns NULL when the file can't be read or is
 * no ELF file; else dwfl_end closes it. @module has the addresses of the file itself (bias 0).
 * @online_ns, which outlives it, is what is left of DEBUG_ONLINE_NS. */
Dwfl *debug_file_open(const struct code_file *file, Dwfl_Module **module, uint64_t *online_ns);

/* May libdw open @name, relative to @directory, without waiting for anything? It may be told to
 * open a pipe. Also true if there is nothing. */
bool debug_file_is_plain(const char *directory, const char *name);

/* The debug information of @module or NULL; @bias is its distance from the file's addresses. */
Dwarf *debug_file_dwarf(Dwfl_Module *module, const char *directory, Dwarf_Addr *bias);

#endif
