/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The task iterator that tells of threads that wait and whose stack nobody has looked at: the user
 * side reads it from outside, as it doesn't change until the wait ends. */
#ifndef CLASSIFY_WAITING_BPF_H
#define CLASSIFY_WAITING_BPF_H

#include "task.bpf.h"
#include "snapshot.bpf.h"
#include "stack.bpf.h"

/* As snapshot_records. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_waiting);
} waiting_records SEC(".maps");

/* Has the end of @thread's wait told, whose number is @number. False when it is over already, and
 * its end may go by untold. */
static __always_inline bool waiting_mark(struct thread_ctx *thread, u32 number)
{
	u32 before = thread->stack_told;

	thread->stack_stands_for = 0;
	if (__sync_val_compare_and_swap(&thread->stack_told, before, number + 1) != before)
		return false;
	if (thread->head.state == TASK_BLOCKED && thread->total.switch_cnt == number)
		return true;
	__sync_val_compare_and_swap(&thread->stack_told, number + 1, 0);
	return false;
}

/* Whether @thread's wait is one to tell of now. It is marked then. */
static __always_inline bool waiting_is_due(struct thread_ctx *thread, u64 now)
{
	u32 number = thread->total.switch_cnt;

	if (thread->stack_told == number + 1 || thread->stamp_ns + look.blocked_ns > now)
		return false;
	look.found_cnt++;
	if (!look.left_cnt || bpf_get_prandom_u32() > look.chance)
		return false;
	return waiting_mark(thread, number);
}

static __always_inline void waiting_fill(struct wire_waiting *waiting, struct task_struct *task,
					 struct thread_ctx *thread, u64 now)
{
	stack_own(&waiting->owner, task, thread, WIRE_STACK_WAITING, now);
	waiting->since_ns = thread->stamp_ns;
	stack_registers(waiting->registers, task);
	waiting->thread_pointer = task->thread.fsbase;
	waiting->stack_end = stack_end_of(task, waiting->registers[WIRE_REGISTER_SP]);
	waiting->key = thread->open;
	open_wait_resolve(&waiting->key, thread, task->pid != task->tgid);
}

SEC("iter/task")
int tell_waiting(struct bpf_iter__task *iter)
{
	struct task_struct *task = iter->task;
	struct wire_waiting *waiting;
	struct thread_ctx *thread;
	u64 now = bpf_ktime_get_ns();
	u32 zero = 0;

	if (!task)
		return 0;
	thread = thread_find(task);
	waiting = bpf_map_lookup_elem(&waiting_records, &zero);
	if (!thread || !waiting || !thread->head.is_followed || task->flags & PF_IO_WORKER)
		return 0;
	stack_keep_pace(thread, now);
	if (thread->head.state != TASK_BLOCKED || !(look.is_last || waiting_is_due(thread, now)))
		return 0;
	waiting_fill(waiting, task, thread, now);
	if (bpf_seq_write(iter->meta->seq, waiting, sizeof(*waiting))) {
		/* No room: the iterator comes back to it. */
		if (!look.is_last)
			thread->stack_told = 0;
		return 0;
	}
	look.left_cnt -= look.left_cnt != 0;
	return 0;
}

#endif
