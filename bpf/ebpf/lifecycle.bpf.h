/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Birth and exec: the tree is followed in the kernel, so that nobody runs unseen. Death is a
 * switch-out in state TASK_DEAD, in sched.bpf.h. */
#ifndef CLASSIFY_LIFECYCLE_BPF_H
#define CLASSIFY_LIFECYCLE_BPF_H

#include "task.bpf.h"
#include "loop.bpf.h"
#include "program_time.bpf.h"
#include "stack.bpf.h"

static __always_inline void send_fork(struct task_struct *child, struct thread_ctx *thread,
				      u32 parent_tgid, u64 now)
{
	struct wire_event_fork *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count_loss(WIRE_LOST_EVENT);
		return;
	}
	event_init(&event->event, WIRE_EVENT_FORK, child, thread, now);
	event->event.parent_tgid = parent_tgid;
	__builtin_memcpy(event->comm, child->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* Follows @child, born of the followed @parent just now, unless it is followed already. */
static __always_inline void follow_child(struct task_struct *parent, struct task_struct *child)
{
	struct thread_ctx *thread = thread_find(parent);
	u32 parent_tgid;
	u64 now;

	if (!thread || !thread->head.is_followed || !is_observing)
		return;
	if (!follow_children && child->tgid != parent->tgid)
		return;
	parent_tgid = thread_tgid(thread, parent);
	thread = bpf_task_storage_get(&tasks, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	/* The seeding iterator may be making it at the same time, and only one of the two can. */
	if (!thread)
		thread = thread_find(child);
	if (!thread) {
		count_loss(WIRE_LOST_THREAD);
		return;
	}
	if (thread->head.is_followed)
		return;
	now = bpf_ktime_get_ns();
	thread_number(thread, child);
	if (takes_stacks && child->pid == child->tgid)
		python_inherit(parent_tgid, thread_tgid(thread, child));
	thread->starved_ns = program_starved_ns(now);
	thread->head.is_followed = 1;
	if (__sync_val_compare_and_swap(&thread->head.state, TASK_SEEDING, TASK_WOKEN) !=
	    TASK_SEEDING)
		return;
	thread->wake_ns = now;
	thread_begin(thread, now);
	program_shift(RUNNABLE, now);
	send_fork(child, thread, parent_tgid, now);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	follow_child(parent, child);
	return 0;
}

/* A second chance: kernels that guard against recursion may have skipped the probe above. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_sched_wakeup_new, struct task_struct *child)
{
	follow_child(bpf_get_current_task_btf(), child);
	return 0;
}

/*
 * What the wrapped command's process did until now was ours: its wait for the probes, and exec. It
 * has no threads or children yet, and is on a CPU, even if it wasn't seen to get there.
 */
static __always_inline void begin_at_exec(struct thread_ctx *thread)
{
	u64 now = bpf_ktime_get_ns();

	has_begun = 1;
	active_cnt = ON_CPU;
	thread->head.state = TASK_ON_CPU;
	__builtin_memset(&thread->total, 0, sizeof(thread->total));
	__builtin_memset(&thread->open, 0, sizeof(thread->open));
	thread->quiet_ns = thread->given_ns = thread->tick_ns = 0;
	thread->stack_told = thread->stack_wait_cnt = 0;
	thread->total.start_ns = thread->stamp_ns = thread->segment_ns = now;
	program_restart(now);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_sched_process_exec, struct task_struct *task, u32 old_pid,
	     struct linux_binprm *binprm)
{
	struct thread_ctx *thread = thread_find(task);
	struct wire_event_exec *event;
	u32 tgid;

	if (!thread || !thread->head.is_followed)
		return 0;
	if (begins_at_exec && !has_begun)
		begin_at_exec(thread);
	thread_number(thread, task); /* a thread that runs exec becomes its process's first */
	tgid = thread_tgid(thread, task);
	/* The new program has other addresses and, CLOEXEC, other descriptors. */
	bpf_map_delete_elem(&gils, &tgid);
	if (takes_stacks)
		bpf_map_delete_elem(&pythons, &tgid);
	thread->memo.is_valid = thread->ready.is_valid = 0;
	thread->futex.address = 0;
	thread->open_is_memo = 0;
	if (thread->loop)
		loop_forget(thread);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count_loss(WIRE_LOST_EVENT);
		return 0;
	}
	event_init(&event->event, WIRE_EVENT_EXEC, task, thread, bpf_ktime_get_ns());
	__builtin_memcpy(event->comm, task->comm, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->filename, sizeof(event->filename),
				  BPF_CORE_READ(binprm, filename));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
