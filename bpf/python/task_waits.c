/* Tasks that wait for tasks; see task_waits.h. */
#include "python/task_waits.h"

#include <string.h>

#include "python/coroutines.h"
#include "python/interpreter.h"
#include "python/objects.h"
#include "python/python.h"
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

/* Functions of asyncio that make a future, have tasks complete it, and await it. */
static bool is_asyncio_wait(struct objects *objects, const struct python_frame *frame)
{
	const struct python_layout *layout = &objects->python->layout;
	char name[FUNCTION_NAME_MAX], file[PYTHON_PATH_BYTES];
	uint64_t argument = coroutine_argument(objects, frame);
	bool is_wait, is_group;

	if (string_read(objects->python, object_word(objects, frame->code + layout->code_name),
			name, sizeof(name)))
		return false;
	is_wait = !strcmp(name, "_wait") || !strcmp(name, "wait_for");
	is_group = !strcmp(name, "TaskGroup.__aexit__") || !strcmp(name, "TaskGroup._aexit");
	if ((!is_wait && !is_group) ||
	    string_read(objects->python, object_word(objects, frame->code + layout->code_file),
			file, sizeof(file)))
		return false;
	if (is_group)
		return ends_with(file, "/asyncio/taskgroups.py");
	return ends_with(file, "/asyncio/tasks.py") &&
	       (is_pending_task(objects, argument) || any_in_set(objects, argument));
}

bool task_waits_for_task(struct objects *objects, uint64_t waiter,
			 const struct python_frame *frames, size_t frame_cnt)
{
	struct object_type type;

	if (is_pending_task(objects, waiter))
		return true;
	if (!object_type_of(objects, waiter, &type))
		return false;
	if (!strcmp(type.name, "_GatheringFuture"))
		return any_in_list(objects, object_attribute(objects, waiter, "_children"));
	return is_shield(objects, waiter) || (frame_cnt && is_asyncio_wait(objects, frames));
}
