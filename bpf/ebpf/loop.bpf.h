/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Threads that drive an event loop, and how long descriptors of the loop were ready while its
 * thread was blocked in another call. A thread is known to drive a loop once it has slept in it; a
 * loop in which several threads sleep is none of any one of them. While no loop is blocked, all
 * this costs a look at one word for each socket that becomes ready.
 */
#ifndef CLASSIFY_LOOP_BPF_H
#define CLASSIFY_LOOP_BPF_H

#include "task.bpf.h"
#include "wait_object.bpf.h"

#define EPOLLIN	 0x1
#define EPOLLOUT 0x4

#define RCV_SHUTDOWN 1

#define SYSCALL_IO_URING_ENTER	     426
#define IORING_ENTER_REGISTERED_RING 0x10

/* Of a loop's list of ready descriptors, and of the loops that watch one descriptor, so many are
 * looked at. */
#define LOOP_READY_MAX	  16
#define LOOP_WATCHERS_MAX 4
#define LOOP_POLLED_MAX	  8

struct loop_state {
	u32 tid; /* of the thread that drives it */
	u32 is_epoll;
	u32 is_shared;
	u32 is_blocked;
	u64 ready_ns; /* while blocked: when its first descriptor was ready; 0: none is */
	u64 own_file; /* what the blocking call itself waits for; 0: no file */
};

/* By what the descriptor's file holds: the eventpoll, or the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct loop_state);
} loops SEC(".maps");

/* Loops that are blocked now. Read for every socket that becomes ready: on a line of its own. */
__u64 blocked_loop_cnt __attribute__((aligned(64))) = 0;

/* Kernels before 6.2 take keys from the stack or a map only: not from the memory that a global
 * function is given. */
static __always_inline struct loop_state *loop_find(u64 loop)
{
	return bpf_map_lookup_elem(&loops, &loop);
}

/* The loop that @thread drove is its no more. */
static __always_inline void loop_forget(struct thread_ctx *thread)
{
	struct loop_state *loop = loop_find(thread->loop);
	u64 key = thread->loop;

	if (loop && loop->tid == thread->loop_tid && !loop->is_shared)
		bpf_map_delete_elem(&loops, &key);
	thread->loop = thread->loop_file = 0;
}

/* @thread sleeps in the loop behind the open file @file for the first time. Global, as
 * socket_describe is. */
__noinline int loop_adopt(struct thread_ctx *thread, u64 file, u32 fd, u32 tid, u32 is_epoll)
{
	struct loop_state state = { .tid = tid, .is_epoll = is_epoll }, *known;
	u64 loop = (u64)BPF_CORE_READ((struct file *)file, private_data);

	if (!thread || !loop)
		return 0;
	if (thread->loop && thread->loop != loop)
		loop_forget(thread);
	thread->loop = loop;
	thread->loop_file = file;
	thread->loop_fd = fd;
	thread->loop_tid = tid;
	thread->is_loop_seeded = 0;
	/* Its waits are looked at one by one from now on. */
	thread->memo.is_valid = 0;
	known = bpf_map_lookup_elem(&loops, &loop);
	if (known && known->tid != tid)
		known->is_shared = 1;
	else if (!known && bpf_map_update_elem(&loops, &loop, &state, BPF_NOEXIST))
		count_loss(WIRE_LOST_LOOP);
	return 0;
}

/* Whether @thread, waiting through an event loop, does so in an epoll instance: thread->loop. */
static __always_inline bool loop_is_epoll(const struct thread_ctx *thread)
{
	return thread->loop && thread->open.flags & WIRE_WAIT_EVENT_LOOP &&
	       thread->open.syscall != SYSCALL_IO_URING_ENTER;
}

/* @thread sleeps in a loop: mostly in the same one as before. */
static __always_inline void loop_enter(struct thread_ctx *thread,
				       const struct descriptor_table *files, u64 syscall, u32 fd,
				       u32 flags, u32 tid)
{
	bool is_ring = syscall == SYSCALL_IO_URING_ENTER;
	u64 file;

	/* Then the number is an index into the thread's rings, not a descriptor. */
	if (is_ring && flags & IORING_ENTER_REGISTERED_RING)
		return;
	file = (u64)file_of_descriptor(files, fd);
	if (file && file != thread->loop_file)
		loop_adopt(thread, file, fd, tid, !is_ring);
}

/*
 * @task has the file @file open as @fd since before it was observed. The loop of a process with one
 * thread is that thread's; it may be so busy, or so blocked, that it never sleeps there. Of several
 * the one that was opened last stands, until it sleeps in one.
 */
static __always_inline void loop_seed(struct thread_ctx *thread, struct task_struct *task,
				      struct file *file, u32 fd)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	struct descriptor_table files = {
		.slots = (u64)BPF_CORE_READ(task, files, fdt, fd),
		.slot_cnt = BPF_CORE_READ(task, files, fdt, max_fds),
	};
	u64 word = 0;

	if ((thread->loop && !thread->is_loop_seeded) ||
	    BPF_CORE_READ(task, signal, nr_threads) != 1)
		return;
	bpf_probe_read_kernel(&word, sizeof(word), name);
	if (word == WORD('[', 'e', 'v', 'e', 'n', 't', 'p', 'o'))
		loop_enter(thread, &files, 0, fd, 0, thread_tid(thread, task));
	thread->is_loop_seeded = thread->loop != 0;
}

/* Whether something waits to be read from, or accepted by, the socket @sk. */
static __always_inline bool sock_has_input(struct sock *sk)
{
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		return BPF_CORE_READ(sk, sk_ack_backlog);
	return BPF_CORE_READ(sk, sk_receive_queue.qlen);
}

/* The same of the open file @file; that the far end has closed it is something. */
static __always_inline bool file_has_input(struct file *file)
{
	struct sock *sk;

	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return false;
	sk = file_sock(file);
	return sock_has_input(sk) || BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN;
}

/*
 * A descriptor of the loop other than the call's own may have been ready already when its thread,
 * now blocked, turned to that call. An item stays on the list after it was returned, so only the
 * socket itself can tell.
 */
__noinline int loop_find_ready(struct thread_ctx *thread, u64 own_file)
{
	struct list_head *head, *at;
	u64 loop;

	if (!thread)
		return 0;
	loop = thread->loop;
	head = (struct list_head *)(loop + bpf_core_field_offset(struct eventpoll, rdllist));
	at = BPF_CORE_READ(head, next);
	for (int i = 0; i < LOOP_READY_MAX && at && at != head; i++) {
		struct epitem *item = (void *)at - bpf_core_field_offset(struct epitem, rdllink);
		struct file *file = BPF_CORE_READ(item, ffd.file);

		if (file && (u64)file != own_file && BPF_CORE_READ(item, event.events) & EPOLLIN &&
		    file_has_input(file)) {
			struct loop_state *state = bpf_map_lookup_elem(&loops, &loop);

			if (state)
				state->ready_ns = thread->stamp_ns;
			return 0;
		}
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

/* A poll or select that watches the loop itself is the loop's wait, at one remove. */
static __always_inline bool loop_is_polled(const struct thread_ctx *thread, u32 how, const u64 *arg)
{
	u32 fd = thread->loop_fd;
	u64 watched = 0;

	if (how == SYSCALL_SELECT) {
		if (fd < arg[0])
			bpf_probe_read_user(&watched, sizeof(watched), (u64 *)arg[1] + fd / 64);
		return watched >> (fd % 64) & 1;
	}
	for (u32 i = 0; i < LOOP_POLLED_MAX && i < (u32)arg[1]; i++) {
		s32 polled = -1;

		bpf_probe_read_user(&polled, sizeof(polled), (u64 *)arg[0] + i);
		if (polled == (s32)fd)
			return true;
	}
	return false;
}

/*
 * The thread of a loop is about to sleep in another call; it waits for @own_file, if not 0. Returns
 * whether the loop stands still meanwhile.
 */
__noinline int loop_block(struct thread_ctx *thread, u64 file, u64 own_file)
{
	struct loop_state *state;

	if (!thread)
		return 0;
	if (file != thread->loop_file ||
	    (u64)BPF_CORE_READ((struct file *)file, private_data) != thread->loop) {
		loop_forget(thread); /* it was closed */
		return 0;
	}
	state = loop_find(thread->loop);
	if (!state || state->is_shared || state->tid != thread->loop_tid)
		return 0;
	if (!state->is_epoll)
		return 1; /* what is ready for a ring, nobody tells */
	state->own_file = own_file;
	state->ready_ns = 0;
	state->is_blocked = 1;
	if (!thread->is_loop_blocked) {
		thread->is_loop_blocked = 1;
		__sync_fetch_and_add(&blocked_loop_cnt, 1);
	}
	return 1;
}

/* Since when a descriptor of @thread's loop has been ready while the thread is blocked; 0: none. */
static __always_inline u64 loop_ready_since(const struct thread_ctx *thread, u64 until_ns)
{
	struct loop_state *state;

	if (!thread->is_loop_blocked)
		return 0;
	state = loop_find(thread->loop);
	return state && state->ready_ns < until_ns ? state->ready_ns : 0;
}

static __always_inline void loop_add_late(struct wire_thread *total, u64 late_ns)
{
	total->loop_late_ns += late_ns;
	total->loop_late_cnt++;
	if (late_ns > total->loop_late_max_ns)
		total->loop_late_max_ns = late_ns;
}

/* The call that held up @thread's loop ended at @now. */
__noinline int loop_unblock(struct thread_ctx *thread, u64 now)
{
	struct loop_state *state;
	u64 ready_ns;

	if (!thread || !thread->is_loop_blocked)
		return 0;
	ready_ns = loop_ready_since(thread, now);
	if (ready_ns)
		loop_add_late(&thread->total, now - ready_ns);
	thread->is_loop_blocked = 0;
	__sync_fetch_and_add(&blocked_loop_cnt, -1);
	state = loop_find(thread->loop);
	if (state)
		state->is_blocked = 0;
	return 0;
}

/* A socket became ready for @events at @now while some loop is blocked. */
__noinline int loop_note_ready(u64 socket, u32 events, u64 now)
{
	struct file *file = BPF_CORE_READ((struct sock *)socket, sk_socket, file);
	struct hlist_head *watchers = BPF_CORE_READ(file, f_ep);
	struct hlist_node *at = BPF_CORE_READ(watchers, first);

	for (int i = 0; i < LOOP_WATCHERS_MAX && at; i++) {
		struct epitem *item = (void *)at - bpf_core_field_offset(struct epitem, fllink);
		u64 loop = (u64)BPF_CORE_READ(item, ep);
		struct loop_state *state = bpf_map_lookup_elem(&loops, &loop);

		if (state && state->is_blocked && !state->ready_ns &&
		    state->own_file != (u64)file && BPF_CORE_READ(item, event.events) & events)
			state->ready_ns = now;
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

#endif
