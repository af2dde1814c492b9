/* What the code around a return address says of it, where a stack alone would not be believed. */
#ifndef CLASSIFY_CALL_SITE_H
#define CLASSIFY_CALL_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_mapping;

/* Whether an instruction that calls may end where @bytes end. */
bool call_site_is_call(const uint8_t *bytes, size_t byte_cnt);

/* Whether a call, read from the file of @mapping, is right before @return_address. */
bool call_site_follows_call(const struct code_mapping *mapping, uint64_t return_address);

/* Whether @return_address is where the first function of a goroutine returns to: nothing called it.
 */
bool call_site_is_goroutine_end(const struct code_mapping *mapping, uint64_t return_address);

#endif
