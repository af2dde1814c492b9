/* The memory of an interpreter; see memory.h. */
#include "python/memory.h"

#include "target_memory.h"

#define FIRST_ADDRESS 4096
#define LAST_ADDRESS  (1ULL << 56) /* with five levels of page tables */

static bool read_process(void *context, uint64_t address, void *bytes, size_t len)
{
	return target_memory_read(*(pid_t *)context, address, bytes, len);
}

void memory_of_process(struct python_memory *memory, pid_t pid)
{
	memory->pid = pid;
	memory->context = &memory->pid;
	memory->read = read_process;
}

bool memory_read(const struct python_memory *memory, uint64_t address, void *bytes, size_t len)
{
	return address >= FIRST_ADDRESS && address < LAST_ADDRESS - len &&
	       memory->read(memory->context, address, bytes, len);
}

uint64_t memory_word(const struct python_memory *memory, uint64_t address)
{
	uint64_t word;

	return memory_read(memory, address, &word, sizeof(word)) ? word : 0;
}
