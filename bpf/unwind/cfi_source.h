/*
 * Opens the call frame information of a file for libdw: .eh_frame, and .debug_frame, compressed or
 * not. What libdw would trust blindly is checked first.
 */
#ifndef CLASSIFY_CFI_SOURCE_H
#define CLASSIFY_CFI_SOURCE_H

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>

struct cfi_source {
	Elf *elf;	       /* of the file */
	Dwarf_CFI *exceptions; /* .eh_frame; NULL: none */
	Elf *debug_elf;	       /* made of nothing but .debug_frame */
	Dwarf *debug_dwarf;
	Dwarf_CFI *debug; /* .debug_frame, belongs to debug_dwarf; NULL: none */
	void *debug_image;
	bool is_debug_sought;
};

/* Opens what @fd has; nothing is an answer too. */
void cfi_source_open(struct cfi_source *source, int fd);

/* Finds .debug_frame, if it was not looked for yet: that takes long in large files. */
void cfi_source_open_debug(struct cfi_source *source, int fd);

void cfi_source_close(struct cfi_source *source);

#endif
