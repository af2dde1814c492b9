/* The names that threading gave to threads; see python.h. */
#include <errno.h>

#include "python/interpreter.h"
#include "python/objects.h"
#include "python/python.h"

/* The Thread object in @threads, a dict by the number that pthread_self() returned. */
static uint64_t find_thread(struct objects *objects, uint64_t threads, uint64_t thread_pointer)
{
	struct object_dict dict;
	struct object_dict_entry entry;
	uint64_t number;

	if (!object_dict_open(objects, threads, &dict))
		return 0;
	for (uint64_t i = 0; object_dict_entry(objects, &dict, i, &entry); i++)
		if (entry.value && object_int(objects, entry.key, &number) &&
		    number == thread_pointer)
			return entry.value;
	return 0;
}

int python_thread_name(struct python *python, uint64_t thread_pointer, char *name, size_t size)
{
	struct objects objects;
	uint64_t state, thread = 0, text = 0;
	int error = objects_begin(&objects, python);

	if (error)
		return error;
	state = thread_state_find(python, thread_pointer);
	if (state)
		thread = find_thread(&objects, module_threads(&objects, state), thread_pointer);
	if (thread)
		text = object_attribute(&objects, thread, "_name");
	error = text ? string_read(python, text, name, size) : -ENOENT;
	objects_end(&objects);
	return error;
}
