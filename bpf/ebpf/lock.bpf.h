/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who keeps a thread waiting: who holds its lock, which child lives. Both tell by the wakeup that
 * ends the wait: the current task is the one that released the lock, or the child that died.
 *
 * A holder is charged with what all the lock's waiters waited since the last hand-over, which is
 * when it got the lock: the last of a queue has waited for each before it, not for the one that let
 * it in alone. That needs no look into the target's memory and holds for every kind of lock; of
 * several readers of an rwlock it is the last to leave that is charged.
 */
#ifndef CLASSIFY_LOCK_BPF_H
#define CLASSIFY_LOCK_BPF_H

#include "task.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct wire_holder_key);
	__type(value, struct wire_holder_sum);
} holders SEC(".maps");

/* The threads that wait for one lock. */
struct lock_queue {
	u64 waiter_cnt;
	u64 since_ns; /* for each, when it began to wait or the last hand-over was: the sum */
};

/* Of the locks waited for last. Where a lock had to make room while threads waited for it, a holder
 * is charged with the wait that it ends alone. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wire_holder_key); /* with tid 0 */
	__type(value, struct lock_queue);
} lock_queues SEC(".maps");

/* The two words of a queue are changed one after the other. Counting time from this instant on, a
 * charge that was read in between is out by so much that it shows. */
#define QUEUE_EPOCH_NS (1ull << 60)
#define CHARGE_MAX_NS  (1ull << 58)

__u64 holder_row_cnt = 0; /* rows made in `holders`, so that the user side knows when to sweep */

/* The number of the current task, who may be no thread of the tree. */
static __always_inline u32 releaser_tid(struct task_struct *current)
{
	struct thread_ctx *thread = thread_find(current);

	if (thread && thread->head.is_followed)
		return thread_tid(thread, current);
	if (!pid_ns_level)
		return current->pid;
	return number_in_namespace((u64)BPF_CORE_READ(current, thread_pid));
}

static __always_inline void handover_count(const struct wire_holder_key *key, u64 wait_ns)
{
	struct wire_holder_sum *sum = bpf_map_lookup_elem(&holders, key);
	struct wire_holder_sum first = { .wait_ns = wait_ns, .handover_cnt = 1 };

	if (!sum) {
		bpf_get_current_comm(first.comm, sizeof(first.comm));
		if (!bpf_map_update_elem(&holders, key, &first, BPF_NOEXIST)) {
			__sync_fetch_and_add(&holder_row_cnt, 1);
			return;
		}
		/* Another thread was first, or the table is full. */
		sum = bpf_map_lookup_elem(&holders, key);
	}
	if (!sum) {
		count_loss(WIRE_LOST_HOLDER);
		return;
	}
	__sync_fetch_and_add(&sum->wait_ns, wait_ns);
	__sync_fetch_and_add(&sum->handover_cnt, 1);
}

static __always_inline struct wire_holder_key lock_key(const struct wire_wait_key *open)
{
	struct wire_holder_key key = { .tgid = open->tgid,
				       .reason = open->reason,
				       .kind = WIRE_KIND_FUTEX };

	if (open->reason != WIRE_GIL) {
		key.kind = open->kind;
		key.id[0] = open->id[0];
		key.id[1] = open->id[1];
	}
	return key;
}

/* @thread, the current one, is about to wait for a lock. */
__noinline int lock_wait_begin(struct thread_ctx *thread)
{
	struct lock_queue *queue, first = {};
	struct wire_holder_key key;

	if (!thread)
		return 0;
	key = lock_key(&thread->open);
	queue = bpf_map_lookup_elem(&lock_queues, &key);
	if (!queue) {
		bpf_map_update_elem(&lock_queues, &key, &first, BPF_NOEXIST);
		queue = bpf_map_lookup_elem(&lock_queues, &key);
	}
	if (!queue)
		return 0;
	__sync_fetch_and_add(&queue->since_ns, bpf_ktime_get_ns() + QUEUE_EPOCH_NS);
	__sync_fetch_and_add(&queue->waiter_cnt, 1);
	thread->is_in_queue = 1;
	return 0;
}

/* @thread waits no longer. What it has waited since the last hand-over stays in the sum, and is
 * charged at the next. */
static __always_inline void queue_leave(struct thread_ctx *thread, struct lock_queue *queue,
					u64 now)
{
	__sync_fetch_and_add(&queue->waiter_cnt, -1);
	__sync_fetch_and_add(&queue->since_ns, -(now + QUEUE_EPOCH_NS));
	thread->is_in_queue = 0;
}

/* How long the queue's threads have waited since the last hand-over; now is one. */
static __always_inline u64 queue_charge(struct lock_queue *queue, u64 now)
{
	u64 charge_ns = queue->waiter_cnt * (now + QUEUE_EPOCH_NS) - queue->since_ns;

	if (charge_ns > CHARGE_MAX_NS)
		return 0; /* the next hand-over will tell */
	__sync_fetch_and_add(&queue->since_ns, charge_ns);
	return charge_ns;
}

/* @thread, which waits for a lock, is being woken, or was and nobody saw it (@is_handover 0). */
__noinline int lock_wait_end(struct thread_ctx *thread, u64 now, u32 is_handover)
{
	struct lock_queue *queue = 0;
	struct wire_holder_key key;
	u64 charge_ns;

	if (!thread)
		return 0;
	charge_ns = now - thread->stamp_ns;
	key = lock_key(&thread->open);
	if (thread->is_in_queue)
		queue = bpf_map_lookup_elem(&lock_queues, &key);
	if (queue && !queue->waiter_cnt)
		queue = 0; /* not the one that it joined */
	if (queue && is_handover)
		charge_ns = queue_charge(queue, now);
	if (queue)
		queue_leave(thread, queue, now);
	if (is_handover) {
		key.tid = releaser_tid(bpf_get_current_task_btf());
		handover_count(&key, charge_ns);
	}
	return 0;
}

/* Names the child whose end, or stop, ends @thread's wait; a child of vfork that is about to run
 * exec still has its parent's name. @tgid: of @thread, as the kernel numbers it. */
static __always_inline void child_name(struct thread_ctx *thread, u32 tgid)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct task_struct *leader = current->group_leader;
	struct wire_wait_key *key = &thread->open;
	struct task_struct *parent;
	u32 syscall = key->syscall;

	if (syscall >= WIRE_SYSCALL_CNT || syscall_table[syscall] != SYSCALL_CHILD || !leader)
		return;
	parent = leader->real_parent;
	if (parent && (u32)parent->tgid == tgid)
		bpf_probe_read_kernel(key->id, sizeof(key->id), leader->comm);
}

/*
 * @thread, of process @tgid, is being woken from a wait that somebody else ends, or, if
 * @is_signalled, a signal: exit_group kills a process's other threads, and hands no lock over.
 * Global, so that the verifier checks it once.
 */
__noinline int wake_by_thread(struct thread_ctx *thread, u32 tgid, u32 is_signalled, u64 now)
{
	u32 reason;

	if (!thread)
		return 0;
	reason = thread->open.reason;
	if (reason == WIRE_LOCK || reason == WIRE_GIL)
		lock_wait_end(thread, now, thread->waker != WAKER_INTERRUPT && !is_signalled);
	else if (reason == WIRE_CHILD && thread->waker != WAKER_INTERRUPT)
		child_name(thread, tgid);
	return 0;
}

#endif
