/*
 * What modules of the standard library keep about threads and event loops, in the interpreter that
 * a thread runs.
 */
#ifndef CLASSIFY_PYTHON_MODULES_H
#define CLASSIFY_PYTHON_MODULES_H

#include <stdint.h>

#include "python/objects.h"

/* Where things were at the last look. All zeroes: not known. */
struct module_hints {
	struct object_hint threading;
	struct object_hint threading_active;
	struct object_hint tasks;
	struct object_hint tasks_all;
	struct object_hint tasks_current;
	struct object_hint running_loop;
};

/* threading._active, a dict of Thread objects by their thread pointer; 0: none. */
uint64_t module_threads(struct objects *objects, uint64_t thread_state);

/* The WeakSet of the tasks of all event loops; 0: none. */
uint64_t module_tasks(struct objects *objects, uint64_t thread_state);

/* A dict of the task that each event loop runs now; 0: none. */
uint64_t module_current_tasks(struct objects *objects, uint64_t thread_state);

/* The event loop that runs in the thread; 0: none. */
uint64_t module_running_loop(struct objects *objects, uint64_t thread_state);

#endif
