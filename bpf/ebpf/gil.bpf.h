/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whether the thread that a sample interrupts holds its interpreter's GIL, or computes in native
 * code that has let go of it. */
#ifndef CLASSIFY_GIL_BPF_H
#define CLASSIFY_GIL_BPF_H

#include "task.bpf.h"

/* CPython's struct _gil_runtime_state, the same from 3.7 to 3.13. */
struct gil_state {
	u64 interval_us;
	u64 last_holder; /* a PyThreadState */
	s32 locked;
};

/* Whether the thread whose state is at @holder is the one with @thread_pointer; -1: not known. By
 * pthread_self(), which is that; and the C library keeps it there too, so that it can be proved. */
static __always_inline int gil_holder_is(u64 holder, u64 thread_id_offset, u64 thread_pointer)
{
	u64 thread_id, itself;

	if (!thread_id_offset ||
	    bpf_probe_read_user(&thread_id, sizeof(thread_id), (void *)holder + thread_id_offset) ||
	    bpf_probe_read_user(&itself, sizeof(itself), (void *)thread_id) || itself != thread_id)
		return -1;
	return thread_id == thread_pointer;
}

/* Whether @task, which is the current one, holds @gil; -1: not known. */
static __always_inline int gil_is_held(struct task_struct *task, const struct wire_gil *gil)
{
	struct gil_state state;

	if (bpf_probe_read_user(&state, sizeof(state), (void *)gil->start))
		return -1;
	if (!state.locked)
		return 0;
	if (state.locked != 1)
		return -1;
	if (task->signal->nr_threads == 1)
		return 1;
	return gil_holder_is(state.last_holder, gil->thread_id_offset, task->thread.fsbase);
}

static __always_inline enum wire_gil_state gil_sample(struct task_struct *task,
						      struct thread_ctx *thread)
{
	u32 tgid = thread_tgid(thread, task);
	struct wire_gil *gil = bpf_map_lookup_elem(&gils, &tgid);
	int is_held;

	if (!gil || !gil->start)
		return WIRE_GIL_UNKNOWN;
	is_held = gil_is_held(task, gil);
	if (is_held < 0)
		return WIRE_GIL_UNKNOWN;
	thread->total.gil_sample_cnt++;
	thread->total.gil_held_sample_cnt += is_held;
	return is_held ? WIRE_GIL_HELD : WIRE_GIL_FREE;
}

#endif
