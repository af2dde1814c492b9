/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Task iterators: adopt what is alive at the beginning, read what is alive at the end. */
#ifndef CLASSIFY_SNAPSHOT_BPF_H
#define CLASSIFY_SNAPSHOT_BPF_H

#include "task.bpf.h"
#include "interest.bpf.h"
#include "program_time.bpf.h"
#include "tick.bpf.h"
#include "wait_reason.bpf.h"
#include "wake.bpf.h"

static __always_inline bool task_is_followed(struct task_struct *task)
{
	struct thread_ctx *thread = thread_find(task);

	return thread && thread->head.is_followed;
}

/* A thread belongs if its process does; a process if its parent does (any thread of it). */
static __always_inline bool task_belongs(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct task_struct *parent;

	if (task_tgid_number(task) == self_tgid)
		return false;
	if (leader && leader != task && task_is_followed(leader))
		return true;
	if (!seed_children)
		return false;
	parent = task->real_parent;
	if (!parent)
		return false;
	if (task_is_followed(parent))
		return true;
	leader = parent->group_leader;
	return leader && task_is_followed(leader);
}

/*
 * Settles what @task is doing. Probes may run for it meanwhile, on any CPU: they leave
 * TASK_SEEDING first, and then what they saw stands and this exchange does nothing.
 */
static __always_inline void task_seed(struct task_struct *task, struct thread_ctx *thread)
{
	u64 now = bpf_ktime_get_ns();
	u32 task_state = task->__state;
	u32 state = TASK_BLOCKED;

	if (task->on_cpu)
		state = TASK_ON_CPU;
	else if (!task_state || (task_state & TASK_WAKING))
		state = TASK_WOKEN;
	else {
		seeded_fs = (u64)BPF_CORE_READ(task, fs);
		wait_describe(task, thread, task_state, false);
	}
	thread->stamp_ns = thread->segment_ns = thread->total.start_ns = now;
	thread->ticked_at_ns = ticked_ns;
	thread->wake_ns = state == TASK_WOKEN ? now : 0;
	thread->starved_ns = program_starved_ns(now);
	thread->runtime_ns = task->se.sum_exec_runtime;
	if (__sync_val_compare_and_swap(&thread->head.state, TASK_SEEDING, state) == TASK_SEEDING) {
		__sync_fetch_and_add(&live_cnt, 1);
		program_shift(program_weight(state), now);
	}
}

SEC("iter/task")
int seed_tasks(struct bpf_iter__task *iter)
{
	struct task_struct *task = iter->task;
	struct thread_ctx *thread;

	if (!task)
		return 0;
	thread = thread_find(task);
	if (thread && thread->head.is_followed && thread->total.start_ns)
		return 0;
	if (!thread && !task_belongs(task))
		return 0;
	if (task->__state & TASK_DEAD)
		return 0;
	thread = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		if (!thread_find(task)) /* else the probe of its birth was quicker */
			count_loss(WIRE_LOST_THREAD);
		return 0;
	}
	thread->head.is_followed = 1;
	task_seed(task, thread);
	seeded_cnt++;
	return 0;
}

/* Nothing has ended @thread's wait yet: makes of @key, which is its key, what can be said of it.
 * @is_later: it isn't its process's first thread. */
static __always_inline void open_wait_resolve(struct wire_wait_key *key,
					      const struct thread_ctx *thread, bool is_later)
{
	if (thread->open.reason == WIRE_POLL && loop_is_epoll(thread))
		interest_describe(key, thread->loop, is_later);
}

/* The wait that @thread is in, or has just been woken from; the user side adds it to the table. */
static __always_inline void close_wait(struct wire_thread *total, const struct thread_ctx *thread)
{
	bool is_blocked = thread->head.state == TASK_BLOCKED;
	u64 until_ns = is_blocked ? total->end_ns : thread->wake_ns;
	u64 late_from_ns;
	u32 reason;

	total->open_key = thread->open;
	if (is_blocked)
		open_wait_resolve(&total->open_key, thread, total->tid != total->tgid);
	reason = total->open_key.reason;
	if (reason >= WIRE_REASON_CNT)
		return;
	total->wait_ns[reason] += until_ns - thread->stamp_ns;
	total->wait_cnt[reason]++;
	total->open_ns = until_ns - thread->stamp_ns;
	total->open_quiet_ns = thread->quiet_ns;
	if (is_blocked)
		total->open_ticked_ns = ticked_ns - thread->ticked_at_ns;
	if (is_blocked && !thread->resolve_at_wake && reason == WIRE_NETWORK) {
		u64 socket = wake_socket(thread);

		total->open_asks = socket && has_request_out(socket);
	}
	late_from_ns = loop_ready_since(thread, until_ns);
	if (late_from_ns)
		loop_add_late(total, until_ns - late_from_ns);
}

/* Closes the open interval of @thread's totals at @now. */
static __always_inline void close_interval(struct wire_thread *total,
					   const struct thread_ctx *thread, u64 now)
{
	u64 since = thread->stamp_ns;
	u64 latest = thread->head.state == TASK_WOKEN && thread->wake_ns > since ? thread->wake_ns
										 : since;

	/* Probes that were under way when the observation ended may have gone beyond its end. */
	total->end_ns = now < latest ? latest : now;
	total->open_key.reason = WIRE_REASON_CNT;
	switch (thread->head.state) {
	case TASK_ON_CPU:
		total->on_cpu_ns += total->end_ns - since;
		return;
	case TASK_PREEMPTED:
		total->preempted_ns += total->end_ns - since;
		return;
	case TASK_WOKEN:
		total->run_queue_ns += total->end_ns - thread->wake_ns;
		if (thread->wake_ns <= since || !thread->open.tgid)
			return;
		break;
	case TASK_BLOCKED:
		break;
	default:
		return;
	}
	close_wait(total, thread);
}

/* One at a time is read: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_thread);
} snapshot_records SEC(".maps");

SEC("iter/task")
int dump_tasks(struct bpf_iter__task *iter)
{
	struct task_struct *task = iter->task;
	struct wire_thread *total;
	struct thread_ctx *thread;
	u32 zero = 0;

	if (!task)
		return 0;
	thread = thread_find(task);
	total = bpf_map_lookup_elem(&snapshot_records, &zero);
	if (!thread || !total || !thread->head.is_followed || thread->head.state == TASK_SEEDING)
		return 0;
	__builtin_memcpy(total, &thread->total, sizeof(*total));
	total->tgid = thread_tgid(thread, task);
	total->tid = thread_tid(thread, task);
	__builtin_memcpy(total->comm, task->comm, sizeof(total->comm));
	close_interval(total, thread, observed_until_ns);
	bpf_seq_write(iter->meta->seq, total, sizeof(*total));
	return 0;
}

#endif
