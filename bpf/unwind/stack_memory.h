/* The one piece of a thread's memory that is known: the copy of its stack. */
#ifndef CLASSIFY_STACK_MEMORY_H
#define CLASSIFY_STACK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct stack_memory {
	uint64_t start; /* the thread's address of bytes[0] */
	const uint8_t *bytes;
	size_t byte_cnt;
};

static inline bool stack_memory_read(const struct stack_memory *memory, uint64_t address,
				     void *value, size_t size)
{
	uint64_t at = address - memory->start;

	if (address < memory->start || at > memory->byte_cnt || memory->byte_cnt - at < size)
		return false;
	memcpy(value, memory->bytes + at, size);
	return true;
}

static inline bool stack_memory_word(const struct stack_memory *memory, uint64_t address,
				     uint64_t *word)
{
	return stack_memory_read(memory, address, word, sizeof(*word));
}

#endif
