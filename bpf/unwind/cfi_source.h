/*
 * Opens the call frame information of a file for libdw: .eh_frame, and .debug_frame, compressed or
 * not. What libdw would trust blindly is checked first.
 */
#ifndef CLASSIFY_CFI_SOURCE_H
#define CLASSIFY_CFI_SOURCE_H

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "unwind/cfi_check.h"

/* The table that .eh_frame_hdr has: which entry tells of which addresses. */
struct cfi_table {
	const uint8_t *pairs; /* of 4 bytes each: start, entry; both from header_address on */
	size_t pair_cnt;      /* 0: there is none */
	uint64_t header_address, section_address;
};

struct cfi_source {
	Elf *elf;	       /* of the file */
	Dwarf_CFI *exceptions; /* .eh_frame; NULL: none */
	struct cfi_check check;
	struct cfi_table table;
	bool is_debug_sought;
	void *debug_image; /* a file made of nothing but .debug_frame */
	Elf *debug_elf;
	Dwarf *debug_dwarf;
	Dwarf_CFI *debug; /* .debug_frame, belongs to debug_dwarf; NULL: none */
};

/* Opens what @fd has; nothing is an answer too. */
void cfi_source_open(struct cfi_source *source, int fd);

/* .eh_frame if what it says of @address can be trusted, or NULL. */
Dwarf_CFI *cfi_source_exceptions(struct cfi_source *source, uint64_t address);

/* .debug_frame of @fd, or NULL. It is opened when it is first asked for: that takes long in large
 * files. */
Dwarf_CFI *cfi_source_debug(struct cfi_source *source, int fd);

void cfi_source_close(struct cfi_source *source);

#endif
