/*
 * What lies at an address of a live process, in words: a symbol of a mapped file, the heap, a
 * thread's stack, shared memory. Names locks, which the kernel knows by address only.
 */
#ifndef CLASSIFY_MEMORY_PLACE_H
#define CLASSIFY_MEMORY_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping;

/* All mappings of one process, as read last. Zeroed: none read yet. */
struct memory_map {
	pid_t pid;
	struct mapping *mappings; /* in address order */
	size_t cnt;
};

/* The thread that uses the address, to tell whether it lies on that thread's own stack. */
struct memory_user {
	uint64_t stack;		 /* its stack pointer; 0: not known */
	uint64_t thread_pointer; /* where its stack ends, at the latest */
	const char *comm;
};

void memory_map_release(struct memory_map *map);

/*
 * Writes what lies at @address of @pid to @name: "symbol (module)", "symbol+0x8 (module)",
 * "module+0x4010", "heap 0x55..", "stack of comm 0x7f..", "shared memory /dev/shm/x+0x40", and
 * "0x7f.." where none of them is certain or the process is gone. The mappings are read again when
 * @map is of another process or has nothing at the address. Untrusted bytes, always terminated.
 */
void memory_place_name(struct memory_map *map, pid_t pid, uint64_t address,
		       const struct memory_user *user, char *name, size_t size);

#endif
