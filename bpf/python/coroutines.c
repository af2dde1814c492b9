/* Chains of coroutines; see coroutines.h. */
#include "python/coroutines.h"

#include <string.h>

#include "python/interpreter.h"
#include "python/objects.h"
#include "python/python.h"

/* A longer chain is one that is made to be. */
#define CHAIN_MAX	128
#define STACK_DEPTH_MAX 65536

#define AWAIT_WRAPPED	  16 /* the awaitable that an object of the kind AWAIT_WRAPPER leads to */
#define CODE_BYTES_OBJECT 48 /* before 3.11: co_code */
#define OPCODE_YIELD_FROM 72 /* likewise */
#define INSTRUCTION_BYTES 2
/* The argument of RESUME, which follows what suspends a coroutine: why it was suspended. */
#define RESUME_REASON	  3
#define RESUME_YIELD_FROM 2 /* and 3: await */

/* How to tell that a coroutine awaits something, rather than has yielded. */
enum await_style {
	AWAIT_OLD,    /* up to 3.9: by its next instruction; positions in bytes */
	AWAIT_310,    /* positions in instructions */
	AWAIT_RESUME, /* 3.11, 3.12 */
	AWAIT_STATE,  /* 3.13: by its state */
};

/* By offsetof() in the headers of the versions; see objects.c. */
struct coroutine_layout {
	uint32_t version;
	enum await_style style;
	uint32_t frame; /* before 3.11 a pointer to it, since then the frame itself */
	uint32_t state; /* of its frame; 3.8 and 3.9 have none */
	int8_t suspended;
	int8_t suspended_too;
	uint32_t frame_stack; /* where its stack begins, or for AWAIT_RESUME on with its locals */
	uint32_t frame_depth; /* a pointer to the stack's top, or how many words it has */
	uint32_t frame_locals;
};

static const struct coroutine_layout layouts[] = {
	{ 0x0308, AWAIT_OLD, 16, 0, 0, 0, 64, 72, 360 },
	{ 0x0309, AWAIT_OLD, 16, 0, 0, 0, 64, 72, 360 },
	{ 0x030a, AWAIT_310, 16, 108, -1, -1, 64, 80, 352 },
	{ 0x030b, AWAIT_RESUME, 80, 75, -1, -1, 72, 64, 72 },
	{ 0x030c, AWAIT_RESUME, 72, 67, -1, -1, 72, 64, 72 },
	{ 0x030d, AWAIT_STATE, 72, 67, -1, -2, 72, 64, 72 },
};

/* A coroutine's frame, suspended. */
struct suspended {
	struct python_frame frame;
	int8_t state;
	uint64_t top; /* the address of the top of its stack; 0: it is empty */
};

static const struct coroutine_layout *layout_of(const struct objects *objects)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == objects->python->layout.version)
			return &layouts[i];
	return NULL;
}

/* Where the frame's stack has its top. */
static uint64_t stack_top(struct objects *objects, const struct coroutine_layout *layout,
			  uint64_t frame)
{
	uint64_t stack = frame + layout->frame_stack;
	uint64_t depth = object_word(objects, frame + layout->frame_depth);

	if (layout->style == AWAIT_OLD)
		return depth > object_word(objects, stack) ? depth - sizeof(uint64_t) : 0;
	if (layout->style == AWAIT_310)
		stack = object_word(objects, stack);
	depth &= UINT32_MAX;
	return depth && depth < STACK_DEPTH_MAX ? stack + (depth - 1) * sizeof(uint64_t) : 0;
}

static bool is_suspended(struct objects *objects, const struct coroutine_layout *layout,
			 uint64_t coroutine, struct suspended *suspended)
{
	uint64_t holder = layout->style == AWAIT_310 ? suspended->frame.frame : coroutine;

	/* No state: while it runs, the frame doesn't say where its stack ends. */
	if (layout->style == AWAIT_OLD)
		return suspended->top != 0;
	suspended->state = (int8_t)object_word(objects, holder + layout->state);
	return suspended->state == layout->suspended || suspended->state == layout->suspended_too;
}

static bool read_suspended(struct objects *objects, const struct coroutine_layout *layout,
			   uint64_t coroutine, struct suspended *suspended)
{
	const struct python_layout *frames = &objects->python->layout;
	uint64_t frame = coroutine + layout->frame;

	if (layout->style <= AWAIT_310)
		frame = object_word(objects, frame);
	if (!frame)
		return false;
	*suspended = (struct suspended){
		.frame = { .code = object_word(objects, frame + frames->frame_code),
			   .position = object_word(objects, frame + frames->frame_position),
			   .frame = frame,
			   .is_entry = true },
		.top = stack_top(objects, layout, frame),
	};
	if (layout->style <= AWAIT_310) /* an int */
		suspended->frame.position &= UINT32_MAX;
	return suspended->frame.code && is_suspended(objects, layout, coroutine, suspended);
}

/* Does it await, and not just yield? */
static bool is_awaiting(struct objects *objects, const struct coroutine_layout *layout,
			const struct suspended *suspended)
{
	uint64_t position = suspended->frame.position;
	uint64_t code;

	switch (layout->style) {
	case AWAIT_STATE:
		return suspended->state == layout->suspended;
	case AWAIT_RESUME:
		return (object_word(objects, position + INSTRUCTION_BYTES) >> 8 & RESUME_REASON) >=
		       RESUME_YIELD_FROM;
	case AWAIT_310:
		position *= INSTRUCTION_BYTES;
		break;
	case AWAIT_OLD:
		break;
	}
	code = object_word(objects, suspended->frame.code + CODE_BYTES_OBJECT) + LAYOUT_BYTES_DATA;
	return (object_word(objects, code + position + INSTRUCTION_BYTES) & 0xff) ==
	       OPCODE_YIELD_FROM;
}

/* Of a chain, outermost first: the last @capacity of them, turned round. */
struct chain {
	struct python_frame frames[CHAIN_MAX];
	size_t cnt;
};

static size_t turn_round(const struct chain *chain, struct python_frame *frames, size_t capacity)
{
	size_t cnt = chain->cnt < capacity ? chain->cnt : capacity;

	for (size_t i = 0; i < cnt; i++)
		frames[i] = chain->frames[chain->cnt - 1 - i];
	return cnt;
}

/* Appends the frame of @object. Returns what it awaits, or 0. */
static uint64_t follow(struct objects *objects, const struct coroutine_layout *layout,
		       uint64_t object, struct chain *chain)
{
	struct suspended suspended;

	switch (object_kind_of(objects, object)) {
	case OBJECT_COROUTINE:
	case OBJECT_GENERATOR:
	case OBJECT_ASYNC_GENERATOR:
		break;
	case OBJECT_AWAIT_WRAPPER:
		return object_word(objects, object + AWAIT_WRAPPED);
	default:
		return 0;
	}
	if (!read_suspended(objects, layout, object, &suspended))
		return 0;
	chain->frames[chain->cnt++] = suspended.frame;
	if (!suspended.top || !is_awaiting(objects, layout, &suspended))
		return 0;
	return object_word(objects, suspended.top);
}

size_t coroutine_frames(struct objects *objects, uint64_t coroutine, struct python_frame *frames,
			size_t capacity)
{
	const struct coroutine_layout *layout = layout_of(objects);
	struct chain chain = { .cnt = 0 };

	for (int i = 0; layout && coroutine && i < CHAIN_MAX; i++)
		coroutine = follow(objects, layout, coroutine, &chain);
	return turn_round(&chain, frames, capacity);
}

uint64_t coroutine_argument(struct objects *objects, const struct python_frame *frame)
{
	const struct coroutine_layout *layout = layout_of(objects);

	return layout ? object_word(objects, frame->frame + layout->frame_locals) : 0;
}
