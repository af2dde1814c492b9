/*
 * Reads call frame information ahead of libdw, which trusts it: it allocates gigabytes for a
 * register with a large number, copies that for each state to remember, and reads instructions
 * beyond the end of the section.
 */
#ifndef CLASSIFY_CFI_CHECK_H
#define CLASSIFY_CFI_CHECK_H

#include <elfutils/libdw.h>
#include <stdbool.h>

struct cfi_check {
	const unsigned char *ident; /* of the ELF file */
	Elf_Data *data;		    /* the section */
	bool is_exceptions;	    /* .eh_frame, not .debug_frame */
	Dwarf_Off good_cie;	    /* the last one that was found good, + 1 */
	unsigned int address_bytes; /* of its entries */
	bool is_sized;		    /* its entries have augmentation data */
};

/* Whether what is said of a range of addresses at @offset, and what it builds on, can be trusted.
 */
bool cfi_check_entry(struct cfi_check *check, Dwarf_Off offset);

/* The same for the whole section. */
bool cfi_check_all(struct cfi_check *check);

#endif
