/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What ended a wait. An event loop's wakeup belongs to the socket that became ready, and a wait
 * with a timeout that ran out to its timer: both are named by a tracepoint on the same CPU just
 * before the wakeup, and kept in a slot of that CPU.
 */
#ifndef CLASSIFY_WAKE_BPF_H
#define CLASSIFY_WAKE_BPF_H

#include "task.bpf.h"
#include "lock.bpf.h"
#include "loop.bpf.h"
#include "tick.bpf.h"
#include "wait_object.bpf.h"

/* What is in the slot names a wakeup that follows within this time on the same CPU: the callback
 * that wakes runs at once, in a microsecond or so, but for what interrupts it. A timer names its
 * thread and can be believed longer than a socket, which names none. */
#define SOCKET_FRESH_NS 10000
#define TIMER_FRESH_NS	100000

struct wake_slot {
	u64 socket;
	u64 socket_ns;
	u64 timed_out_task;
	u64 timed_out_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wake_slot);
} wake_slots SEC(".maps");

static __always_inline struct wake_slot *wake_slot(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&wake_slots, &zero);
}

static __always_inline void ready_socket(struct sock *sk, u32 events)
{
	struct wake_slot *slot = wake_slot();

	if (!slot || !is_observing)
		return;
	slot->socket = (u64)sk;
	slot->socket_ns = bpf_ktime_get_ns();
	if (blocked_loop_cnt)
		loop_note_ready(slot->socket, events, slot->socket_ns);
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(on_sk_data_ready, struct sock *sk)
{
	ready_socket(sk, EPOLLIN);
	return 0;
}

#define TCP_ESTABLISHED 1
#define TCP_CLOSE	7

/* @sk listens from now on, or, closing, no more. A connection's socket begins as a copy of its
 * listener, but goes another way. */
static __always_inline void listening_changed(struct sock *sk, bool is_listening)
{
	struct wire_port key = { .netns = socket_netns(sk),
				 .port = BPF_CORE_READ(sk, __sk_common.skc_num) };
	u32 *socket_cnt = bpf_map_lookup_elem(&listening_ports, &key);
	u32 one = 1;

	if (is_listening && socket_cnt)
		__sync_fetch_and_add(socket_cnt, 1);
	else if (is_listening)
		bpf_map_update_elem(&listening_ports, &key, &one, BPF_ANY);
	else if (socket_cnt && *socket_cnt > 1)
		__sync_fetch_and_add(socket_cnt, -1);
	else if (socket_cnt)
		bpf_map_delete_elem(&listening_ports, &key);
	if (is_listening)
		__sync_fetch_and_or(&listening_filter[(key.port / 64) & 1023],
				    1ull << key.port % 64);
	__sync_fetch_and_add(&ports_generation, 1);
}

/* Also how ports that are listened on become known, before anybody can connect to them. Whoever it
 * is that listens: a connection may be accepted for the tree, and handed to it. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_inet_sock_set_state, struct sock *sk, int old_state, int new_state)
{
	if (new_state == TCP_ESTABLISHED)
		ready_socket(sk, EPOLLOUT);
	else if (new_state == TCP_LISTEN || (old_state == TCP_LISTEN && new_state == TCP_CLOSE))
		listening_changed(sk, new_state == TCP_LISTEN);
	return 0;
}

/*
 * Whose sleep does this timer end? Only a timer that is part of a hrtimer_sleeper has a task beside
 * it; for any other, what is read there is no thread that is being woken. It has to be read
 * now: the sleeper forgets its task before it wakes it.
 */
SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_hrtimer_expire_entry, struct hrtimer *timer)
{
	struct wake_slot *slot = wake_slot();
	struct hrtimer_sleeper *sleeper;

	if (!slot || !is_observing)
		return 0;
	sleeper = (void *)timer - bpf_core_field_offset(struct hrtimer_sleeper, timer);
	slot->timed_out_task = (u64)BPF_CORE_READ(sleeper, task);
	slot->timed_out_ns = bpf_ktime_get_ns();
	return 0;
}

/* Did the timer that expired on this CPU last end @task's sleep? */
static __always_inline bool wake_is_timeout(struct wake_slot *slot, struct task_struct *task,
					    u64 now)
{
	bool is_timeout =
		slot->timed_out_task == (u64)task && now - slot->timed_out_ns < TIMER_FRESH_NS;

	slot->timed_out_task = 0;
	return is_timeout;
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

/* Completes @thread->open, the wait that @task is being woken from. */
static __always_inline void wake_attribute(struct task_struct *task, struct thread_ctx *thread,
					   u64 now)
{
	struct wire_wait_key *key = &thread->open;
	struct wake_slot *slot;

	wake_source(thread);
	/* A call on a pipe has no timeout and waits for nothing else. */
	if (thread->open_is_memo && key->kind == WIRE_KIND_PIPE)
		return;
	slot = wake_slot();
	if (!slot)
		return;
	if (wake_is_timeout(slot, task, now)) {
		thread->waker = WAKER_INTERRUPT;
		thread->open_is_memo = 0;
		key->flags |= WIRE_WAIT_TIMED_OUT;
		if (key->reason == WIRE_POLL)
			key->reason = WIRE_TIMER;
	} else if (thread->resolve_at_wake && slot->socket &&
		   now - slot->socket_ns < SOCKET_FRESH_NS) {
		struct wire_wait_key ready = { .tgid = key->tgid,
					       .flags = key->flags,
					       .syscall = key->syscall };

		socket_describe(&ready, slot->socket, 0);
		if (ready.reason != WIRE_OTHER)
			*key = ready;
		thread->open_is_memo = 0;
	}
	slot->socket = 0;
	/* Lock, GIL, sync, child: whose end is somebody else's doing. */
	if (key->reason >= WIRE_LOCK && key->reason <= WIRE_CHILD)
		wake_by_thread(thread, task->tgid, now);
}

#endif
