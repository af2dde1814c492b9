/*
 * Libraries that matter to a concurrency model, told by the files that a process has mapped: those
 * that block an event loop, and those that compute without an interpreter's lock.
 */
#ifndef CLASSIFY_LIBRARIES_H
#define CLASSIFY_LIBRARIES_H

#include "decide/runtime.h"

struct library {
	enum runtime_id runtime;
	const char *directory; /* that its file lies in, as "psycopg2/"; NULL: any */
	const char *file;      /* its name without what follows ".", or NULL: any */
	const char *name;
	const char *instead; /* on an event loop; NULL: not for this table */
};

#define LIBRARIES_FOUND_MAX 8

/* Finds libraries in the modules of @process that block the loop that they are called on, each
 * once, at most LIBRARIES_FOUND_MAX. Returns how many. */
size_t libraries_that_block(enum runtime_id runtime, const struct obs_process *process,
			    const struct library **found);

/* A library of @process that computes for long without the GIL (NumPy ...); NULL: none. What comes
 * with every program (zlib, hashlib) tells nothing and isn't looked for. */
const struct library *library_without_gil(const struct obs_process *process);

#endif
