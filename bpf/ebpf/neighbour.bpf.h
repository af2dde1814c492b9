/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who had the CPU that a followed thread waited for: when the thread gets one at last, the task
 * that leaves it. Short waits are nobody's fault: a CPU takes that long to wake up.
 */
#ifndef CLASSIFY_NEIGHBOUR_BPF_H
#define CLASSIFY_NEIGHBOUR_BPF_H

#include "task.bpf.h"

#define QUEUE_LONG_NS 100000
#define MAX_RT_PRIO   100
#define PF_KTHREAD    0x00200000

struct {
	__uint(type, BPF_MAP_TYPE_HASH); /* preallocated, as `waits` is */
	__uint(max_entries, 512);
	__type(key, struct wire_neighbour);
	__type(value, struct wire_queue_sum);
} neighbours SEC(".maps");

struct wire_queue_sum unnamed_neighbours = {}; /* what the table has no room for */
__u64 own_queue_ns = 0;			       /* what the tree's own threads had */
__u64 long_queue_ns = 0;		       /* all such waits, whoever had the CPU */

static __always_inline void queue_add(struct wire_queue_sum *sum, u64 queue_ns)
{
	__sync_fetch_and_add(&sum->queue_ns, queue_ns);
	__sync_fetch_and_add(&sum->cnt, 1);
}

__noinline int neighbour_add(const struct wire_neighbour *neighbour, u64 queue_ns)
{
	struct wire_queue_sum none = {};
	struct wire_queue_sum *sum;
	struct wire_neighbour key;

	if (!neighbour)
		return 0;
	key = *neighbour; /* a copy: see loop_find */
	sum = bpf_map_lookup_elem(&neighbours, &key);
	if (!sum) {
		bpf_map_update_elem(&neighbours, &key, &none, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&neighbours, &key);
	}
	queue_add(sum ? sum : &unnamed_neighbours, queue_ns);
	return 0;
}

/*
 * How long @task has had the CPU that it leaves. The kernel keeps that for its ordinary tasks only.
 * Of the real-time ones, its own threads (migration, watchdog) have a CPU for microseconds, others
 * for as long as they like.
 */
static __always_inline u64 holder_slice_ns(struct task_struct *task)
{
	if (task->prio >= MAX_RT_PRIO)
		return task->se.sum_exec_runtime - task->se.prev_sum_exec_runtime;
	return task->flags & PF_KTHREAD ? 0 : ~0ull;
}

/*
 * @thread waited for a CPU for @queue_ns, longer than QUEUE_LONG_NS, and now gets the one that
 * @holder leaves. What is charged to @holder is no more than it had the CPU for; who had it before
 * isn't known, and the user side makes up for that. Where the CPU was idle another one than the
 * thread's fell free: then it was kept waiting by who took its own, if anybody did.
 */
static __always_inline void neighbour_charge(struct thread_ctx *thread, struct task_struct *holder,
					     bool is_own, u64 queue_ns)
{
	u64 slice_ns = holder_slice_ns(holder);
	struct wire_neighbour neighbour;

	if (!command_has_begun())
		return;
	__sync_fetch_and_add(&long_queue_ns, queue_ns);
	if (slice_ns > queue_ns)
		slice_ns = queue_ns;
	if (is_own) {
		__sync_fetch_and_add(&own_queue_ns, slice_ns);
	} else if (holder->pid && slice_ns) {
		__builtin_memcpy(neighbour.comm, holder->comm, sizeof(neighbour.comm));
		neighbour_add(&neighbour, slice_ns);
	} else if (thread->head.state == TASK_PREEMPTED && thread->taker.comm[0]) {
		neighbour_add(&thread->taker, queue_ns);
	}
}

/* @next, not of the tree, takes the CPU of the preempted @thread. */
static __always_inline void neighbour_takes(struct thread_ctx *thread, struct task_struct *next)
{
	__builtin_memcpy(thread->taker.comm, next->comm, sizeof(thread->taker.comm));
	if (!next->pid)
		thread->taker.comm[0] = 0;
}

#endif
