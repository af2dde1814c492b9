/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A wait for any of several files ends when one of them becomes ready: which one? An epoll instance
 * lists it before it wakes its thread. Of poll, select and io_uring the socket is named by a
 * tracepoint just before the wakeup, on the same CPU; a pipe or an eventfd by what its writer is
 * about to write to.
 */
#ifndef CLASSIFY_READY_BPF_H
#define CLASSIFY_READY_BPF_H

#include "task.bpf.h"
#include "loop.bpf.h"
#include "wait_object.bpf.h"

#define PF_EXITING   0x4
#define PF_IO_WORKER 0x10

/* The callback that wakes runs at once after the tracepoint, but for what interrupts it. */
#define READY_FRESH_NS 10000

/* What became ready last on this CPU. */
struct ready_slot {
	u64 socket;
	u64 socket_ns;
	u64 device; /* whose request was completed */
	u64 device_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct ready_slot);
} ready_slots SEC(".maps");

static __always_inline struct ready_slot *ready_slot(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&ready_slots, &zero);
}

/* Whether a thread of the tree has ever waited so that only the tracepoint can tell the socket: for
 * as long as there is none, a socket that becomes ready costs a look at two words. */
__u32 has_pollers = 0;

static __always_inline void ready_socket(struct sock *sk, u32 events)
{
	struct ready_slot *slot;

	if ((!has_pollers && !blocked_loop_cnt) || !is_observing)
		return;
	slot = ready_slot();
	if (!slot)
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

/* Rings learn of their files' blocks from the interrupt itself. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(on_block_rq_complete, struct request *request)
{
	struct ready_slot *slot = ready_slot();

	if (!slot || !is_observing)
		return 0;
	slot->device = BPF_CORE_READ(request, part, bd_dev);
	slot->device_ns = bpf_ktime_get_ns();
	return 0;
}

/* The file that the worker @task of an io_uring is at work on; 0: none. */
static __always_inline u64 io_worker_file(struct task_struct *task)
{
	struct io_worker *worker;
	struct io_wq_work *work;
	struct io_kiocb *request;

	if (!bpf_core_type_exists(struct io_worker))
		return 0;
	worker = BPF_CORE_READ(task, worker_private);
	work = BPF_CORE_READ(worker, cur_work);
	if (!work)
		return 0;
	request = (void *)work - bpf_core_field_offset(struct io_kiocb, work);
	return (u64)BPF_CORE_READ(request, file);
}

/* The item that @loop (an eventpoll) lists first of those that are ready; 0: none. */
static __always_inline struct epitem *loop_first_ready(u64 loop)
{
	struct list_head *head =
		(struct list_head *)(loop + bpf_core_field_offset(struct eventpoll, rdllist));
	struct list_head *at = BPF_CORE_READ(head, next);

	return at && at != head ? (void *)at - bpf_core_field_offset(struct epitem, rdllink) : 0;
}

/* The pipe or eventfd that the current task is writing to; 0: none. Other files have their own
 * ways to tell. */
static __always_inline u64 written_file(struct task_struct *current)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(current);
	struct fdtable *table = BPF_CORE_READ(current, files, fdt);
	u64 syscall = regs->orig_ax;
	struct descriptor_table files;
	struct file *file;
	u32 type;

	if (syscall >= WIRE_SYSCALL_CNT || syscall_table[syscall] != SYSCALL_FD_WRITE || !table)
		return 0;
	files.slots = (u64)BPF_CORE_READ(table, fd);
	files.slot_cnt = BPF_CORE_READ(table, max_fds);
	file = file_of_descriptor(&files, regs->di);
	type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	return file && (type == S_IFIFO || !type) ? (u64)file : 0;
}

/* Describes the wait for @file, which has become ready, or repeats what was said of it last. */
static __always_inline void ready_describe(struct thread_ctx *thread, struct wire_wait_key *ready,
					   u64 file, u32 is_write)
{
	struct file_memo *memo = &thread->ready;
	u64 inode_number = file_inode_number((struct file *)file);

	if (memo->is_valid && memo->file == file && memo->inode_number == inode_number &&
	    memo->ports_generation == ports_generation && memo->syscall == is_write &&
	    memo->key.syscall == ready->syscall && memo->key.tgid == ready->tgid) {
		*ready = memo->key;
		return;
	}
	file_describe(ready, file, is_write);
	memo->file = file;
	memo->inode_number = inode_number;
	memo->ports_generation = ports_generation;
	memo->syscall = is_write;
	memo->key = *ready;
	memo->is_valid = file_is_settled(ready, (struct file *)file);
}

/* A socket that has nothing to read can be written to. */
static __always_inline void ready_in_loop(struct thread_ctx *thread, struct wire_wait_key *ready,
					  struct epitem *item)
{
	struct file *file = BPF_CORE_READ(item, ffd.file);
	u32 events = BPF_CORE_READ(item, event.events);

	if (!file)
		return;
	ready_describe(thread, ready, (u64)file, events & EPOLLOUT && !file_has_input(file));
	if (ready->kind == WIRE_KIND_TCP)
		thread->ready_socket = (u64)file_sock(file);
}

/* What has become ready for a thread that waits through poll, select or a ring. Who writes to a
 * pipe or eventfd wakes by that, whatever socket it wrote to just before. */
static __always_inline void ready_of_waker(struct thread_ctx *thread, struct wire_wait_key *ready,
					   const struct ready_slot *slot, u64 now)
{
	struct task_struct *current = bpf_get_current_task_btf();
	u32 flags = current->flags;
	u64 file = 0;

	if (!(flags & PF_IO_WORKER))
		file = written_file(current);
	else if (!thread->ready_socket)
		file = io_worker_file(current);
	if (file) {
		thread->ready_socket = 0;
		ready_describe(thread, ready, file, 0);
	} else if (thread->ready_socket) {
		socket_describe(ready, thread->ready_socket, 0);
	} else if (ready->flags & WIRE_WAIT_EVENT_LOOP && now - slot->device_ns < READY_FRESH_NS) {
		ready->reason = WIRE_DISK;
		ready->kind = WIRE_KIND_BLOCK;
		ready->id[0] = slot->device;
	} else if (flags & PF_EXITING &&
		   task_tgid_number(current->real_parent) == thread->open.tgid) {
		ready->reason = WIRE_CHILD;
		ready->kind = WIRE_KIND_CHILD;
	}
}

/*
 * Completes @thread->open, a wait for any of several files that ends at @now, by the file that
 * became ready, if that can be told. Global, as socket_describe is.
 */
__noinline int ready_resolve(struct thread_ctx *thread, u64 now)
{
	struct ready_slot *slot = ready_slot();
	struct wire_wait_key ready = {};
	struct epitem *item = 0;
	bool has_socket;

	if (!slot || !thread)
		return 0;
	ready.tgid = thread->open.tgid;
	ready.flags = thread->open.flags;
	ready.syscall = thread->open.syscall;
	ready.reason = WIRE_OTHER;
	has_socket = slot->socket && now - slot->socket_ns < READY_FRESH_NS;
	thread->ready_socket = has_socket ? slot->socket : 0;
	slot->socket = 0; /* named once */
	if (loop_is_epoll(thread))
		item = loop_first_ready(thread->loop);
	if (item) {
		thread->ready_socket = 0;
		ready_in_loop(thread, &ready, item);
		if (ready.reason == WIRE_POLL) { /* one loop inside another */
			item = loop_first_ready((u64)BPF_CORE_READ(item, ffd.file, private_data));
			if (item)
				ready_in_loop(thread, &ready, item);
		}
	} else {
		ready_of_waker(thread, &ready, slot, now);
	}
	if (ready.reason != WIRE_OTHER)
		thread->open = ready;
	return 0;
}

/* When the request was sent whose answer has just become ready for @thread; 0: not known. The
 * kernel keeps the time of the segment that was acknowledged last. */
static __always_inline u64 ready_sent_ns(const struct thread_ctx *thread)
{
	struct tcp_sock *tcp = (struct tcp_sock *)thread->ready_socket;

	if (!thread->resolve_at_wake || thread->open.kind != WIRE_KIND_TCP || !tcp)
		return 0;
	return BPF_CORE_READ(tcp, first_tx_mstamp) * 1000;
}

#endif
