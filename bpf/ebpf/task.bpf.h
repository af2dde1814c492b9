/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The context of a followed thread, the maps, and the counting of losses. */
#ifndef CLASSIFY_TASK_BPF_H
#define CLASSIFY_TASK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "wire.h"

const volatile bool follow_children = true;
const volatile bool seed_children = true; /* those that live at the beginning, too */
const volatile bool begins_at_exec = false;
const volatile __u32 self_tgid = 0; /* classify itself, which may be in the tree it attaches to */
/* How deep classify's PID namespace lies, 0 being the host's: there the probes' numbers are the
 * kernel's own, and what is for other namespaces falls away when they are loaded. */
const volatile __u32 pid_ns_level = 0;
/* enum wire_syscall by system call number; syscalls.c fills it before load. */
const volatile __u8 syscall_table[WIRE_SYSCALL_CNT] = {};

/* 1 between track and finish. Plain stores and loads: a probe that reads the old value books one
 * event more or less at the very end. */
__u32 is_observing = 0;
__u32 is_closing = 0; /* after that for a while: deaths are booked still, see await_dying */
__u32 has_begun = 0;  /* with begins_at_exec: the root has run exec */
__u64 observed_from_ns = 0;
__u64 observed_until_ns = 0; /* set by finish */

__u64 losses[WIRE_LOSS_CNT] = {};
__u64 wait_row_cnt = 0; /* rows made in `waits`, so that the user side knows when to sweep */
__u64 listening_filter[65536 / 64] = {}; /* ports that are in `listening_ports` */
__u32 ports_generation = 0;		 /* counts additions to `listening_ports` */
__u64 live_cnt = 0;			 /* followed threads that have begun and not died yet */
__u64 seeded_cnt = 0;			 /* threads adopted by the seeding iterator so far */

enum task_state {
	/* Made, but what it is doing isn't known yet: the seeding iterator is about to say, or
	 * the next event will. Not counted in program time. */
	TASK_SEEDING = 0,
	TASK_ON_CPU,
	TASK_WOKEN,	/* runnable after a wakeup or birth */
	TASK_PREEMPTED, /* runnable, never slept */
	TASK_BLOCKED,
};

#define MEMO_OF_INODE 2

/* What a wait of one thread looked like last time, to skip describing the same file again. */
struct file_memo {
	u64 file;
	u64 inode_number;
	u32 syscall;
	u32 is_valid; /* MEMO_OF_INODE: a file or directory, whose inode's number may be used again
		       */
	u32 ports_generation; /* what is inbound may change with it */
	u32 is_pending;	      /* the thread's pending sum is of `key` */
	struct wire_wait_key key;
};

/* A file of which the thread lately needed a page, see disk.bpf.h. */
struct page_mark {
	u64 inode;
	u64 inode_number;
	u64 cpu_ns;   /* the thread's own time then */
	u32 is_miss;  /* it had to be read for certain */
	u32 is_fault; /* it was needed through a mapping */
	/* The registers with which the thread was in the kernel: the next call has others. */
	u64 call;
	u64 argument;
	u64 ip;
};

/* The futex that a thread waited on last, and what it is. */
struct futex_memo {
	u64 address; /* 0: nothing is remembered */
	u32 op;
	u32 value;
	u32 joined;
	u8 kind;
	u8 reason;
	u8 back; /* as in struct futex_known */
};

struct thread_ctx {
	struct wire_followed head;
	u64 stamp_ns;	     /* when `state` began; for TASK_BLOCKED the switch-out */
	u64 wake_ns;	     /* TASK_WOKEN: when it was woken; else 0, but see on_sched_waking */
	u64 starved_ns;	     /* how long the tree had starved at its last switch-out or wakeup */
	u64 runtime_ns;	     /* the kernel's account of its CPU time at its last switch-out */
	u64 lead_ns;	     /* by how much its last slice had begun before its `stamp_ns` */
	u64 segment_ns;	     /* when its totals were told last, see segment.bpf.h */
	u64 quiet_ns;	     /* program time that the end of the open wait ended */
	u64 ticked_at_ns;    /* `ticked_ns` when it was switched out */
	u64 given_ns;	     /* put into the pool by the end of the open wait */
	u64 tick_ns;	     /* quiet that its timeout ended; 0: see tick.bpf.h */
	u64 tick_at_ns;	     /* when */
	u64 tick_wait_ns;    /* how long that wait lasted */
	u64 tick_from_ns;    /* `ticked_at_ns` of that wait */
	u64 tick_loop_file;  /* the event loop that it waited in, or 0 */
	u64 tick_on_cpu_ns;  /* its time on a CPU until then */
	u64 waker_task;	     /* the thread of the tree that woke it last, or 0 */
	u32 waker_pid;	     /* its number */
	u32 waker;	     /* enum waker, of the last wakeup */
	u32 resolve_at_wake; /* the object is whatever becomes ready */
	u32 open_is_memo;    /* `open` is memo.key */
	/* Stacks, see stack.bpf.h. */
	u32 stack_left;		   /* waits to go until one is chosen */
	u32 stack_told;		   /* 1 + the number of the wait whose end is to be told; 0: none */
	struct wire_wait_key open; /* the wait it is in, or was in last */
	struct wire_wait_key stopped_wait; /* the one before it was stopped */
	struct file_memo memo;
	struct futex_memo futex;
	u32 is_in_queue;	/* for a lock, see lock.bpf.h */
	u64 ready_socket;	/* the socket that ended the open wait for several files; 0: none */
	struct file_memo ready; /* the file that did so last; `syscall` is whether for writing */
	/* The event loop that it drives, see loop.bpf.h; 0: none. */
	u64 loop;
	u64 loop_file; /* behind this descriptor: */
	u32 loop_fd;
	u32 loop_tid;		     /* its own number */
	u32 is_loop_blocked;	     /* in the wait that it is in now */
	u32 is_loop_seeded;	     /* it has yet to be seen in it */
	struct wire_neighbour taker; /* TASK_PREEMPTED: who took its CPU, "" for one of the tree */
	/* Samples, see sample.bpf.h. */
	u32 sampled_wait_cnt; /* how often it had waited when it was last sampled */
	u32 run_samples;      /* in a row without input or output and without a wait */
	u32 run_is_counted;
	u64 loop_mark;	 /* changes when it serves its loop */
	u64 loop_io_cnt; /* its reads and writes by the kernel's account */
	struct wire_thread total;
	struct page_mark page;
	u64 throttled_cpu_ns; /* its own time when it was last told to write less; 0: never */
	u64 mmap_lock_cpu_ns; /* the same: when it last found its address space locked */
	/* The waits whose stacks are taken, see stack.bpf.h. */
	u32 stack_mean;	      /* one wait in so many is chosen */
	u32 stack_stands_for; /* the same of the wait that was told of; 0: it wasn't chosen */
	/* A wait that was drawn and then left out, by its number, and for how many it was to stand.
	 */
	u32 stack_missed;
	u32 stack_missed_for;
	u32 stack_wait_cnt; /* its waits when one was chosen last */
	u64 stack_ns;	    /* when that was */
	u64 stack_space;    /* the address space of which a stack has been sent */
};

enum waker { WAKER_UNKNOWN = 0, WAKER_TREE, WAKER_OTHER, WAKER_INTERRUPT };

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_ctx);
} tasks SEC(".maps");

/* Preallocated: nothing may be allocated inside the scheduler. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct wire_wait_key);
	__type(value, struct wire_wait_sum);
} waits SEC(".maps");

/* Drained by a timer of the user side: submitting never wakes it, so that the target isn't
 * disturbed by our own wakeups. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u32); /* tgid */
	__type(value, struct wire_gil);
} gils SEC(".maps");

/* Ports that somebody listens on or did, by network namespace: a connection that was accepted at
 * one of them is inbound, whoever accepted it, and stays so when the listener is closed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct wire_port);
	__type(value, u8);
} listening_ports SEC(".maps");

/* Totals of threads whose exit record found no room, so that the tree's sums stay exact. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_thread);
} orphans SEC(".maps");

/* What is before the wrapped command's exec is classify's own. */
static __always_inline bool command_has_begun(void)
{
	return !begins_at_exec || has_begun;
}

static __always_inline void count_loss(enum wire_loss loss)
{
	__sync_fetch_and_add(&losses[loss], 1);
}

static __always_inline struct thread_ctx *thread_find(struct task_struct *task)
{
	return bpf_task_storage_get(&tasks, task, 0, 0);
}

/* The number in classify's PID namespace of what has @pid_address (a struct pid *); 0: it has none
 * there, or none any more. Global, as socket_describe is. */
__noinline int number_in_namespace(u64 pid_address)
{
	struct pid *pid = (struct pid *)pid_address;
	int number = 0;

	if (!pid || BPF_CORE_READ(pid, level) < pid_ns_level)
		return 0;
	bpf_probe_read_kernel(&number, sizeof(number),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      pid_ns_level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr));
	return number;
}

static __always_inline u32 task_tgid_number(struct task_struct *task)
{
	if (!pid_ns_level)
		return task->tgid;
	return number_in_namespace((u64)BPF_CORE_READ(task, group_leader, thread_pid));
}

/* The numbers of a followed thread go with it: when it dies, the kernel has taken them away. */
static __always_inline void thread_number(struct thread_ctx *thread, struct task_struct *task)
{
	if (!pid_ns_level)
		return;
	thread->total.tgid = task_tgid_number(task);
	thread->total.tid = number_in_namespace((u64)BPF_CORE_READ(task, thread_pid));
}

static __always_inline u32 thread_tgid(struct thread_ctx *thread, struct task_struct *task)
{
	if (!pid_ns_level)
		return task->tgid;
	if (!thread->total.tgid)
		thread_number(thread, task);
	return thread->total.tgid;
}

static __always_inline u32 thread_tid(struct thread_ctx *thread, struct task_struct *task)
{
	if (!pid_ns_level)
		return task->pid;
	if (!thread->total.tid)
		thread_number(thread, task);
	return thread->total.tid;
}

/* From now on @thread's time is booked. */
static __always_inline void thread_begin(struct thread_ctx *thread, u64 now)
{
	thread->stamp_ns = thread->segment_ns = thread->total.start_ns = now;
	__sync_fetch_and_add(&live_cnt, 1);
}

static __always_inline void event_init(struct wire_event *event, u32 type, struct task_struct *task,
				       struct thread_ctx *thread, u64 now)
{
	event->type = type;
	event->tgid = thread_tgid(thread, task);
	event->tid = thread_tid(thread, task);
	event->parent_tgid = task_tgid_number(task->real_parent);
	event->time_ns = now;
}

#endif
