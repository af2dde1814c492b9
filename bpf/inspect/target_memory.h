/* Reads the memory of a live process, without stopping it. */
#ifndef CLASSIFY_TARGET_MEMORY_H
#define CLASSIFY_TARGET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads @len bytes at @address of @pid to @bytes. False, and anything in @bytes, when not all of
 * them could be read: an address not mapped, no right to, the process gone. */
bool target_memory_read(pid_t pid, uint64_t address, void *bytes, size_t len);

#endif
