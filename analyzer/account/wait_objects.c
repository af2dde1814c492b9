/* Merges rows into objects; see wait_objects.h. */
#include <stdlib.h>
#include <string.h>
#include "account/wait_objects.h"
#include "arena.h"

/* Rows of one object, whoever waited for it and in whichever call. */
static int by_object(const struct object_part *left, const struct object_part *right)
{
	const struct obs_wait *a = left->row, *b = right->row;

	if (left->reason != right->reason)
		return (int)left->reason - (int)right->reason;
	if (a->kind != b->kind)
		return (int)a->kind - (int)b->kind;
	if (a->direction != b->direction)
		return (int)a->direction - (int)b->direction;
	if (left->role != right->role)
		return (int)left->role - (int)right->role;
	if (a->operation != b->operation)
		return (int)a->operation - (int)b->operation;
	return strcmp(a->name, b->name);
}

static int by_object_and_call(const void *a, const void *b)
{
	const struct object_part *left = a, *right = b;
	int order = by_object(left, right);

	return order ? order : strcmp(left->row->call, right->row->call);
}

void wait_objects_sort(struct object_part *parts, size_t cnt)
{
	if (cnt)
		qsort(parts, cnt, sizeof(*parts), by_object_and_call);
}

/* Waits for nothing in particular (a sleep, a fault), or for things not kept apart. */
bool wait_has_object(const struct obs_wait *row)
{
	return row->kind != OBJECT_NONE || row->name[0] || row->operation != OPERATION_NONE;
}

const char *wait_object_title(struct arena *arena, const struct obs_wait *row)
{
	switch (row->kind) {
	case OBJECT_FILE:
	case OBJECT_DIRECTORY:
	case OBJECT_BLOCK:
	case OBJECT_TTY:
	case OBJECT_DEVICE:
	case OBJECT_ANON:
	case OBJECT_PIPE:
	case OBJECT_NONE: /* these names speak for themselves */
		if (row->name[0])
			return arena_string(arena, row->name);
		break;
	default:
		break;
	}
	if (row->name[0])
		return arena_printf(arena, "%s %s", object_kind_name(row->kind), row->name);
	if (row->kind == OBJECT_NONE)
		return arena_string(arena, wait_operation_name(row->operation));
	return arena_string(arena, object_kind_name(row->kind));
}

static const char *known_string(struct arena *arena, const char *text)
{
	return text[0] ? arena_string(arena, text) : NULL;
}

static struct report_object new_object(const struct object_part *part, struct arena *arena)
{
	return (struct report_object){
		.name = wait_object_title(arena, part->row),
		.direction = part->row->direction,
		.kind = part->row->kind,
		.role = part->role,
		.operation = part->row->operation,
	};
}

/* Sums the parts from @first on that are one object. Returns how many they are. */
static size_t merge_object(const struct object_part *first, size_t cnt, struct arena *arena,
			   struct report_object *object)
{
	uint64_t call_ns = 0, top_call_ns = 0;
	size_t i;

	*object = new_object(first, arena);
	for (i = 0; i < cnt && !by_object(first, &first[i]); i++) {
		const struct obs_wait *row = first[i].row;

		object->wait_ns += first[i].ns;
		object->wait_cnt += row->wait_cnt;
		call_ns = i && !strcmp(row->call, first[i - 1].row->call) ? call_ns : 0;
		call_ns += first[i].ns;
		if (call_ns > top_call_ns) {
			top_call_ns = call_ns;
			object->call = known_string(arena, row->call);
		}
		if (!object->device)
			object->device = known_string(arena, row->device);
		if (!object->far_end)
			object->far_end = known_string(arena, row->far_end);
	}
	return i;
}

static int by_size(const void *a, const void *b)
{
	const struct report_object *left = a, *right = b;

	if (left->wait_ns != right->wait_ns)
		return left->wait_ns < right->wait_ns ? 1 : -1;
	return strcmp(left->name, right->name);
}

/* Merges the sorted parts of one reason into objects, largest first. Returns how many. */
static size_t merge(const struct object_part *parts, size_t part_cnt, struct arena *arena,
		    struct report_object *objects)
{
	size_t cnt = 0, i = 0;

	while (i < part_cnt) {
		if (!wait_has_object(parts[i].row)) {
			i++;
			continue;
		}
		i += merge_object(&parts[i], part_cnt - i, arena, &objects[cnt]);
		cnt += objects[cnt].wait_ns > 0;
	}
	if (cnt)
		qsort(objects, cnt, sizeof(*objects), by_size);
	return cnt;
}

/* Takes what the objects have too much from the smallest. Returns how many are left. */
static size_t cut(struct report_object *objects, size_t cnt, uint64_t surplus_ns)
{
	while (surplus_ns && cnt) {
		struct report_object *last = &objects[cnt - 1];
		uint64_t cut_ns = last->wait_ns < surplus_ns ? last->wait_ns : surplus_ns;

		last->wait_ns -= cut_ns;
		surplus_ns -= cut_ns;
		if (!last->wait_ns)
			cnt--;
	}
	return cnt;
}

/* Makes the largest objects, and after them one for all others, sum to the wait. Returns how many
 * objects are left. */
static size_t settle(struct report_object *objects, size_t cnt, const struct report_wait *wait)
{
	uint64_t sum_ns = 0, sum_cnt = 0;

	if (cnt > OBJECTS_KEPT)
		cnt = OBJECTS_KEPT;
	for (size_t i = 0; i < cnt; i++) {
		sum_ns += objects[i].wait_ns;
		sum_cnt += objects[i].wait_cnt;
	}
	if (sum_ns > wait->wait_ns)
		return cut(objects, cnt, sum_ns - wait->wait_ns);
	if (cnt && sum_ns < wait->wait_ns)
		objects[cnt++] = (struct report_object){
			.name = "(others)",
			.is_rest = true,
			.role = WAITS_FOR_OTHER,
			.wait_ns = wait->wait_ns - sum_ns,
			.wait_cnt = wait->wait_cnt > sum_cnt ? wait->wait_cnt - sum_cnt : 0,
		};
	return cnt;
}

void wait_objects_list(const struct object_part *parts, size_t cnt, struct arena *arena,
		       struct arena *scratch, struct report_wait *wait)
{
	struct report_object *objects = arena_array(scratch, cnt + 1, sizeof(*objects));
	size_t object_cnt;

	if (!objects)
		return;
	object_cnt = settle(objects, merge(parts, cnt, arena, objects), wait);
	wait->objects = arena_array(arena, object_cnt, sizeof(*objects));
	if (!wait->objects)
		return;
	memcpy(wait->objects, objects, object_cnt * sizeof(*objects));
	wait->object_cnt = object_cnt;
}

static struct report_wait *find_wait(struct report_wait *waits, size_t cnt, enum wait_reason reason)
{
	for (size_t i = 0; i < cnt; i++)
		if (waits[i].reason == reason)
			return &waits[i];
	return NULL;
}

void wait_objects_fill(const struct object_part *parts, size_t cnt, struct arena *arena,
		       struct arena *scratch, struct report_wait *waits, size_t wait_cnt)
{
	size_t next;

	for (size_t first = 0; first < cnt; first = next) {
		struct report_wait *wait = find_wait(waits, wait_cnt, parts[first].reason);

		next = first;
		while (next < cnt && parts[next].reason == parts[first].reason)
			next++;
		if (wait)
			wait_objects_list(parts + first, next - first, arena, scratch, wait);
	}
}
