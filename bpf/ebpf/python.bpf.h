/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The frames of CPython that the current thread is in, walked in its memory: lists of structures
 * whose layout the user side tells. All of it is the target's, and may lead anywhere or round in a
 * circle: each step is a bounded read that may fail, and there are so many of them and no more.
 */
#ifndef CLASSIFY_PYTHON_BPF_H
#define CLASSIFY_PYTHON_BPF_H

#include "task.bpf.h"

/* Frames of C's, by which it enters the interpreter, on the way through those of Python. */
#define PYTHON_C_FRAMES 32
#define PYTHON_OWNER_C	3 /* LAYOUT_OWNER_IS_C */
/* Words of a frame that are read: LAYOUT_FRAME_BYTES_MAX. */
#define PYTHON_FRAME_WORDS 16
/* Thread states that are looked at for that of a thread not met before, the latest ones first; the
 * user side adds those of processes with more threads. */
#define PYTHON_SEARCH_STEPS 64

/* Processes with an interpreter whose frames can be walked; of the user side's making. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32); /* tgid */
	__type(value, struct wire_python);
} pythons SEC(".maps");

/* The states of their threads, as found last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct wire_python_thread);
	__type(value, u64);
} python_threads SEC(".maps");

/* The process @child begins as a copy of @parent, interpreter and all. */
static __always_inline void python_inherit(u32 parent, u32 child)
{
	struct wire_python *python = bpf_map_lookup_elem(&pythons, &parent);

	if (python)
		bpf_map_update_elem(&pythons, &child, python, BPF_ANY);
}

/* The word at @address of the current process; 0 when it can't be read. */
static __always_inline u64 python_word(u64 address)
{
	u64 word = 0;

	bpf_probe_read_user(&word, sizeof(word), (void *)address);
	return word;
}

/* The innermost frame of the thread whose state is at @state. */
static __always_inline u64 python_first_frame(const struct wire_python *python, u64 state)
{
	u64 frame = python_word(state + python->thread_frame);

	return frame && python->has_cframe ? python_word(frame + python->cframe_frame) : frame;
}

/* Is there a state at @state still, of this thread? It may have been freed, and the thread's number
 * be another one's; one that is in use is in its interpreter's list. */
static __always_inline bool python_is_state(const struct wire_python *python, u64 state,
					    u64 thread_pointer)
{
	u64 link;

	if (python_word(state + python->thread_id) != thread_pointer)
		return false;
	link = python_word(state + python->thread_prev);
	if (link)
		link += python->thread_next;
	else
		link = python_word(state + python->thread_interpreter) +
		       python->interpreter_threads;
	return python_word(link) == state;
}

/* On the way through a process's lists: the state to look at next, or 0 at the end of a list; the
 * interpreter to go on with; and what was found. */
struct python_search {
	u64 thread_pointer;
	u64 interpreter;
	u64 state;
	u64 found;
};

/* One step of it: looks for the thread's state, one with frames where it has several. Returns
 * whether to go on. A function of its own like python_step. */
__noinline int python_search_step(struct wire_python *python, struct python_search *search)
{
	u64 state;

	if (!python || !search)
		return 0;
	state = search->state;
	if (!state) {
		u64 interpreter = search->interpreter;

		if (!interpreter)
			return 0;
		search->state = python_word(interpreter + python->interpreter_threads);
		search->interpreter = python_word(interpreter + python->interpreter_next);
		return 1;
	}
	if (python_word(state + python->thread_id) == search->thread_pointer) {
		search->found = state;
		if (python_first_frame(python, state))
			return 0;
	}
	search->state = python_word(state + python->thread_next);
	return 1;
}

static __always_inline u64 python_search(struct wire_python *python, u64 thread_pointer)
{
	struct python_search search = { .thread_pointer = thread_pointer,
					.interpreter = python_word(python->interpreters) };

	for (u32 i = 0; i < PYTHON_SEARCH_STEPS; i++)
		if (!python_search_step(python, &search))
			break;
	return search.found;
}

/* The state of @stack's thread; 0: it has none, or it isn't found. */
static __always_inline u64 python_state(struct wire_python *python, struct wire_stack *stack)
{
	struct wire_python_thread key = { .tgid = stack->owner.tgid,
					  .thread_pointer = stack->thread_pointer };
	u64 *known = bpf_map_lookup_elem(&python_threads, &key);
	u64 state;

	if (known && python_is_state(python, *known, key.thread_pointer))
		return *known;
	state = python_search(python, key.thread_pointer);
	if (state)
		bpf_map_update_elem(&python_threads, &key, &state, BPF_ANY);
	return state;
}

/* Where in @code a frame is: @position is as the frame has it. Nothing is as far as ~0. */
static __always_inline u32 python_position(const struct wire_python *python, u64 code, u64 position)
{
	if (python->position_is_int)
		return position;
	position -= code;
	return position < ~0u ? position : ~0u;
}

/* Adds to @stack the Python function's frame that was read to @words. */
static __always_inline void python_add_frame(const struct wire_python *python,
					     struct wire_stack *stack, const u64 *words)
{
	u32 cnt = stack->python_cnt;
	struct wire_python_frame *frame;
	u32 entry = python->frame_is_entry;

	if (cnt >= WIRE_PYTHON_FRAMES)
		return;
	frame = &stack->python[cnt];
	frame->code = words[python->frame_code / 8 % PYTHON_FRAME_WORDS];
	frame->position = python_position(python, frame->code,
					  words[python->frame_position / 8 % PYTHON_FRAME_WORDS]);
	if (python->has_is_entry)
		frame->is_entry = words[entry / 8 % PYTHON_FRAME_WORDS] >> entry % 8 * 8 & 0xff;
	else
		frame->is_entry = !python->has_owner;
	stack->python_cnt = cnt + 1;
}

/* The last frame of @stack is one that C entered the interpreter for. */
static __always_inline void python_mark_entry(struct wire_stack *stack)
{
	u32 last = stack->python_cnt - 1;

	if (last < WIRE_PYTHON_FRAMES)
		stack->python[last].is_entry = 1;
}

static __always_inline bool python_frame_is_c(const struct wire_python *python, const u64 *words)
{
	u32 owner = python->frame_owner;

	return python->has_owner &&
	       (words[owner / 8 % PYTHON_FRAME_WORDS] >> owner % 8 * 8 & 0xff) >= PYTHON_OWNER_C;
}

/* Adds the frame at @address to @stack and makes it that of the next one outwards. Returns whether
 * it could. A function of its own, so that the verifier doesn't walk through it for each frame. */
__noinline int python_step(struct wire_python *python, struct wire_stack *stack, u64 *address)
{
	u64 words[PYTHON_FRAME_WORDS] = {};
	u32 bytes;

	if (!python || !stack || !address)
		return 0;
	bytes = python->frame_bytes;
	if (stack->python_cnt >= WIRE_PYTHON_FRAMES || bytes > sizeof(words) ||
	    bpf_probe_read_user(words, bytes, (void *)*address))
		return 0;
	if (python_frame_is_c(python, words))
		python_mark_entry(stack);
	else
		python_add_frame(python, stack, words);
	*address = words[python->frame_previous / 8 % PYTHON_FRAME_WORDS];
	return 1;
}

/* Fills @stack with the frames from the one at @address outwards. */
static __always_inline void python_frames(struct wire_python *python, struct wire_stack *stack,
					  u64 address)
{
	for (u32 i = 0; i < WIRE_PYTHON_FRAMES + PYTHON_C_FRAMES && address; i++)
		if (!python_step(python, stack, &address))
			break;
	if (address)
		stack->python_is_cut = 1;
	else
		python_mark_entry(stack);
}

/*
 * Fills @stack's Python frames, of which there are none yet, with those of @task, the current one,
 * if its process has an interpreter that is known. @stack's owner and thread pointer are @task's.
 */
static __always_inline void python_walk(struct task_struct *task, struct thread_ctx *thread,
					struct wire_stack *stack)
{
	u32 tgid = stack->owner.tgid; /* a copy: see loop_find */
	struct wire_python *python = bpf_map_lookup_elem(&pythons, &tgid);
	u64 state;

	if (!python || !python->version)
		return;
	state = python_state(python, stack);
	if (state)
		python_frames(python, stack, python_first_frame(python, state));
}

#endif
