/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ticks: wakeups by a timeout that change nothing. A helper thread that naps, a loop that asks
 * "done yet?", a waiter for the GIL that gives up every 5 ms: each ends a quiet stretch, but the
 * program still waits for what it waited for. Their quiet is put into a pool, and a wait that
 * something outside ends takes from it what was put there while it lasted. What nobody claims
 * goes back to the ticks.
 */
#ifndef CLASSIFY_TICK_BPF_H
#define CLASSIFY_TICK_BPF_H

#include "task.bpf.h"
#include "program_time.bpf.h"

/* A tick computes for less than this part of the quiet that it ended. */
#define TICK_PARTS 10

/* The quiet that ticks have put into the pool so far, and what was taken out of it. */
__u64 ticked_ns = 0;
__u64 claimed_ns = 0;
__u32 last_waker_pid = 0; /* the thread of the tree that last woke another */

/* @thread is being woken by its timeout, which ends @quiet_ns of quiet. */
static __always_inline void tick_begin(struct task_struct *task, struct thread_ctx *thread,
				       u64 quiet_ns)
{
	thread->tick_ns = quiet_ns;
	thread->tick_on_cpu_ns = thread->total.on_cpu_ns;
	if (last_waker_pid == (u32)task->pid)
		last_waker_pid = 0;
}

/*
 * @thread, woken by a timeout before, blocks again. It was a tick if it goes back into the same
 * call (a sleep that sends a request now waits in another), has hardly computed, has woken nobody
 * of the tree, and leaves nobody else of it at work.
 */
static __always_inline void tick_end(struct task_struct *task, struct thread_ctx *thread)
{
	struct wire_thread *total = &thread->total;
	u64 tick_ns = thread->tick_ns;
	u64 ran_ns = total->on_cpu_ns - thread->tick_on_cpu_ns;

	thread->tick_ns = 0;
	if (thread->open.syscall != total->pending_key.syscall || ran_ns * TICK_PARTS > tick_ns ||
	    last_waker_pid == (u32)task->pid || active_cnt != ON_CPU ||
	    total->pending.quiet_ns < tick_ns)
		return;
	total->pending.quiet_ns -= tick_ns;
	total->pending.ticked_ns += tick_ns;
	total->ticked_ns += tick_ns;
	__sync_fetch_and_add(&ticked_ns, tick_ns);
}

/* Returns the quiet of ticks since @thread's wait began, which something outside ends now. */
static __always_inline u64 tick_claim(const struct thread_ctx *thread)
{
	u64 claim_ns = ticked_ns - thread->ticked_at_ns;
	u64 left_ns = ticked_ns - claimed_ns;

	/* Two that claim at once may take more than there is: the user side evens that out. */
	if ((s64)left_ns <= 0)
		return 0;
	if (claim_ns > left_ns)
		claim_ns = left_ns;
	__sync_fetch_and_add(&claimed_ns, claim_ns);
	return claim_ns;
}

#endif
