/* Where the functions of a file begin that has no names for them: its search table for exceptions
 * (.eh_frame_hdr) knows, and stripping leaves that alone. */
#ifndef CLASSIFY_FUNCTION_STARTS_H
#define CLASSIFY_FUNCTION_STARTS_H

#include <stdint.h>

struct function_starts;

/* Reads the table of the ELF file @fd, which is not trusted. NULL: it has none, or none that can be
 * understood. Free it with free(). */
struct function_starts *function_starts_read(int fd);

/* Returns where the function begins that @address is in, both as the file numbers them; 0: it isn't
 * known. Accepts NULL. */
uint64_t function_starts_find(const struct function_starts *starts, uint64_t address);

#endif
