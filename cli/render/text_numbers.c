/* A hash table with open addressing; see text_numbers.h. */
#include "render/text_numbers.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_AT_FIRST 256

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
	return hash;
}

/* The slot that @text is in or would go to. */
static uint32_t *find_slot(const struct text_numbers *numbers, const char *text)
{
	size_t i = hash_of(text);

	for (;; i++) {
		uint32_t *slot = &numbers->slots[i & (numbers->slot_cnt - 1)];

		if (!*slot || !strcmp(numbers->texts[*slot - 1], text))
			return slot;
	}
}

/* At most half of the slots are in use, and there is room for as many texts. */
static bool grow(struct text_numbers *numbers)
{
	size_t slot_cnt = numbers->slot_cnt ? 2 * numbers->slot_cnt : SLOTS_AT_FIRST;
	const char **texts = reallocarray(numbers->texts, slot_cnt / 2, sizeof(*texts));

	if (!texts)
		return false;
	numbers->texts = texts;
	uint32_t *slots = calloc(slot_cnt, sizeof(*slots));

	if (!slots)
		return false;
	free(numbers->slots);
	numbers->slots = slots;
	numbers->slot_cnt = slot_cnt;
	for (size_t i = 0; i < numbers->cnt; i++)
		*find_slot(numbers, texts[i]) = (uint32_t)i + 1;
	return true;
}

uint32_t text_number(struct text_numbers *numbers, const char *text)
{
	if (numbers->cnt == numbers->slot_cnt / 2 && !grow(numbers)) {
		numbers->has_failed = true;
		return 0;
	}
	uint32_t *slot = find_slot(numbers, text);

	if (!*slot) {
		numbers->texts[numbers->cnt++] = text;
		*slot = (uint32_t)numbers->cnt;
	}
	return *slot - 1;
}

void text_numbers_release(struct text_numbers *numbers)
{
	free(numbers->texts);
	free(numbers->slots);
	*numbers = (struct text_numbers){ 0 };
}
