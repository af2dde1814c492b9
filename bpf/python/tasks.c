/* Tasks of the event loop that a thread runs; see python.h. */
#include <errno.h>
#include <string.h>

#include "python/coroutines.h"
#include "python/interpreter.h"
#include "python/objects.h"
#include "python/python.h"
#include "python/task_fields.h"
#include "python/task_waits.h"

#define WEAKREF_OBJECT 16
#define SCATTER	       2654435761U

struct task_list {
	struct python_task *tasks;
	size_t capacity;
	size_t cnt;
};

/* Waits the task at @object of @loop for something? Then it is added. */
static void add_task(struct objects *objects, uint64_t object, uint64_t loop,
		     struct task_list *list)
{
	struct task_fields fields;
	struct python_task *task;

	if (!task_fields_read(objects, object, &fields) || !fields.is_pending || !fields.waiter ||
	    fields.loop != loop)
		return;
	task = &list->tasks[list->cnt];
	if (task_name_read(objects, fields.name, task->name, sizeof(task->name)))
		return;
	list->cnt++;
	task->is_named = !task_name_is_default(task->name);
	task->frame_cnt = coroutine_frames(objects, fields.coroutine, task->frames,
					   sizeof(task->frames) / sizeof(task->frames[0]));
	task->wait = task_wait(objects, fields.waiter, task->frames, task->frame_cnt);
}

/* About how many there are, after @seen_cnt of @all_cnt references have been followed. */
static size_t estimate(const struct task_list *list, uint64_t seen_cnt, uint64_t all_cnt)
{
	if (list->cnt < list->capacity || !seen_cnt || seen_cnt >= all_cnt)
		return list->cnt;
	return (size_t)((double)list->cnt * (double)all_cnt / (double)seen_cnt);
}

/*
 * @tasks is a WeakSet: a set of weak references. What doesn't fit is left to the next look, which
 * begins elsewhere. Returns about how many there are.
 */
static size_t read_tasks(struct objects *objects, uint64_t tasks, uint64_t loop,
			 struct task_list *list)
{
	uint64_t begin = objects->python->pages.look * SCATTER;
	uint64_t seen_cnt = 0;
	struct object_set set;

	if (!object_set_open(objects, object_attribute(objects, tasks, "data"), &set))
		return 0;
	for (uint64_t i = 0; i < set.slot_cnt && list->cnt < list->capacity; i++) {
		uint64_t slot = (begin + i) % set.slot_cnt;
		uint64_t reference = object_set_slot(objects, &set, slot);

		if (object_kind_of(objects, reference) != OBJECT_WEAKREF)
			continue;
		seen_cnt++;
		add_task(objects, object_word(objects, reference + WEAKREF_OBJECT), loop, list);
	}
	return estimate(list, seen_cnt, set.used_cnt);
}

ssize_t python_tasks(struct python *python, uint64_t thread_pointer, struct python_task *tasks,
		     size_t capacity)
{
	struct task_list list = { .tasks = tasks, .capacity = capacity };
	struct objects objects;
	uint64_t state, loop;
	int error = objects_begin(&objects, python);

	python->task_total = 0;
	if (error)
		return error;
	state = thread_state_find(python, thread_pointer);
	loop = state ? module_running_loop(&objects, state) : 0;
	if (loop)
		python->task_total =
			read_tasks(&objects, module_tasks(&objects, state), loop, &list);
	objects_end(&objects);
	return (ssize_t)list.cnt;
}

size_t python_task_total(const struct python *python)
{
	return python->task_total;
}

/* The task that @loop runs, by the dict @current. */
static uint64_t current_task(struct objects *objects, uint64_t current, uint64_t loop)
{
	struct object_dict dict;
	struct object_dict_entry entry;

	if (!object_dict_open(objects, current, &dict))
		return 0;
	for (uint64_t i = 0; object_dict_entry(objects, &dict, i, &entry); i++)
		if (entry.key == loop && entry.value)
			return entry.value;
	return 0;
}

int python_current_task(struct python *python, uint64_t thread_pointer, char *name, size_t size)
{
	struct task_fields fields;
	struct objects objects;
	uint64_t state, loop, task = 0;
	int error = objects_begin(&objects, python);

	if (error)
		return error;
	state = thread_state_find(python, thread_pointer);
	loop = state ? module_running_loop(&objects, state) : 0;
	if (loop)
		task = current_task(&objects, module_current_tasks(&objects, state), loop);
	error = task && task_fields_read(&objects, task, &fields)
			? task_name_read(&objects, fields.name, name, size)
			: -ENOENT;
	objects_end(&objects);
	return error;
}
