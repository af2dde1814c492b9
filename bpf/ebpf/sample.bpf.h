/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the threads on the CPUs are at, looked at some 99 times a second: computing, or asking again
 * and again whether something has come, or spinning until another thread is done. And for how long
 * a thread that drives an event loop computes without a look at it.
 */
#ifndef CLASSIFY_SAMPLE_BPF_H
#define CLASSIFY_SAMPLE_BPF_H

#include "task.bpf.h"
#include "gil.bpf.h"
#include "loop.bpf.h"
#include "sample_clock.bpf.h"
#include "segment.bpf.h"
#include "stack.bpf.h"
#include "wait_object.bpf.h"
#include "wait_reason.bpf.h"

/* enum wire_asking by system call number; syscalls.c fills it before load. */
const volatile __u8 asking_table[WIRE_SYSCALL_CNT] = {};

#define O_NONBLOCK   04000
#define MSG_DONTWAIT 0x40

/* A run of computing on an event loop's thread counts from this many samples in a row. */
#define RUN_SAMPLES_MIN 5
/*
 * The thread may look at its loop between two samples without blocking there, and if what it serves
 * then is not among what loop_set_mark() looks at, nothing shows it.
 * A thread that spends a share q of its CPU time in such calls has runs of 1/q samples by chance,
 * and RUN_TIMES_CHANCE times as long ones seldom (e^-6: one in 400). Below one sample in
 * RUN_PURE_PART there is next to nothing but computing.
 */
#define RUN_TIMES_CHANCE 6
#define RUN_PURE_PART	 20
/* Of a loop's tree of descriptors, four levels are looked at. */
#define LOOP_MARK_ITEMS 15

/* The user registers of an interrupted thread, as perf hands them to programs (struct
 * bpf_perf_event_data, a fixed layout): only where it was matters. */
struct sample_context {
	u64 registers[16];
	u64 ip;
};

/* Whether there is nothing to be had from @file: a socket or pipe, as it is at this moment. */
static __always_inline bool file_is_empty(struct file *file)
{
	u32 mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;

	if (mode == S_IFSOCK)
		return !sock_has_input(file_sock(file));
	if (mode == S_IFIFO) {
		struct pipe_inode_info *pipe = BPF_CORE_READ(file, private_data);

		return BPF_CORE_READ(pipe, head) == BPF_CORE_READ(pipe, tail);
	}
	return false;
}

/* A read that can't block, of something that has nothing. */
static __always_inline bool reads_nothing(struct task_struct *task, struct pt_regs *regs, u64 flags)
{
	struct fdtable *table = task->files->fdt;
	struct descriptor_table files = { .slots = (u64)table->fd, .slot_cnt = table->max_fds };
	struct file *file = file_of_descriptor(&files, regs->di);

	if (!file)
		return false;
	if (!(BPF_CORE_READ(file, f_flags) & O_NONBLOCK) && !(flags & MSG_DONTWAIT))
		return false;
	return file_is_empty(file);
}

/*
 * Whether the call that @task, which hasn't slept since the last sample, is in only asks for what
 * isn't there. A call that may sleep but never does finds something at once each time: something
 * that nobody takes away.
 */
static __always_inline bool asks_in_vain(struct task_struct *task, struct pt_regs *regs, u8 how)
{
	switch (how) {
	case ASKING_READ:
		return reads_nothing(task, regs, 0);
	case ASKING_RECVMSG:
		return reads_nothing(task, regs, regs->dx);
	case ASKING_RECV:
		return reads_nothing(task, regs, regs->r10);
	case ASKING_SET:
		return true;
	case ASKING_RING: /* to_submit, min_complete */
		return !(u32)regs->si && !(u32)regs->dx;
	case ASKING_YIELD:
		return true;
	}
	return false;
}

#define SPIN_WINDOW_BYTES 64
#define PAUSE_0		  0xf3 /* F3 90 */
#define PAUSE_1		  0x90
#define JUMP_ALWAYS	  0xeb /* with a distance of one byte */
#define JUMP_IF_MASK	  0xf0
#define JUMP_IF		  0x70

/* 1 if @difference, of bytes, is zero. Without a branch, and so that the compiler makes none of it:
 * each would double what the verifier has to look at. */
static __always_inline u64 is_zero(u64 difference)
{
	asm volatile("" : "+r"(difference));
	return (difference - 1) >> 63;
}

/*
 * A PAUSE instruction near @ip, and a short jump back over it: a loop that waits for a word to
 * change. Bytes are looked at where instructions need not begin; what is no PAUSE seldom looks
 * like one, and a single sample decides nothing.
 */
__noinline int code_spins(u64 ip)
{
	u8 code[SPIN_WINDOW_BYTES];
	u64 pauses = 0; /* a bit for each byte that one begins at */

	if (bpf_probe_read_user(code, sizeof(code), (void *)(ip - SPIN_WINDOW_BYTES / 2)))
		return 0;
	for (s32 i = 0; i < SPIN_WINDOW_BYTES - 1; i++) {
		u64 byte = code[i], next = code[i + 1];
		u64 is_jump =
			is_zero(byte ^ JUMP_ALWAYS) | is_zero((byte & JUMP_IF_MASK) ^ JUMP_IF);
		s64 to = i + 2 + (s64)(__s8)next;

		/* From bit 63 down to the target's; a target before the window is over all. */
		if (is_jump && to < i && (to <= 0 ? pauses : pauses >> to))
			return 1;
		pauses |= is_zero((byte ^ PAUSE_0) | (next ^ PAUSE_1)) << i;
	}
	return 0;
}

/* Keeps in @total the call that most of its samples in such calls are in (majority vote). */
static __always_inline void vote_for_call(struct wire_thread *total, u16 call)
{
	if (total->poll_call == call) {
		total->poll_votes++;
	} else if (!total->poll_votes) {
		total->poll_call = call;
		total->poll_votes = 1;
	} else {
		total->poll_votes--;
	}
}

/* Is a call of this kind (enum wire_syscall) input, output or a look at the loop? */
static __always_inline bool is_io_call(u8 how)
{
	return how == SYSCALL_FD || how == SYSCALL_FD_WRITE || how == SYSCALL_POLL ||
	       how == SYSCALL_SELECT || how == SYSCALL_EVENT_LOOP;
}

/* Adds to @mark how far the stream of the open file @file_address, a TCP connection or a pipe, has
 * got both ways. Global, as socket_describe is. */
__noinline int mark_progress(u64 *mark, u64 file_address)
{
	struct file *file = (struct file *)file_address;
	u32 mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;

	if (!mark)
		return 0;
	if (mode == S_IFSOCK) {
		struct sock *sk = file_sock(file);
		struct tcp_sock *tcp = (struct tcp_sock *)sk;

		if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
			*mark +=
				(u64)BPF_CORE_READ(tcp, copied_seq) + BPF_CORE_READ(tcp, write_seq);
	} else if (mode == S_IFIFO) {
		struct pipe_inode_info *pipe = BPF_CORE_READ(file, private_data);

		*mark += (u64)BPF_CORE_READ(pipe, head) + BPF_CORE_READ(pipe, tail);
	}
	return 0;
}

/*
 * Sets @thread's mark, which changes when it serves a connection of its loop, or one comes or goes:
 * from what the topmost items of the loop's tree of descriptors are, and how far they have got.
 */
__noinline int loop_set_mark(struct thread_ctx *thread)
{
	struct rb_node *nodes[LOOP_MARK_ITEMS] = {};
	struct loop_state *loop;
	struct eventpoll *ep;
	u64 mark = 0;

	if (!thread)
		return 0;
	loop = loop_find(thread->loop);
	if (!loop || !loop->is_epoll)
		return 0;
	ep = (struct eventpoll *)thread->loop;
	nodes[0] = BPF_CORE_READ(ep, rbr.rb_root.rb_node);
	for (int i = 0; i < LOOP_MARK_ITEMS; i++) {
		struct epitem *item;

		if (!nodes[i])
			continue;
		if (2 * i + 2 < LOOP_MARK_ITEMS) {
			nodes[2 * i + 1] = BPF_CORE_READ(nodes[i], rb_left);
			nodes[2 * i + 2] = BPF_CORE_READ(nodes[i], rb_right);
		}
		item = (void *)nodes[i] - bpf_core_field_offset(struct epitem, rbn);
		mark = mark * 31 + (u64)item;
		mark_progress(&mark, (u64)BPF_CORE_READ(item, ffd.file));
	}
	thread->loop_mark = mark;
	return 0;
}

/* Whether the loop's thread has read, written or accepted since the last sample, as far as that
 * leaves a trace. */
static __always_inline bool loop_moved(struct task_struct *task, struct thread_ctx *thread)
{
	u64 mark = thread->loop_mark, io_cnt = 0;
	bool has_moved;

	/* read() and write() are counted by the kernel; recv() and send() aren't. */
	if (bpf_core_field_exists(task->ioac.syscr))
		io_cnt = task->ioac.syscr + task->ioac.syscw;
	has_moved = io_cnt != thread->loop_io_cnt;
	thread->loop_io_cnt = io_cnt;
	loop_set_mark(thread);
	return has_moved || thread->loop_mark != mark;
}

/* Counts the sample into the run of computing that the loop's thread is in. */
static __always_inline void run_goes_on(struct thread_ctx *thread)
{
	struct wire_thread *total = &thread->total;
	u32 run = ++thread->run_samples;
	u64 call_cnt = total->io_sample_cnt + total->poll_sample_cnt;

	if (thread->run_is_counted) {
		total->loop_run_samples++;
	} else if (run >= RUN_SAMPLES_MIN &&
		   (call_cnt * RUN_PURE_PART < total->sample_cnt ||
		    run * call_cnt > (u64)RUN_TIMES_CHANCE * total->sample_cnt)) {
		thread->run_is_counted = 1;
		total->loop_run_cnt++;
		total->loop_run_samples += run;
	}
	if (thread->run_is_counted && run > total->loop_run_max_samples)
		total->loop_run_max_samples = run;
}

static __always_inline void run_ends(struct thread_ctx *thread)
{
	thread->run_samples = 0;
	thread->run_is_counted = 0;
}

/* What the sampled thread is in. */
enum sampled_call {
	SAMPLED_NONE, /* its own code, or the kernel for another cause than a call */
	SAMPLED_OTHER,
	SAMPLED_IO,
};

/* Counts the call that a sample meets @task in. @has_slept: since the last one, or it is about to.
 * What has just slept is served by what woke it, and may well look once more. */
static __always_inline enum sampled_call sample_call(struct task_struct *task,
						     struct thread_ctx *thread, bool has_slept)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct wire_thread *total = &thread->total;
	u64 call = regs->orig_ax;
	bool is_io;

	if (call >= WIRE_SYSCALL_CNT || task->thread_info.status & TS_COMPAT)
		return SAMPLED_NONE;
	is_io = is_io_call(syscall_table[call]);
	if (!has_slept && asks_in_vain(task, regs, asking_table[call])) {
		total->poll_sample_cnt++;
		vote_for_call(total, call);
	} else {
		total->io_sample_cnt += is_io;
	}
	return is_io ? SAMPLED_IO : SAMPLED_OTHER;
}

/* Whether @thread has waited since it was last sampled. */
static __always_inline bool sample_has_waited(struct thread_ctx *thread)
{
	u32 wait_cnt = thread->total.switch_cnt - thread->total.preempt_cnt;
	bool has_waited = wait_cnt != thread->sampled_wait_cnt;

	thread->sampled_wait_cnt = wait_cnt;
	return has_waited;
}

/* The sample that is @thread's, as it gives its CPU up. @sleeps: because it is to wait. */
static __noinline int sample_at_switch(void *ctx, struct task_struct *task,
				       struct thread_ctx *thread, bool sleeps)
{
	enum wire_gil_state gil = gil_sample(task, thread);
	bool has_waited = sample_has_waited(thread);

	thread->total.sample_cnt++;
	sample_call(task, thread, has_waited || sleeps);
	if (takes_stacks)
		stack_of_sample(ctx, task, thread, STACK_AT_SWITCH, gil);
	return 0;
}

SEC("perf_event")
int on_sample(struct sample_context *at)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_ctx *thread = thread_find(task);
	struct wire_thread *total;
	enum sampled_call call;
	enum wire_gil_state gil;
	bool has_waited;
	u64 due_ns;

	due_ns = sample_clock_tick(at, bpf_ktime_get_ns());
	if (!due_ns || !thread || !thread->head.is_followed || !is_observing)
		return 0;
	if (thread->head.state == TASK_ON_CPU && !sample_is_of(thread, due_ns))
		return 0;
	total = &thread->total;
	total->sample_cnt++;
	segment_tick(task, thread);
	gil = gil_sample(task, thread);
	if (takes_stacks)
		stack_of_sample(at, task, thread, 0, gil);
	has_waited = sample_has_waited(thread);
	call = sample_call(task, thread, has_waited);
	if (call == SAMPLED_NONE && (s64)at->ip >= 0 && code_spins(at->ip))
		total->spin_sample_cnt++;
	if (!total->event_loop_wait_cnt)
		return 0;
	if (loop_moved(task, thread) || call == SAMPLED_IO || has_waited)
		run_ends(thread);
	if (call != SAMPLED_IO)
		run_goes_on(thread);
	return 0;
}

#endif
