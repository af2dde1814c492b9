/* Thread states and the frames of waiting threads, read from outside; see python.h. */
#include <errno.h>
#include <string.h>

#include "python/interpreter.h"
#include "python/python.h"

/* Lists that are longer, or lead round in a circle, end here. */
#define INTERPRETERS_MAX 256
#define THREADS_MAX	 65536
/* Frames of C's between those of Python functions: no more than these. */
#define C_FRAMES_MAX 128

/* Steps through the thread states of all interpreters. */
struct state_walk {
	struct python *python;
	uint64_t interpreter;
	uint64_t state;
	uint32_t interpreter_cnt;
	uint32_t state_cnt;
	uint64_t mark; /* a state that was met: met again, the list is a circle */
	uint32_t mark_at;
};

static void walk_begin(struct state_walk *walk, struct python *python)
{
	const struct python_layout *layout = &python->layout;

	memset(walk, 0, sizeof(*walk));
	walk->python = python;
	walk->interpreter =
		memory_word(&python->memory, python->runtime + layout->interpreters_head);
	if (walk->interpreter)
		walk->state = memory_word(&python->memory,
					  walk->interpreter + layout->interpreter_threads);
}

/* Returns the next state, or 0 when there are no more. */
static uint64_t walk_next(struct state_walk *walk)
{
	const struct python_layout *layout = &walk->python->layout;
	const struct python_memory *memory = &walk->python->memory;
	uint64_t state;

	while (!walk->state && walk->interpreter && walk->interpreter_cnt++ < INTERPRETERS_MAX) {
		walk->interpreter =
			memory_word(memory, walk->interpreter + layout->interpreter_next);
		if (walk->interpreter)
			walk->state = memory_word(memory,
						  walk->interpreter + layout->interpreter_threads);
	}
	state = walk->state;
	if (!state || state == walk->mark || walk->state_cnt++ >= THREADS_MAX)
		return 0;
	/* A mark twice as far on each time is within a circle at last. */
	if (walk->state_cnt >= 2 * walk->mark_at) {
		walk->mark = state;
		walk->mark_at = walk->state_cnt;
	}
	walk->state = memory_word(memory, state + layout->thread_next);
	return state;
}

static uint64_t frame_of_state(const struct python *python, uint64_t state)
{
	uint64_t frame = memory_word(&python->memory, state + python->layout.thread_frame);

	return frame && python->layout.has_cframe
		       ? memory_word(&python->memory, frame + python->layout.cframe_frame)
		       : frame;
}

/* Is there a state at @state still, of this thread? One that is in use is in its interpreter's
 * list. As python_is_state() of python.bpf.h. */
static bool is_state_of(const struct python *python, uint64_t state, uint64_t thread_pointer)
{
	const struct python_layout *layout = &python->layout;
	const struct python_memory *memory = &python->memory;
	uint64_t link;

	if (!state || memory_word(memory, state + layout->thread_id) != thread_pointer)
		return false;
	link = memory_word(memory, state + layout->thread_prev);
	if (link)
		link += layout->thread_next;
	else
		link = memory_word(memory, state + layout->thread_interpreter) +
		       layout->interpreter_threads;
	return memory_word(memory, link) == state;
}

#define PLACES_OF_EACH 8

/* Where a thread's state is kept, or is to be: one of a few places in a row. */
static struct python_thread *place_of(struct python *python, uint64_t thread_pointer)
{
	uint64_t hash = (thread_pointer >> 6) * 0x9e3779b97f4a7c15ULL >> 32;
	struct python_thread *place = NULL;

	for (size_t i = 0; i < PLACES_OF_EACH; i++) {
		struct python_thread *kept = &python->states[(hash + i) % PYTHON_STATES_KEPT];

		if (kept->thread_pointer == thread_pointer)
			return kept;
		if (!place || (place->thread_pointer && !kept->thread_pointer))
			place = kept;
	}
	return place;
}

static void keep(struct python *python, uint64_t thread_pointer, uint64_t state)
{
	*place_of(python, thread_pointer) = (struct python_thread){ thread_pointer, state };
}

uint64_t thread_state_find(struct python *python, uint64_t thread_pointer)
{
	const struct python_thread *kept = place_of(python, thread_pointer);
	uint64_t found = 0, state;
	struct state_walk walk;

	if (kept->thread_pointer == thread_pointer &&
	    is_state_of(python, kept->state, thread_pointer) && frame_of_state(python, kept->state))
		return kept->state;
	walk_begin(&walk, python);
	while ((state = walk_next(&walk))) {
		if (memory_word(&python->memory, state + python->layout.thread_id) !=
		    thread_pointer)
			continue;
		found = state;
		keep(python, thread_pointer, state);
		if (frame_of_state(python, state))
			break;
	}
	return found;
}

ssize_t python_threads(struct python *python, struct python_thread *threads, size_t capacity)
{
	struct state_walk walk;
	uint64_t state;
	size_t cnt = 0;

	walk_begin(&walk, python);
	if (!walk.interpreter)
		return -ESRCH;
	while (cnt < capacity && (state = walk_next(&walk))) {
		uint64_t thread_pointer =
			memory_word(&python->memory, state + python->layout.thread_id);

		if (!thread_pointer)
			continue;
		threads[cnt++] = (struct python_thread){ thread_pointer, state };
		keep(python, thread_pointer, state);
	}
	return (ssize_t)cnt;
}

static uint64_t word_at(const uint8_t *bytes, uint32_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

/* Is it a frame of C's, by which it enters the interpreter? */
static bool is_frame_of_c(const struct python_layout *layout, const uint8_t *bytes)
{
	return layout->has_owner && bytes[layout->frame_owner] >= LAYOUT_OWNER_IS_C;
}

static struct python_frame frame_of_bytes(const struct python_layout *layout, uint64_t address,
					  const uint8_t *bytes)
{
	struct python_frame frame = {
		.code = word_at(bytes, layout->frame_code),
		.frame = address,
		.is_entry =
			layout->has_is_entry ? bytes[layout->frame_is_entry] : !layout->has_owner,
	};

	if (layout->code_instructions)
		frame.position = word_at(bytes, layout->frame_position);
	else /* an int */
		frame.position = (uint32_t)word_at(bytes, layout->frame_position);
	return frame;
}

static ssize_t walk_frames(struct python *python, uint64_t address, struct python_frame *frames,
			   size_t capacity)
{
	const struct python_layout *layout = &python->layout;
	uint8_t bytes[LAYOUT_FRAME_BYTES_MAX];
	uint32_t c_frame_cnt = 0;
	size_t cnt = 0;

	while (address && cnt < capacity) {
		if (!memory_read(&python->memory, address, bytes, layout->frame_bytes))
			return cnt ? (ssize_t)cnt : -EFAULT;
		if (!is_frame_of_c(layout, bytes))
			frames[cnt++] = frame_of_bytes(layout, address, bytes);
		else if (c_frame_cnt++ >= C_FRAMES_MAX)
			break;
		else if (cnt)
			frames[cnt - 1].is_entry = true;
		address = word_at(bytes, layout->frame_previous);
	}
	if (cnt && !address)
		frames[cnt - 1].is_entry = true;
	return (ssize_t)cnt;
}

ssize_t python_walk(struct python *python, uint64_t thread_pointer, struct python_frame *frames,
		    size_t capacity)
{
	uint64_t state = thread_state_find(python, thread_pointer);

	return state ? walk_frames(python, frame_of_state(python, state), frames, capacity) : 0;
}
