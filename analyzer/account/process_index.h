/* Finds a process of an observation by its pid without walking them all: trees can be large. */
#ifndef CLASSIFY_PROCESS_INDEX_H
#define CLASSIFY_PROCESS_INDEX_H

#include "observation/observation.h"

struct arena;

struct process_index {
	const struct obs_process *processes;
	size_t cnt;
	size_t *by_pid; /* positions in processes, sorted by pid, then by position */
};

/* Returned by process_index_find() for a pid that is not there. */
#define NO_PROCESS ((size_t)-1)

/* Builds the index in @arena; when out of memory (sticky there) nothing will be found. */
void process_index_init(struct process_index *index, const struct observation *obs,
			struct arena *arena);

/* Returns the position in obs->processes of the first process with @pid, or NO_PROCESS. */
size_t process_index_find(const struct process_index *index, pid_t pid);

/* The same as a pointer, or NULL. */
const struct obs_process *process_index_get(const struct process_index *index, pid_t pid);

#endif
