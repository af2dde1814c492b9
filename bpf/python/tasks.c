/* Tasks of event loops and names of threads; see python.h. */
#include <errno.h>

#include "python/python.h"

int python_thread_name(struct python *python, uint64_t thread_pointer, char *name, size_t size)
{
	(void)python;
	(void)thread_pointer;
	(void)name;
	(void)size;
	return -ENOENT;
}

ssize_t python_tasks(struct python *python, uint64_t thread_pointer, struct python_task *tasks,
		     size_t capacity)
{
	(void)python;
	(void)thread_pointer;
	(void)tasks;
	(void)capacity;
	return -ENOTSUP;
}
