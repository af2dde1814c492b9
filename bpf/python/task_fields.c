/* The fields of asyncio tasks; see task_fields.h. */
#include "python/task_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "python/interpreter.h"
#include "python/objects.h"

#define TASK_LOOP    16
#define DEFAULT_NAME "Task-"

/*
 * TaskObj of _asyncio. Fields came and went in its first part, in patch releases too (3.10), so
 * that what matters is counted from its end, and the state from its dict, which the type tells.
 * From 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0.
 */
struct task_layout {
	uint32_t version;
	uint32_t coroutine_from_end; /* the awaited future is before it, the name behind it */
	uint32_t state_before_dict;
	uint32_t state_from_end; /* where there is no dict */
};

static const struct task_layout layouts[] = {
	{ 0x0308, 32, 16, 0 }, { 0x0309, 32, 16, 0 }, { 0x030a, 32, 16, 0 },
	{ 0x030b, 40, 16, 0 }, { 0x030c, 40, 16, 0 }, { 0x030d, 24, 0, 48 },
};

static const struct task_layout *layout_of(const struct objects *objects)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == objects->python->layout.version)
			return &layouts[i];
	return NULL;
}

static bool read_of_c(struct objects *objects, uint64_t object, const struct object_type *type,
		      struct task_fields *fields)
{
	const struct task_layout *layout = layout_of(objects);
	uint64_t coroutine = object + type->instance_bytes;
	uint64_t state = coroutine;

	if (!layout || (layout->state_before_dict && type->dict_offset <= 0))
		return false;
	coroutine -= layout->coroutine_from_end;
	state = layout->state_before_dict
			? object + (uint64_t)type->dict_offset - layout->state_before_dict
			: state - layout->state_from_end;
	fields->loop = object_word(objects, object + TASK_LOOP);
	fields->waiter = object_word(objects, coroutine - sizeof(uint64_t));
	fields->coroutine = object_word(objects, coroutine);
	fields->name = object_word(objects, coroutine + sizeof(uint64_t));
	fields->is_pending = !(object_word(objects, state) & UINT32_MAX);
	return true;
}

static bool read_of_python(struct objects *objects, uint64_t object, struct task_fields *fields)
{
	fields->loop = object_attribute(objects, object, "_loop");
	fields->waiter = object_attribute(objects, object, "_fut_waiter");
	fields->coroutine = object_attribute(objects, object, "_coro");
	fields->name = object_attribute(objects, object, "_name");
	/* Until it is done, only the class has a state. */
	fields->is_pending = !object_attribute(objects, object, "_state");
	return fields->coroutine != 0;
}

bool task_fields_read(struct objects *objects, uint64_t object, struct task_fields *fields)
{
	struct object_type type, base;

	memset(fields, 0, sizeof(*fields));
	if (!object_type_of(objects, object, &type))
		return false;
	if (object_type_base(objects, &type, "_asyncio.Task", &base)) {
		if (!read_of_c(objects, object, &base, fields))
			return false;
	} else if (!object_type_base(objects, &type, "Task", &base) ||
		   !read_of_python(objects, object, fields)) {
		return false;
	}
	if (object_is_none(objects, fields->waiter))
		fields->waiter = 0;
	return true;
}

int task_name_read(struct objects *objects, uint64_t name, char *text, size_t size)
{
	uint64_t number;

	if (!object_int(objects, name, &number))
		return string_read(objects->python, name, text, size);
	snprintf(text, size, DEFAULT_NAME "%" PRIu64, number);
	return 0;
}

bool task_name_is_default(const char *name)
{
	size_t len = strlen(DEFAULT_NAME);

	return !strncmp(name, DEFAULT_NAME, len) && name[len] &&
	       !name[len + strspn(name + len, "0123456789")];
}
