/*
 * CPython in a process: its version, and where its runtime and its global interpreter lock (GIL)
 * lie. docs/procfs.md has the offsets and how they were verified.
 */
#ifndef CLASSIFY_GIL_H
#define CLASSIFY_GIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "inspect.h"

struct mapped_files;

struct python_runtime {
	uint32_t hexversion; /* 0x030b0000-like; 0: no CPython is mapped */
	uint64_t address;    /* of _PyRuntime; 0: not found */
	bool is_free_threaded;
	bool gil_is_known;
	struct gil_range gil;
};

/*
 * Looks for CPython among @maps of @pid (exe is the file at @exe_path, "" if not known). Before
 * the interpreter has initialised itself, the version is found and the GIL is not: ask again.
 */
void python_runtime_find(pid_t pid, const struct mapped_files *maps, const char *exe_path,
			 struct python_runtime *runtime);

/* The version in a file name like python3.11, libpython3.13t.so.1.0; 0 if there is none. */
uint32_t python_version_of_name(const char *path);

#endif
