/* Numbers for texts, as the exports refer to names: each different one gets the next, from 0 on. */
#ifndef CLASSIFY_TEXT_NUMBERS_H
#define CLASSIFY_TEXT_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: an empty one. */
struct text_numbers {
	const char **texts; /* by number */
	size_t cnt;
	uint32_t *slots; /* a hash table: number + 1; 0: free */
	size_t slot_cnt; /* a power of two */
	bool has_failed; /* ran out of memory: some numbers are 0 that should be others */
};

/* Returns the number of @text, which is not copied. */
uint32_t text_number(struct text_numbers *numbers, const char *text);

void text_numbers_release(struct text_numbers *numbers);

#endif
