/*
 * Where the memory of an interpreter is read from: a process, or in tests whatever they make up.
 * What is read is untrusted, and may change from one read to the next.
 */
#ifndef CLASSIFY_PYTHON_MEMORY_H
#define CLASSIFY_PYTHON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct python_memory {
	/* Reads @len bytes at @address; false, and anything in @bytes, when it can't. */
	bool (*read)(void *context, uint64_t address, void *bytes, size_t len);
	void *context;
	pid_t pid; /* for memory_of_process() */
};

/* Makes @memory that of process @pid; @memory may not be moved afterwards. */
void memory_of_process(struct python_memory *memory, pid_t pid);

/* False also for addresses that no user's memory has. */
bool memory_read(const struct python_memory *memory, uint64_t address, void *bytes, size_t len);

/* A word; 0 when it can't be read. */
uint64_t memory_word(const struct python_memory *memory, uint64_t address);

#endif
