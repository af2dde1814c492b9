/* See stack_names.h. */
#include "stack_names.h"
#include "code/code_file.h"
#include "code/function_starts.h"
#include "key_set.h"
#include "observation/observation.h"
#include "python/merge.h"
#include "python/python.h"
#include "stack_table.h"
#include "symbols/symbols.h"
#include "unwind/unwind.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A stack with its inlined functions and its kernel's and Python's frames. */
#define FRAMES_MAX 1024
#define PARTS_MAX  512

/* A place in code, of which nothing but what names it counts. */
struct place {
	uint32_t kind;
	uint32_t owner;
	uint64_t address;
};

/* The frames that a place stands for, innermost first: numbers of frames. */
struct place_frames {
	uint32_t frames[SYMBOL_INLINED_MAX];
	uint32_t cnt;
	struct merge_native merge; /* what it is to Python */
};

/* A node of the observation's tree of calls. */
struct call_key {
	uint32_t frame;
	uint32_t caller;
	uint32_t is_complete;
};

/* What times are kept apart by. */
struct time_key {
	uint32_t call;
	uint32_t thread;
	uint32_t task;
	uint32_t wait;
	uint32_t is_divided;
};

struct names {
	const struct stack_naming *naming;
	struct observation *obs;
	struct key_set places;		 /* struct place: struct place_frames */
	struct function_starts **starts; /* by number of code file */
	bool *are_starts_read;
	struct key_set frames; /* struct obs_frame, its strings of the pool */
	struct key_set calls;  /* struct call_key */
	struct key_set times;  /* struct time_key: struct stack_sum */
};

/* A stack while it is put together: numbers of frames, innermost first. */
struct assembly {
	uint32_t frames[FRAMES_MAX];
	size_t cnt;
};

static const char *keep(struct names *names, const char *text)
{
	const char *kept = observation_intern(names->obs, text, strlen(text));

	return kept ? kept : "";
}

/* --- frames --- */

static uint32_t frame_number(struct names *names, const struct obs_frame *frame)
{
	struct obs_frame key, *added;
	uint32_t number;

	memset(&key, 0, sizeof(key));
	key.function = keep(names, frame->function);
	key.file = keep(names, frame->file);
	key.module = keep(names, frame->module);
	key.line = frame->line;
	key.first_line = frame->first_line;
	key.language = frame->language;
	key.is_inlined = frame->is_inlined;
	key.address = frame->address;
	number = key_set_add(&names->frames, &key);
	if (number == KEY_SET_FULL || number < names->obs->frame_cnt)
		return number;
	added = observation_add_frame(names->obs);
	if (!added)
		return KEY_SET_FULL;
	*added = key;
	return number;
}

/* Fills @found with what is at a place of machine code; @module is where that is. */
static size_t find_symbols(struct names *names, const struct place *place,
			   struct symbol found[SYMBOL_INLINED_MAX], const char **module)
{
	const struct stack_naming *naming = names->naming;
	struct code_file *file;

	found[0] = (struct symbol){ .function = "", .file = "" };
	*module = "";
	switch (place->kind) {
	case PLACE_NATIVE:
		file = code_files_at(naming->files, place->owner);
		*module = file->path;
		if (naming->reading)
			naming->reading(naming->context, file);
		return symbols_find(naming->symbols, file, place->address, found);
	case PLACE_JIT:
		*module = "[jit]";
		return symbols_find_jit(naming->symbols, (pid_t)place->owner, place->address,
					found);
	case PLACE_KERNEL:
		*module = "[kernel]";
		symbols_find_kernel(naming->symbols, place->address, found);
		return 1;
	default:
		return 1;
	}
}

/* What stands for an address without a name: where its function begins, if that is known. */
static uint64_t nameless_address(struct names *names, const struct place *place)
{
	uint64_t start;

	if (place->kind != PLACE_NATIVE)
		return place->address;
	if (!names->are_starts_read[place->owner]) {
		names->are_starts_read[place->owner] = true;
		names->starts[place->owner] =
			function_starts_read(code_files_at(names->naming->files, place->owner)->fd);
	}
	start = function_starts_find(names->starts[place->owner], place->address);
	return start ? start : place->address;
}

static void name_code(struct names *names, const struct place *place, struct place_frames *frames)
{
	struct symbol found[SYMBOL_INLINED_MAX];
	const char *module;
	size_t cnt = find_symbols(names, place, found, &module);
	uint64_t address = found[cnt - 1].function[0] ? 0 : nameless_address(names, place);

	for (size_t i = 0; i < cnt; i++) {
		const struct obs_frame frame = { .function = found[i].function,
						 .file = found[i].file,
						 .line = found[i].line,
						 .first_line = found[i].first_line,
						 .module = module,
						 .address = address,
						 .language = found[i].language,
						 .is_inlined = found[i].is_inlined };
		uint32_t number = frame_number(names, &frame);

		if (number != KEY_SET_FULL)
			frames->frames[frames->cnt++] = number;
	}
	frames->merge = (struct merge_native){
		.is_eval = python_is_eval(found[cnt - 1].function),
		.is_interpreter = python_is_interpreter(module),
		.is_start = python_is_start(found[cnt - 1].function),
	};
}

static void name_python(struct names *names, const struct place *place, struct place_frames *frames)
{
	const struct stack_python_place *at =
		key_set_at(&names->naming->table->python_places, place->owner);
	const struct obs_frame frame = { .function = at->function,
					 .file = at->file,
					 .line = at->line,
					 .first_line = at->first_line,
					 .module = "",
					 .language = LANGUAGE_PYTHON };
	/* Code that was gone before it could be read has no name, and tells nothing. */
	uint32_t number = at->function[0] ? frame_number(names, &frame) : KEY_SET_FULL;

	if (number != KEY_SET_FULL)
		frames->frames[frames->cnt++] = number;
}

/* The frames of a node's place, named once. NULL: out of memory. */
static const struct place_frames *frames_of(struct names *names, const struct stack_node *node)
{
	struct place place = { .kind = node->kind, .owner = node->owner };
	uint32_t number, before = names->places.cnt;
	struct place_frames *frames;

	if (node->kind != PLACE_PYTHON)
		place.address = node->address;
	number = key_set_add(&names->places, &place);
	if (number == KEY_SET_FULL)
		return NULL;
	frames = key_set_value(&names->places, number);
	if (names->places.cnt == before)
		return frames;
	if (node->kind == PLACE_PYTHON)
		name_python(names, &place, frames);
	else
		name_code(names, &place, frames);
	return frames;
}

/* --- stacks --- */

static void append(struct names *names, struct assembly *stack, const struct stack_node *node)
{
	const struct place_frames *frames = frames_of(names, node);

	for (uint32_t i = 0; frames && i < frames->cnt && stack->cnt < FRAMES_MAX; i++)
		stack->frames[stack->cnt++] = frames->frames[i];
}

/* One of the parts of a stack: numbers of nodes, innermost first. */
struct parts {
	uint32_t nodes[PARTS_MAX];
	size_t cnt;
	bool is_complete;
};

static void list_parts(const struct stack_table *table, uint32_t innermost, struct parts *parts)
{
	uint32_t node = innermost;

	parts->cnt = 0;
	parts->is_complete = false;
	while (node != NO_NODE && parts->cnt < PARTS_MAX) {
		parts->nodes[parts->cnt++] = node;
		parts->is_complete = stack_table_node(table, node)->is_complete;
		node = stack_table_node(table, node)->caller;
	}
}

/* Where a wait was seen, the kernel's own frames begin with those of the probe that saw it. */
static bool is_tracing(const struct names *names, const struct place_frames *frames)
{
	static const char tracepoint[] = "__traceiter_";

	return frames && frames->cnt &&
	       !strncmp(names->obs->frames[frames->frames[0]].function, tracepoint,
			sizeof(tracepoint) - 1);
}

static void append_kernel(struct names *names, struct assembly *stack, uint32_t innermost)
{
	const struct stack_table *table = names->naming->table;
	struct parts parts;
	size_t from = 0;

	list_parts(table, innermost, &parts);
	for (size_t i = 0; i < parts.cnt; i++)
		if (is_tracing(names, frames_of(names, stack_table_node(table, parts.nodes[i]))))
			from = i + 1;
	for (size_t i = from; i < parts.cnt; i++)
		append(names, stack, stack_table_node(table, parts.nodes[i]));
}

/* Puts the frames of Python functions into those of machine code. */
static void append_merged(struct names *names, struct assembly *stack, const struct parts *native,
			  const struct parts *python)
{
	const struct stack_table *table = names->naming->table;
	struct merge_native natives[PARTS_MAX];
	struct merge_step steps[2 * PARTS_MAX];
	bool is_entry[PARTS_MAX];
	const struct merge_stacks stacks = {
		.native = natives,
		.native_cnt = native->cnt,
		.native_is_cut = !native->is_complete,
		.is_entry = is_entry,
		.python_cnt = python->cnt,
		.python_is_cut = python->cnt && !python->is_complete,
	};
	size_t cnt;

	for (size_t i = 0; i < native->cnt; i++) {
		const struct place_frames *frames =
			frames_of(names, stack_table_node(table, native->nodes[i]));

		natives[i] = frames ? frames->merge : (struct merge_native){ 0 };
	}
	for (size_t i = 0; i < python->cnt; i++)
		is_entry[i] = stack_table_node(table, python->nodes[i])->address;
	cnt = python_merge(&stacks, steps, 2 * PARTS_MAX);
	for (size_t i = 0; i < cnt; i++) {
		const struct parts *from = steps[i].is_python ? python : native;

		append(names, stack, stack_table_node(table, from->nodes[steps[i].index]));
	}
}

static void assemble(struct names *names, const struct stack_row *row, struct assembly *stack,
		     bool *complete)
{
	struct parts native, python;

	list_parts(names->naming->table, row->native, &native);
	list_parts(names->naming->table, row->python, &python);
	stack->cnt = 0;
	append_kernel(names, stack, row->kernel);
	append_merged(names, stack, &native, &python);
	/* A Python function's frames are whole by themselves. */
	*complete = python.cnt ? python.is_complete : native.is_complete;
}

/* The innermost call of a stack, in the observation's tree. NO_CALLER: no room. */
static uint32_t call_of(struct names *names, const struct assembly *stack, bool complete)
{
	uint32_t caller = NO_CALLER;

	for (size_t i = stack->cnt; i-- > 0;) {
		struct call_key key = { .frame = stack->frames[i],
					.caller = caller,
					.is_complete = caller == NO_CALLER && complete };
		uint32_t number = key_set_add(&names->calls, &key);
		struct obs_call *added;

		if (number == KEY_SET_FULL)
			return NO_CALLER;
		caller = number;
		if (number < names->obs->call_cnt)
			continue;
		added = observation_add_call(names->obs);
		if (!added)
			return NO_CALLER;
		*added = (struct obs_call){ .frame = key.frame,
					    .caller = key.caller,
					    .is_complete = key.is_complete };
	}
	return caller;
}

/* --- times --- */

static int add_time(struct names *names, uint32_t call, const struct stack_row *row,
		    const struct stack_sum *sum)
{
	const struct time_key key = { call, row->thread, row->task, row->wait, row->is_divided };
	uint32_t number = key_set_add(&names->times, &key);

	if (number == KEY_SET_FULL)
		return -ENOMEM;
	stack_sum_add(key_set_value(&names->times, number), sum);
	return 0;
}

static int give_time(struct names *names, uint32_t number)
{
	const struct stack_table *table = names->naming->table;
	const struct time_key *key = key_set_at(&names->times, number);
	const struct stack_thread *thread = key_set_at(&table->threads, key->thread);
	const struct stack_sum *sum = key_set_value(&names->times, number);
	struct obs_stack_time *time = observation_add_stack_time(names->obs);

	if (!time)
		return -ENOMEM;
	time->call = key->call;
	time->pid = (pid_t)thread->pid;
	time->tid = (pid_t)thread->tid;
	time->thread = keep(names, stack_table_thread_name(table, key->thread));
	if (key->task != NO_NODE)
		time->task =
			keep(names, *(const char *const *)key_set_at(&table->tasks, key->task));
	time->is_on_cpu = key->wait == NO_WAIT;
	time->wait = time->is_on_cpu ? 0 : key->wait;
	time->is_divided = key->is_divided;
	time->time_ns = (uint64_t)sum->time_ns;
	time->sample_cnt = (uint64_t)(sum->sample_cnt + 0.5);
	time->gil_held_ns = (uint64_t)sum->gil_held_ns;
	time->gil_known_ns = (uint64_t)sum->gil_known_ns;
	return 0;
}

static int give(struct names *names)
{
	const struct stack_table *table = names->naming->table;
	struct assembly stack;
	bool complete;
	int error = 0;

	for (uint32_t i = 0; i < table->waits.cnt && !error; i++)
		error = observation_add_wait(names->obs) ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < table->rows.cnt && !error; i++) {
		const struct stack_row *row = key_set_at(&table->rows, i);
		uint32_t call;

		assemble(names, row, &stack, &complete);
		call = call_of(names, &stack, complete);
		if (call != NO_CALLER)
			error = add_time(names, call, row, stack_table_sum(table, i));
	}
	for (uint32_t i = 0; i < names->times.cnt && !error; i++)
		error = give_time(names, i);
	return error;
}

static void names_release(struct names *names)
{
	size_t file_cnt = code_files_cnt(names->naming->files);

	key_set_release(&names->places);
	key_set_release(&names->frames);
	key_set_release(&names->calls);
	key_set_release(&names->times);
	for (size_t i = 0; names->starts && i < file_cnt; i++)
		free(names->starts[i]);
	free(names->starts);
	free(names->are_starts_read);
}

int stack_names_give(const struct stack_naming *naming, struct observation *obs)
{
	const uint32_t no_limit = UINT32_MAX / 2;
	size_t file_cnt = code_files_cnt(naming->files);
	struct names names = { .naming = naming, .obs = obs };
	int error = -ENOMEM;

	key_set_init_values(&names.places, sizeof(struct place), sizeof(struct place_frames),
			    no_limit);
	key_set_init(&names.frames, sizeof(struct obs_frame), no_limit);
	key_set_init(&names.calls, sizeof(struct call_key), no_limit);
	key_set_init_values(&names.times, sizeof(struct time_key), sizeof(struct stack_sum),
			    no_limit);
	names.starts = calloc(file_cnt + 1, sizeof(*names.starts));
	names.are_starts_read = calloc(file_cnt + 1, sizeof(bool));
	if (names.starts && names.are_starts_read)
		error = give(&names);
	names_release(&names);
	return error;
}
