/* What tasks wait for; see task_waits.h. */
#include "python/task_waits.h"

#include <string.h>

#include "python/coroutines.h"
#include "python/interpreter.h"
#include "python/objects.h"
#include "python/task_fields.h"

#define FUTURE_CALLBACK	  24 /* the first of its callbacks; the same in all versions */
#define CELL_CONTENT	  16
#define FUNCTION_NAME_MAX 64
/* A task that waits for more than these has one that isn't done among the first. */
#define WAITED_FOR_MAX 1024

static bool is_pending_task(struct objects *objects, uint64_t object)
{
	struct task_fields fields;

	return object && task_fields_read(objects, object, &fields) && fields.is_pending;
}

static bool any_in_list(struct objects *objects, uint64_t list)
{
	uint64_t cnt = object_size(objects, list, WAITED_FOR_MAX);

	if (object_kind_of(objects, list) != OBJECT_LIST)
		return false;
	for (uint64_t i = 0; i < cnt; i++)
		if (is_pending_task(objects, object_list_item(objects, list, i)))
			return true;
	return false;
}

static bool any_in_set(struct objects *objects, uint64_t object)
{
	struct object_set set;

	if (!object_set_open(objects, object, &set))
		return false;
	for (uint64_t i = 0; i < set.slot_cnt && i < WAITED_FOR_MAX; i++)
		if (is_pending_task(objects, object_set_slot(objects, &set, i)))
			return true;
	return false;
}

/* shield() gives its future a callback that knows the task inside. */
static bool is_shield(struct objects *objects, uint64_t waiter)
{
	uint64_t callback = object_word(objects, waiter + FUTURE_CALLBACK);
	char name[FUNCTION_NAME_MAX];
	uint64_t closure, cnt;

	if (object_kind_of(objects, callback) != OBJECT_FUNCTION ||
	    string_read(objects->python, object_function_name(objects, callback), name,
			sizeof(name)) ||
	    strcmp(name, "shield.<locals>._outer_done_callback") != 0)
		return false;
	closure = object_function_closure(objects, callback);
	if (object_kind_of(objects, closure) != OBJECT_TUPLE)
		return false;
	cnt = object_size(objects, closure, 8);
	for (uint64_t i = 0; i < cnt; i++)
		if (is_pending_task(objects,
				    object_word(objects, object_tuple_item(objects, closure, i) +
								 CELL_CONTENT)))
			return true;
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* Functions of asyncio that await a future of their own making; up to 3.10 by their plain names. */
static const struct {
	const char *file;
	const char *function;
	enum python_task_wait wait; /* for tasks: if those in its first argument aren't done */
} waiting_functions[] = {
	{ "/asyncio/tasks.py", "sleep", PYTHON_TASK_WAITS_TIME },
	{ "/asyncio/tasks.py", "_wait", PYTHON_TASK_WAITS_TASK },
	{ "/asyncio/tasks.py", "wait_for", PYTHON_TASK_WAITS_TASK },
	{ "/asyncio/taskgroups.py", "TaskGroup.__aexit__", PYTHON_TASK_WAITS_TASK },
	{ "/asyncio/taskgroups.py", "TaskGroup._aexit", PYTHON_TASK_WAITS_TASK },
	{ "/asyncio/locks.py", "acquire", PYTHON_TASK_WAITS_INSIDE },
	{ "/asyncio/locks.py", "Lock.acquire", PYTHON_TASK_WAITS_INSIDE },
	{ "/asyncio/locks.py", "Semaphore.acquire", PYTHON_TASK_WAITS_INSIDE },
	{ "/asyncio/queues.py", "get", PYTHON_TASK_WAITS_INSIDE },
	{ "/asyncio/queues.py", "put", PYTHON_TASK_WAITS_INSIDE },
	{ "/asyncio/queues.py", "Queue.get", PYTHON_TASK_WAITS_INSIDE },
	{ "/asyncio/queues.py", "Queue.put", PYTHON_TASK_WAITS_INSIDE },
};

#define WAITING_FUNCTION_CNT (sizeof(waiting_functions) / sizeof(waiting_functions[0]))

/* A TaskGroup has nothing else to wait for; wait() and wait_for() take futures, too. */
static bool has_task(struct objects *objects, const struct python_frame *frame, const char *file)
{
	uint64_t argument = coroutine_argument(objects, frame);

	return ends_with(file, "/asyncio/taskgroups.py") || is_pending_task(objects, argument) ||
	       any_in_set(objects, argument);
}

static enum python_task_wait wait_of_frame(struct objects *objects,
					   const struct python_frame *frame)
{
	const struct python_layout *layout = &objects->python->layout;
	char name[FUNCTION_NAME_MAX], file[PYTHON_PATH_BYTES] = "";

	if (string_read(objects->python, object_word(objects, frame->code + layout->code_name),
			name, sizeof(name)))
		return PYTHON_TASK_WAITS;
	for (size_t i = 0; i < WAITING_FUNCTION_CNT; i++) {
		if (strcmp(name, waiting_functions[i].function) != 0)
			continue;
		if (!*file && string_read(objects->python,
					  object_word(objects, frame->code + layout->code_file),
					  file, sizeof(file)))
			return PYTHON_TASK_WAITS;
		if (!ends_with(file, waiting_functions[i].file))
			continue;
		return waiting_functions[i].wait != PYTHON_TASK_WAITS_TASK ||
				       has_task(objects, frame, file)
			       ? waiting_functions[i].wait
			       : PYTHON_TASK_WAITS;
	}
	return PYTHON_TASK_WAITS;
}

static bool is_task_itself(struct objects *objects, uint64_t waiter)
{
	struct object_type type;

	if (is_pending_task(objects, waiter))
		return true;
	if (!object_type_of(objects, waiter, &type))
		return false;
	if (!strcmp(type.name, "_GatheringFuture"))
		return any_in_list(objects, object_attribute(objects, waiter, "_children"));
	return is_shield(objects, waiter);
}

enum python_task_wait task_wait(struct objects *objects, uint64_t waiter,
				const struct python_frame *frames, size_t frame_cnt)
{
	if (is_task_itself(objects, waiter))
		return PYTHON_TASK_WAITS_TASK;
	return frame_cnt ? wait_of_frame(objects, frames) : PYTHON_TASK_WAITS;
}
