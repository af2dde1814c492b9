/*
 * What the files of this layer share: a process's interpreter, and how its objects are read. All
 * that is read is untrusted.
 */
#ifndef CLASSIFY_PYTHON_INTERPRETER_H
#define CLASSIFY_PYTHON_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "python/layouts.h"
#include "python/memory.h"
#include "python/modules.h"
#include "python/page_cache.h"
#include "python/python.h"

struct code_cache;

#define PYTHON_STATES_KEPT 16384

struct python {
	struct python_memory memory;
	struct python_layout layout;
	uint32_t hexversion;
	uint64_t runtime; /* address of _PyRuntime */
	/* Addresses of the types of code objects and strings, once they have proved to be that. */
	uint64_t code_type;
	uint64_t string_type;
	struct code_cache *codes;
	struct python_thread states[PYTHON_STATES_KEPT]; /* where they were found last */
	struct page_cache pages;			 /* for looks at objects; see objects.h */
	struct module_hints hints;
	pid_t own_pid;	   /* in its own namespace; 0: not known yet */
	size_t task_total; /* at the last look */
};

/*
 * Whether @type, an object's type, is called @name. Remembers in @known which one is, and asks the
 * memory no more for that one.
 */
bool type_is(struct python *python, uint64_t type, const char *name, uint64_t *known);

/*
 * Reads the string object at @address as UTF-8, NUL-terminated and cut at a whole character to fit
 * in @size bytes; what can't be encoded, and NUL, is U+FFFD. Returns 0 or -errno.
 */
int string_read(struct python *python, uint64_t address, char *string, size_t size);

/* The state of the thread with @thread_pointer: the one with frames if it has several, of which
 * sub-interpreters have each their own. 0: there is none. */
uint64_t thread_state_find(struct python *python, uint64_t thread_pointer);

#endif
