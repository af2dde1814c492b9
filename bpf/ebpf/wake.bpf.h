/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What ended a wait, and who: a timer (timeout.bpf.h), a file (ready.bpf.h), or another thread. */
#ifndef CLASSIFY_WAKE_BPF_H
#define CLASSIFY_WAKE_BPF_H

#include "task.bpf.h"
#include "flight.bpf.h"
#include "interest.bpf.h"
#include "lock.bpf.h"
#include "ready.bpf.h"
#include "tick.bpf.h"
#include "timeout.bpf.h"
#include "wait_object.bpf.h"

#define TCP_ESTABLISHED 1

/* @sk listens from now on. */
static __always_inline void listening_began(struct sock *sk)
{
	struct wire_port key = { .netns = socket_netns(sk),
				 .port = BPF_CORE_READ(sk, __sk_common.skc_num) };
	u8 known = 1;

	if (bpf_map_lookup_elem(&listening_ports, &key))
		return;
	if (bpf_map_update_elem(&listening_ports, &key, &known, BPF_ANY)) {
		count_loss(WIRE_LOST_PORT);
		return;
	}
	__sync_fetch_and_or(&listening_filter[(key.port / 64) & 1023], 1ull << key.port % 64);
	__sync_fetch_and_add(&ports_generation, 1);
}

/* Also how ports that are listened on become known, before anybody can connect to them. Whoever it
 * is that listens: a connection may be accepted for the tree, and handed to it. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_inet_sock_set_state, struct sock *sk, int old_state, int new_state)
{
	if (new_state == TCP_ESTABLISHED)
		ready_socket(sk, EPOLLOUT);
	else if (new_state == TCP_LISTEN)
		listening_began(sk);
	return 0;
}

/*
 * What the current task is to @thread, which it wakes. Mostly it is who woke it last time. An
 * outsider is not remembered: it may be about to be adopted.
 */
static __always_inline void wake_source(struct thread_ctx *thread)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct thread_ctx *waker;
	u32 pid = current->pid;

	if (thread->waker_task == (u64)current && thread->waker_pid == pid) {
		thread->waker = WAKER_TREE;
		last_waker_pid = pid;
		return;
	}
	waker = pid ? thread_find(current) : 0;
	if (waker && waker->head.is_followed) {
		thread->waker = WAKER_TREE;
		thread->waker_task = (u64)current;
		thread->waker_pid = pid;
		last_waker_pid = pid;
		return;
	}
	thread->waker = pid ? WAKER_OTHER : WAKER_INTERRUPT;
	thread->waker_task = 0;
}

/* The timeout of a wait for any of several files ran out. Whether clients are among them tells a
 * server's tick from a sleep. */
static __always_inline void wake_by_timeout(struct thread_ctx *thread)
{
	struct wire_wait_key *key = &thread->open;
	struct wire_wait_key watched = *key;

	key->reason = WIRE_TIMER;
	if (!loop_is_epoll(thread))
		return;
	interest_describe(&watched, thread->loop, 0);
	if (watched.reason == WIRE_ACCEPT)
		key->direction = watched.direction;
	else
		key->kind = WIRE_KIND_NONE;
}

/* Whether a timer that isn't the wait's own ended it: a request of its ring, or the alarm() that
 * pause() waits for. */
static __always_inline bool wake_is_by_timer(struct task_struct *task, struct thread_ctx *thread,
					     const struct timer_slot *slot, u64 now)
{
	struct wire_wait_key *key = &thread->open;

	if (key->reason == WIRE_POLL) {
		if (!timer_is_fresh(slot, now) || !timer_is_of_ring(slot->timer, task))
			return false;
		key->kind = WIRE_KIND_NONE;
	} else if (key->reason != WIRE_IPC || key->kind != WIRE_KIND_SYSCALL ||
		   !timer_is_fresh(slot, now) || !timer_signals(slot->timer, task)) {
		return false;
	}
	key->reason = WIRE_TIMER;
	return true;
}

/* Whether a signal is there that @task has to take. */
static __always_inline bool has_signal(struct task_struct *task)
{
	unsigned long pending = BPF_CORE_READ(task, pending.signal.sig[0]) |
				BPF_CORE_READ(task, signal, shared_pending.signal.sig[0]);

	return pending & ~BPF_CORE_READ(task, blocked.sig[0]);
}

/* Completes @thread->open, the wait that @task is being woken from. */
static __always_inline void wake_attribute(struct task_struct *task, struct thread_ctx *thread,
					   u64 now)
{
	struct wire_wait_key *key = &thread->open;
	struct timer_slot *slot;

	wake_source(thread);
	/* A call on a pipe has no timeout and waits for nothing else. */
	if (thread->open_is_memo && key->kind == WIRE_KIND_PIPE)
		return;
	slot = timer_slot();
	if (!slot)
		return;
	if (timeout_is_own(slot, task, now)) {
		thread->waker = WAKER_INTERRUPT;
		key->flags |= WIRE_WAIT_TIMED_OUT;
		if (key->reason == WIRE_POLL)
			wake_by_timeout(thread);
		thread->open_is_memo = 0;
	} else if (wake_is_by_timer(task, thread, slot, now)) {
		thread->waker = WAKER_INTERRUPT;
		thread->open_is_memo = 0;
	} else if (thread->resolve_at_wake) {
		ready_resolve(thread, now);
		thread->open_is_memo = 0;
	}
	/* Lock, GIL, sync, child: whose end is somebody else's doing. */
	if (key->reason >= WIRE_LOCK && key->reason <= WIRE_CHILD)
		wake_by_thread(thread, task->tgid, has_signal(task), now);
}

/* The socket of a TCP connection that @thread has waited for; 0: not known. */
static __always_inline u64 wake_socket(const struct thread_ctx *thread)
{
	const struct file_memo *memo = &thread->memo;

	if (thread->resolve_at_wake)
		return thread->ready_socket;
	if (!memo->is_valid || memo->syscall != thread->open.syscall ||
	    memo->key.kind != WIRE_KIND_TCP || memo->key.port != thread->open.port)
		return 0;
	return (u64)file_sock((struct file *)memo->file);
}

/*
 * Whether @thread has waited for what others were asked for. Where work arrives, a pipe or a
 * connection on which nothing was asked is no reason why it waits: a subscriber's, a loop's own.
 */
static __always_inline bool is_for_result(const struct thread_ctx *thread)
{
	const struct wire_wait_key *key = &thread->open;
	u64 socket;

	switch (key->reason) {
	case WIRE_DISK:
	case WIRE_PAGING:
		return true;
	case WIRE_DEVICE:
		return !has_work;
	case WIRE_IPC:
		/* Else for a signal or a notice, as masters and watchers do. */
		if (key->kind == WIRE_KIND_SYSCALL || key->kind == WIRE_KIND_ANON)
			return false;
		return !has_work || key->direction == WIRE_OUTBOUND;
	case WIRE_NETWORK:
		if (!has_work || key->kind != WIRE_KIND_TCP)
			return true;
		socket = wake_socket(thread);
		return !socket || connection_answers(socket);
	}
	return false;
}

/* Charges the end of @thread's wait at @now with the @quiet_ns of quiet that it ended, if any. */
static __always_inline void wake_charge(struct task_struct *task, struct thread_ctx *thread,
					u64 quiet_ns, u64 now)
{
	const struct wire_wait_key *key = &thread->open;

	if (quiet_ns && key->flags & WIRE_WAIT_TIMED_OUT)
		tick_begin(task, thread, quiet_ns, now);
	if (!quiet_ns && thread->ticked_at_ns == ticked_ns && !thread->resolve_at_wake)
		return;
	if (wire_is_for_work(key)) {
		pool_put_work(thread, quiet_ns, now);
		return;
	}
	thread->quiet_ns += quiet_ns;
	if (ticked_ns && thread->waker != WAKER_TREE && !(key->flags & WIRE_WAIT_TIMED_OUT) &&
	    is_for_result(thread))
		thread->quiet_ns += pool_claim(thread, ready_sent_ns(thread));
}

#endif
