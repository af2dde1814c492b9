/* Where a Go program keeps its goroutines: its file's symbols and debug information say. */
#ifndef CLASSIFY_GO_LAYOUT_H
#define CLASSIFY_GO_LAYOUT_H

#include <stdint.h>

/* More of a goroutine's structure (runtime.g) is never read: it has some 400 bytes. */
#define GO_STRUCTURE_BYTES 512

struct go_layout {
	/* Addresses, as the file numbers them. */
	uint64_t goroutines;	/* pointer to the array of pointers to them (runtime.allgptr) */
	uint64_t goroutine_cnt; /* runtime.allglen */
	uint64_t reasons;	/* strings by number (runtime.waitReasonStrings) */
	uint32_t reason_cnt;
	/* Offsets in runtime.g, all below GO_STRUCTURE_BYTES - 8. */
	uint32_t stack_high;
	uint32_t sp, pc, bp;
	uint32_t status;
	uint32_t id;
	uint32_t reason;
};

/* Reads the ELF file @fd, which is not trusted. Returns 0; -ENOENT: it is no Go program; or
 * -ENOTSUP: it is one without symbols or debug information. */
int go_layout_read(int fd, struct go_layout *layout);

#endif
