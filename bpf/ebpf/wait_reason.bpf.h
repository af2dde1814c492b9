/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why a thread blocks, told at switch-out from its saved user registers: the system call it is in
 * and the file behind its descriptor. No probe on any system call is needed.
 */
#ifndef CLASSIFY_WAIT_REASON_BPF_H
#define CLASSIFY_WAIT_REASON_BPF_H

#include "task.bpf.h"
#include "disk.bpf.h"
#include "lookup.bpf.h"
#include "futex.bpf.h"
#include "lock.bpf.h"
#include "loop.bpf.h"
#include "ready.bpf.h"
#include "wait_object.bpf.h"

#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_STOPPED_MASK    (0x4 | 0x8 | 0x8000) /* stopped, traced, frozen */
#define TS_COMPAT	     0x2

#define CLONE_VFORK 0x4000

#define POLL_SCAN_MAX 4
#define POLLIN	      0x1
#define POLLOUT	      0x4

struct pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

struct wait_args {
	struct descriptor_table files;
	u64 syscall;
	u64 arg[4];
	u64 stack;
	u64 thread_pointer;
	u32 tgid;
	u32 tid;
	u32 in_iowait;
	u32 is_throttled;  /* told to write less just now */
	u32 can_read_user; /* the thread's memory is the current address space */
};

static __always_inline bool in_iowait(struct task_struct *task)
{
	return BPF_CORE_READ_BITFIELD(task, in_iowait);
}

/* The wait is on the descriptor in the first argument. Remembered, for wait_as_before(). */
static __always_inline void wait_on_descriptor(struct thread_ctx *thread,
					       const struct wait_args *args, bool is_write)
{
	struct wire_wait_key *key = &thread->open;
	struct file_memo *memo = &thread->memo;
	struct file *file = file_of_descriptor(&args->files, args->arg[0]);

	if (!file) {
		key->reason = WIRE_OTHER;
		key->kind = WIRE_KIND_SYSCALL;
		return;
	}
	file_describe(key, (u64)file, is_write);
	memo->file = (u64)file;
	memo->inode_number = file_inode_number(file);
	memo->ports_generation = ports_generation;
	memo->syscall = args->syscall;
	memo->key = *key;
	memo->is_pending = 0;
	/* A connecting socket has no far end yet: look again next time. */
	memo->is_valid = !thread->loop && (key->kind != WIRE_KIND_TCP || key->port != 0) &&
			 file_is_settled(key, file);
	if (memo->is_valid && (key->kind == WIRE_KIND_FILE || key->kind == WIRE_KIND_DIRECTORY))
		memo->is_valid = MEMO_OF_INODE;
	if (args->is_throttled)
		key->flags |= WIRE_WAIT_THROTTLED;
	else if (args->in_iowait && wait_is_on_other_page(thread))
		memo->is_valid = 0;
}

/* The same word, waited for in the same way, is what it was last time. */
static __always_inline void futex_describe(struct thread_ctx *thread, const struct wait_args *args)
{
	struct futex_memo *memo = &thread->futex;
	struct wire_wait_key *key = &thread->open;
	struct futex_wait wait = {};

	if (memo->address != args->arg[0] || memo->op != (u32)args->arg[1] ||
	    memo->value != (u32)args->arg[2]) {
		wait.address = args->arg[0];
		wait.op = args->arg[1];
		wait.value = args->arg[2];
		wait.is_timed = args->arg[3] != 0;
		wait.stack = args->stack;
		wait.thread_pointer = args->thread_pointer;
		wait.tgid = args->tgid;
		wait.can_read_user = args->can_read_user;
		futex_tell(&wait);
		memo->kind = wait.known.kind;
		memo->reason = wait.known.reason;
		memo->back = wait.known.back;
		memo->joined = wait.joined;
		memo->address = futex_is_settled(&wait) ? wait.address : 0;
		memo->op = wait.op;
		memo->value = wait.value;
	}
	key->kind = memo->kind;
	key->reason = memo->reason;
	key->id[0] = args->arg[0] - memo->back;
	key->id[1] = memo->joined;
}

static __always_inline void wait_on_futex(struct thread_ctx *thread, const struct wait_args *args)
{
	struct wire_wait_key *key = &thread->open;
	u64 address = args->arg[0];
	u32 tgid = args->tgid;
	struct wire_gil *gil = bpf_map_lookup_elem(&gils, &tgid);

	key->id[0] = address;
	if (gil && address >= gil->start && address < gil->end) {
		key->kind = WIRE_KIND_FUTEX;
		key->reason = WIRE_GIL;
		return;
	}
	futex_describe(thread, args);
	if (!gil)
		key->tid = args->tid; /* the user side decides, thread by thread */
}

/* poll of nothing is a sleep, of one descriptor a wait for it; of several, the one that becomes
 * ready will tell, and until then the first socket among the first few stands for them. */
static __always_inline void wait_on_poll(struct thread_ctx *thread, const struct wait_args *args)
{
	struct wire_wait_key *key = &thread->open;
	u32 cnt = args->arg[1];

	if (!cnt) {
		key->reason = WIRE_TIMER;
		return;
	}
	key->reason = WIRE_POLL;
	key->kind = WIRE_KIND_EPOLL;
	thread->resolve_at_wake = cnt > 1;
	if (cnt > 1)
		has_pollers = 1;
	if (!args->can_read_user)
		return;
	for (u32 i = 0; i < POLL_SCAN_MAX && i < cnt; i++) {
		struct wire_wait_key found = { .tgid = key->tgid, .syscall = key->syscall };
		struct pollfd polled;
		struct file *file;

		if (bpf_probe_read_user(&polled, sizeof(polled), (struct pollfd *)args->arg[0] + i))
			return;
		if (polled.fd < 0)
			continue;
		file = file_of_descriptor(&args->files, polled.fd);
		if (!file)
			continue;
		file_describe(&found, (u64)file,
			      polled.events & POLLOUT && !(polled.events & POLLIN));
		if (cnt == 1 || found.direction == WIRE_OUTBOUND) {
			*key = found;
			return;
		}
	}
}

/* The open file that a call waits for and no other; 0 if it may be several, or none. */
static __always_inline u64 file_waited_for(const struct wait_args *args, u32 how)
{
	s32 fd = args->arg[0];

	switch (how) {
	case SYSCALL_FD:
	case SYSCALL_FD_WRITE:
	case SYSCALL_FILE_LOCK:
		break;
	case SYSCALL_POLL:
		if ((u32)args->arg[1] != 1 || !args->can_read_user ||
		    bpf_probe_read_user(&fd, sizeof(fd), (void *)args->arg[0]))
			return 0;
		break;
	default:
		return 0;
	}
	return (u64)file_of_descriptor(&args->files, fd);
}

/* The thread of an event loop waits in another call. The GIL is none that it makes. */
static __always_inline void wait_beside_loop(struct thread_ctx *thread,
					     const struct wait_args *args, u32 how)
{
	struct file *file = file_of_descriptor(&args->files, thread->loop_fd);
	u64 own_file = file_waited_for(args, how);

	if (thread->open.reason == WIRE_GIL)
		return;
	if ((how == SYSCALL_POLL || how == SYSCALL_SELECT) && args->can_read_user &&
	    loop_is_polled(thread, how, args->arg))
		return;
	if (!loop_block(thread, (u64)file, own_file))
		return;
	thread->open.flags |= WIRE_WAIT_ON_LOOP;
	if (thread->is_loop_blocked)
		loop_find_ready(thread, own_file);
}

/* Of these calls nothing but their name is known. */
static __always_inline void wait_in_call(const struct wait_args *args, struct wire_wait_key *key,
					 u32 how)
{
	key->kind = WIRE_KIND_SYSCALL;
	switch (how) {
	case SYSCALL_FUTEX_WAITV:
		key->reason = WIRE_SYNC;
		break;
	case SYSCALL_IPC:
		key->reason = WIRE_IPC;
		key->kind = WIRE_KIND_ANON;
		key->id[1] = args->arg[0];
		break;
	case SYSCALL_SIGNAL:
		key->reason = WIRE_IPC;
		break;
	case SYSCALL_PATH:
	case SYSCALL_PATH_AT:
	case SYSCALL_STORAGE:
		key->reason = WIRE_DISK;
		break;
	case SYSCALL_MEMORY:
		key->reason = args->in_iowait ? WIRE_PAGING : WIRE_LOCK;
		break;
	default:
		key->reason = args->in_iowait ? WIRE_DISK : WIRE_OTHER;
	}
}

/* A path that isn't complete begins at the working directory or at the open one in @arg. */
static __always_inline void wait_on_call_path(const struct wait_args *args,
					      struct wire_wait_key *key, u32 how)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *directory = 0;
	u64 base = (u64)BPF_CORE_READ(task, fs) + bpf_core_field_offset(struct fs_struct, pwd);

	if (how == SYSCALL_PATH_AT)
		directory = file_of_descriptor(&args->files, args->arg[0]);
	if (directory)
		base = (u64)directory + bpf_core_field_offset(struct file, f_path);
	if (wait_on_path_text(key, args->arg[how == SYSCALL_PATH_AT], base))
		wait_on_path(key, base);
}

/* What a call that none of its arguments' descriptors explains waits for, as far as the kernel's
 * own notes on the thread tell. */
static __always_inline void wait_in_storage(struct thread_ctx *thread, const struct wait_args *args,
					    u32 how)
{
	struct wire_wait_key *key = &thread->open;
	struct task_struct *task = bpf_get_current_task_btf();
	struct nameidata *lookup = BPF_CORE_READ(task, nameidata);

	if (lookup)
		wait_on_path(key, (u64)lookup + bpf_core_field_offset(struct nameidata, path));
	else if (args->in_iowait && page_is_marked(thread))
		wait_on_page(thread);
	else if (!args->in_iowait && wait_is_for_mmap_lock(thread))
		wait_on_mmap_lock(key);
	else if (how == SYSCALL_PATH || how == SYSCALL_PATH_AT)
		wait_on_call_path(args, key, how);
}

/* One descriptor to be written to, and none to be read from: its far end is slow. Of others, what
 * becomes ready will tell. */
static __always_inline void wait_on_select(struct thread_ctx *thread, const struct wait_args *args)
{
	struct wire_wait_key *key = &thread->open;
	u64 written = 0;
	u32 fd = 0;

	key->reason = args->arg[0] ? WIRE_POLL : WIRE_TIMER;
	key->kind = args->arg[0] ? WIRE_KIND_EPOLL : WIRE_KIND_NONE;
	thread->resolve_at_wake = args->arg[0] != 0;
	has_pollers = 1;
	if (!args->arg[0] || args->arg[0] > 64 || args->arg[1] || !args->can_read_user)
		return;
	bpf_probe_read_user(&written, sizeof(written), (void *)args->arg[2]);
	if (!written || written & (written - 1))
		return;
	for (u32 bits = 32; bits; bits /= 2) {
		if (written >> fd >> bits)
			fd += bits;
	}
	thread->resolve_at_wake = 0;
	file_describe(key, (u64)file_of_descriptor(&args->files, fd), 1);
}

/* Completes @thread->open for a wait inside a system call that waits as @how (enum wire_syscall)
 * says. Global, as socket_describe is. */
__noinline int wait_on_syscall(struct thread_ctx *thread, struct wait_args *args, u32 how)
{
	struct wire_wait_key *key;

	if (!thread || !args)
		return 0;
	key = &thread->open;
	switch (how) {
	case SYSCALL_FD:
	case SYSCALL_FD_WRITE:
		wait_on_descriptor(thread, args, how == SYSCALL_FD_WRITE);
		break;
	case SYSCALL_FILE_LOCK:
	case SYSCALL_QUEUE:
		wait_on_descriptor(thread, args, false);
		key->reason = how == SYSCALL_QUEUE ? WIRE_IPC : WIRE_LOCK;
		break;
	case SYSCALL_FUTEX:
		wait_on_futex(thread, args);
		break;
	case SYSCALL_SLEEP:
		key->reason = WIRE_TIMER;
		break;
	case SYSCALL_CLONE:
		if (!(args->arg[0] & CLONE_VFORK)) {
			wait_in_call(args, key, SYSCALL_MEMORY); /* copying the address space */
			break;
		}
		/* fallthrough */
	case SYSCALL_CHILD:
		key->kind = WIRE_KIND_CHILD;
		key->reason = WIRE_CHILD;
		break;
	case SYSCALL_POLL:
		wait_on_poll(thread, args);
		break;
	case SYSCALL_SELECT:
		wait_on_select(thread, args);
		break;
	case SYSCALL_EVENT_LOOP:
		key->reason = WIRE_POLL;
		key->kind = WIRE_KIND_EPOLL;
		key->flags = WIRE_WAIT_EVENT_LOOP;
		thread->resolve_at_wake = 1;
		loop_enter(thread, &args->files, args->syscall, args->arg[0], args->arg[3],
			   args->tid);
		if (!loop_is_epoll(thread))
			has_pollers = 1;
		return 0;
	default:
		wait_in_call(args, key, how);
		if (args->can_read_user)
			wait_in_storage(thread, args, how);
	}
	if (thread->loop)
		wait_beside_loop(thread, args, how);
	return 0;
}

/*
 * The same call on the same open file is the same wait as last time, which it mostly is; the
 * inode's number guards against a file structure that was freed and used again.
 */
static __always_inline bool wait_as_before(struct task_struct *task, struct thread_ctx *thread,
					   struct pt_regs *regs, u8 how)
{
	const struct file_memo *memo = &thread->memo;
	struct fdtable *table = task->files->fdt;
	u32 fd = regs->di;
	u64 file;

	if (how != SYSCALL_FD && how != SYSCALL_FD_WRITE)
		return false;
	if (!memo->is_valid || memo->syscall != regs->orig_ax ||
	    memo->ports_generation != ports_generation || fd >= table->max_fds)
		return false;
	file = file_in_slot(table->fd + fd);
	if (!file || memo->file != file ||
	    memo->inode_number != file_inode_number((struct file *)file))
		return false;
	if (memo->is_valid == MEMO_OF_INODE &&
	    file_generation((struct file *)file) != memo->key.id[0] >> 32)
		return false;
	if (!thread->open_is_memo)
		thread->open = memo->key;
	thread->open_is_memo = 1;
	return true;
}

static __always_inline void args_fill(struct wait_args *args, struct task_struct *task,
				      struct pt_regs *regs)
{
	args->arg[0] = regs->di;
	args->arg[1] = regs->si;
	args->arg[2] = regs->dx;
	args->arg[3] = regs->r10;
	args->stack = regs->sp;
	args->thread_pointer = task->thread.fsbase;
}

/* A worker of an io_uring has but a stale copy of its parent's registers. */
static __always_inline void wait_of_io_worker(struct task_struct *task, struct wire_wait_key *key)
{
	u64 file = io_worker_file(task);

	key->reason = in_iowait(task) ? WIRE_DISK : WIRE_SYNC;
	if (file)
		file_describe(key, file, 0);
}

/* The thread is stopped, or goes on in a call that was interrupted. Returns whether that is all. */
static __always_inline bool wait_is_stop(struct task_struct *task, struct thread_ctx *thread,
					 u32 state, u8 how)
{
	struct wire_wait_key *key = &thread->open;

	if (state & TASK_STOPPED_MASK) {
		if (key->reason != WIRE_STOPPED)
			thread->stopped_wait = *key;
		__builtin_memset(key, 0, sizeof(*key));
		key->tgid = thread_tgid(thread, task);
		key->syscall = WIRE_NO_SYSCALL;
		key->reason = WIRE_STOPPED;
		return true;
	}
	/* A call that was interrupted and goes on waits for what it waited for. */
	if (how == SYSCALL_RESTART && key->reason == WIRE_STOPPED)
		*key = thread->stopped_wait;
	if (how == SYSCALL_RESTART && key->tgid) {
		key->flags &= ~WIRE_WAIT_TIMED_OUT;
		return true;
	}
	return false;
}

/* Too large for the stack: of the probe, and of the iterator that it may interrupt. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct wait_args);
} wait_args SEC(".maps");

/* Why @task waits, in its system call or in none, from scratch. */
static __always_inline void wait_describe_anew(struct task_struct *task, struct thread_ctx *thread,
					       u32 state, u8 how, bool is_current)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct wire_wait_key *key = &thread->open;
	u32 index = is_current ? 0 : 1;
	struct wait_args *args = bpf_map_lookup_elem(&wait_args, &index);
	struct fdtable *table;

	__builtin_memset(key, 0, sizeof(*key));
	key->tgid = thread_tgid(thread, task);
	key->syscall = WIRE_NO_SYSCALL;
	if (task->flags & PF_IO_WORKER) {
		wait_of_io_worker(task, key);
		return;
	}
	if (!args)
		return;
	args->syscall = regs->orig_ax;
	args->can_read_user = is_current;
	args->in_iowait = in_iowait(task);
	args->is_throttled = wait_is_throttled(thread, state, args->in_iowait);
	if (args->syscall >= WIRE_SYSCALL_CNT) {
		/* Not in a system call: a page fault. */
		wait_on_fault(thread, args->in_iowait, is_current);
		key->flags |= args->is_throttled ? WIRE_WAIT_THROTTLED : 0;
		return;
	}
	key->syscall = args->syscall;
	table = task->files->fdt;
	args->files.slots = (u64)table->fd;
	args->files.slot_cnt = table->max_fds;
	args->tgid = key->tgid;
	args->tid = thread_tid(thread, task);
	args_fill(args, task, regs);
	if (task->thread_info.status & TS_COMPAT)
		how = SYSCALL_UNKNOWN; /* 32-bit call numbers mean other calls */
	wait_on_syscall(thread, args, how);
	if (is_current && (key->reason == WIRE_LOCK || key->reason == WIRE_GIL))
		lock_wait_begin(thread);
}

/*
 * Fills @thread->open with why @task, about to sleep in @state, waits. @is_current: it is the
 * current task, so that its memory can be read.
 */
static __always_inline void wait_describe(struct task_struct *task, struct thread_ctx *thread,
					  u32 state, bool is_current)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	u64 syscall = regs->orig_ax;
	u8 how = syscall < WIRE_SYSCALL_CNT ? syscall_table[syscall] : SYSCALL_UNKNOWN;

	thread->resolve_at_wake = 0;
	if (!(state & TASK_STOPPED_MASK) && wait_as_before(task, thread, regs, how))
		return;
	thread->open_is_memo = 0;
	if (!wait_is_stop(task, thread, state, how))
		wait_describe_anew(task, thread, state, how, is_current);
}

#endif
