/*
 * Opens a mapped file for libdwfl, with the separate file that has its debug information: by build
 * id below /usr/lib/debug, by debug link, and by debuginfod when the user has set it.
 */
#ifndef CLASSIFY_DEBUG_FILE_H
#define CLASSIFY_DEBUG_FILE_H

#include <elfutils/libdwfl.h>

struct code_file;

/* Places in separate debug files are found for them. Returns NULL when the file can't be read or is
 * no ELF file; else dwfl_end closes it. @module has the addresses of the file itself (bias 0). */
Dwfl *debug_file_open(const struct code_file *file, Dwfl_Module **module);

#endif
