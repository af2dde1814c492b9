/* Modules of the standard library; see modules.h. */
#include "python/modules.h"

#include <string.h>

#include "pid_numbers.h"
#include "python/interpreter.h"

#define MODULE_DICT	   16
#define LOOP_HOLDER_LOOP   16
#define LOOP_HOLDER_PID	   24
#define RUNNING_LOOP_KEY   "__asyncio_running_event_loop__"
#define INTERPRETER_MAX	   (1U << 20)
#define THREAD_STATE_MAX   4096U
#define DEBUG_MODULES_WORD 11 /* _Py_DebugOffsets of 3.13: interpreter_state.imports_modules */
#define DEBUG_THREAD_WORD  19 /* thread_state.size */

/* By offsetof() in the internal headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1. */
static const struct {
	uint32_t version;
	uint32_t interpreter_modules;
	uint32_t thread_dict;
} layouts[] = {
	{ 0x0308, 56, 152 },  { 0x0309, 856, 152 }, { 0x030a, 856, 152 },
	{ 0x030b, 888, 128 }, { 0x030c, 944, 112 },
};

struct place {
	uint32_t modules;     /* in the interpreter */
	uint32_t thread_dict; /* in the thread state; 0: the loop isn't there */
	uint32_t thread_loop;
};

/* Of 3.13 the runtime tells itself; asyncio's loop follows the public part of the thread state. */
static bool place_of_debug_offsets(struct objects *objects, struct place *place)
{
	uint64_t runtime = objects->python->runtime;
	uint64_t modules = object_word(objects, runtime + DEBUG_MODULES_WORD * sizeof(uint64_t));
	uint64_t thread = object_word(objects, runtime + DEBUG_THREAD_WORD * sizeof(uint64_t));

	if (!modules || modules >= INTERPRETER_MAX || !thread || thread >= THREAD_STATE_MAX)
		return false;
	*place = (struct place){ .modules = (uint32_t)modules, .thread_loop = (uint32_t)thread };
	return true;
}

static bool find_place(struct objects *objects, struct place *place)
{
	uint32_t version = objects->python->layout.version;

	if (version >= 0x030d)
		return place_of_debug_offsets(objects, place);
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].version != version)
			continue;
		*place = (struct place){ .modules = layouts[i].interpreter_modules,
					 .thread_dict = layouts[i].thread_dict };
		return true;
	}
	return false;
}

/* What @module of sys.modules calls @name. */
static uint64_t find(struct objects *objects, uint64_t thread_state, const char *module,
		     struct object_hint *module_hint, const char *name,
		     struct object_hint *name_hint)
{
	uint64_t interpreter =
		object_word(objects, thread_state + objects->python->layout.thread_interpreter);
	struct place place;
	uint64_t found;

	if (!interpreter || !find_place(objects, &place))
		return 0;
	found = object_dict_find(objects, object_word(objects, interpreter + place.modules), module,
				 module_hint);
	if (object_kind_of(objects, found) != OBJECT_MODULE)
		return 0;
	return object_dict_find(objects, object_word(objects, found + MODULE_DICT), name,
				name_hint);
}

uint64_t module_threads(struct objects *objects, uint64_t thread_state)
{
	struct module_hints *hints = &objects->python->hints;

	return find(objects, thread_state, "threading", &hints->threading, "_active",
		    &hints->threading_active);
}

uint64_t module_tasks(struct objects *objects, uint64_t thread_state)
{
	struct module_hints *hints = &objects->python->hints;
	/* From 3.12 on there is a set of eager tasks, too: of those that haven't yet waited. */
	const char *name =
		objects->python->layout.version >= 0x030c ? "_scheduled_tasks" : "_all_tasks";

	return find(objects, thread_state, "asyncio.tasks", &hints->tasks, name, &hints->tasks_all);
}

uint64_t module_current_tasks(struct objects *objects, uint64_t thread_state)
{
	struct module_hints *hints = &objects->python->hints;

	return find(objects, thread_state, "asyncio.tasks", &hints->tasks, "_current_tasks",
		    &hints->tasks_current);
}

/* The process's number as it sees it itself. */
static pid_t own_number(struct python *python)
{
	pid_t inside;

	if (!python->own_pid && python->memory.pid) {
		inside = pid_number_in_container(python->memory.pid);
		python->own_pid = inside ? inside : python->memory.pid;
	}
	return python->own_pid;
}

/* Up to 3.11 the loop is in a holder, with the process that runs it: a forked child, which has the
 * holder too, doesn't. */
static uint64_t loop_of_holder(struct objects *objects, uint64_t holder)
{
	pid_t own = own_number(objects->python);
	pid_t pid = (pid_t)object_word(objects, holder + LOOP_HOLDER_PID);

	return !own || own == pid ? object_word(objects, holder + LOOP_HOLDER_LOOP) : 0;
}

uint64_t module_running_loop(struct objects *objects, uint64_t thread_state)
{
	struct object_type type;
	struct place place;
	uint64_t loop;

	if (!find_place(objects, &place))
		return 0;
	if (place.thread_dict) {
		loop = object_dict_find(objects,
					object_word(objects, thread_state + place.thread_dict),
					RUNNING_LOOP_KEY, &objects->python->hints.running_loop);
		if (object_type_of(objects, loop, &type) &&
		    !strcmp(type.name, "_RunningLoopHolder"))
			loop = loop_of_holder(objects, loop);
	} else {
		loop = object_word(objects, thread_state + place.thread_loop);
	}
	return object_is_none(objects, loop) ? 0 : loop;
}
