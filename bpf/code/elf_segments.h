/* Where the code of an ELF file lies, by its program headers, which are untrusted. */
#ifndef CLASSIFY_ELF_SEGMENTS_H
#define CLASSIFY_ELF_SEGMENTS_H

struct code_file;

/* Fills segments and entry of @file from its fd. Returns NULL, or why it has none. */
const char *elf_segments_read(struct code_file *file);

#endif
