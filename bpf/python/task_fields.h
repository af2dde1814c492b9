/* What an asyncio task says of itself, whether it is C's or Python's. */
#ifndef CLASSIFY_PYTHON_TASK_FIELDS_H
#define CLASSIFY_PYTHON_TASK_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct objects;

struct task_fields {
	uint64_t loop;
	uint64_t waiter; /* the future that it awaits; 0: none */
	uint64_t coroutine;
	uint64_t name;
	bool is_pending; /* not done */
};

/* Reads the task at @object. False: it is none. */
bool task_fields_read(struct objects *objects, uint64_t object, struct task_fields *fields);

/* Reads the name: a str, or since 3.12 a number for "Task-12". Returns 0 or -errno. */
int task_name_read(struct objects *objects, uint64_t name, char *text, size_t size);

/* Is it one that asyncio gives to tasks without a name? */
bool task_name_is_default(const char *name);

#endif
