/* CPython in a process; see python.h. */
#include "python/python.h"
#include "ebpf/wire.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int python_open(pid_t pid, struct python **python, char *why, size_t why_size)
{
	(void)pid;
	*python = NULL;
	snprintf(why, why_size, "not known");
	return -ENOENT;
}

void python_free(struct python *python)
{
	(void)python;
}

uint32_t python_version(const struct python *python)
{
	(void)python;
	return 0;
}

void python_describe(const struct python *python, struct wire_python *wire)
{
	(void)python;
	memset(wire, 0, sizeof(*wire));
}

ssize_t python_threads(struct python *python, struct python_thread *threads, size_t capacity)
{
	(void)python;
	(void)threads;
	(void)capacity;
	return 0;
}

ssize_t python_walk(struct python *python, uint64_t thread_pointer, struct python_frame *frames,
		    size_t capacity)
{
	(void)python;
	(void)thread_pointer;
	(void)frames;
	(void)capacity;
	return 0;
}

int python_place(struct python *python, const struct python_frame *frame,
		 struct python_place *place)
{
	(void)python;
	(void)frame;
	(void)place;
	return -ENOENT;
}

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

bool python_is_eval(const char *function)
{
	return !strcmp(function, "_PyEval_EvalFrameDefault");
}
