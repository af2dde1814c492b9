/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Quiet that is not charged to the wakeup that ended it, because the program went on waiting for
 * something else:
 *
 * - ticks: wakeups by a timeout that change nothing. A helper thread that naps, a loop that asks
 *   "done yet?", a waiter for the GIL that gives up every 5 ms;
 * - work that arrives while another piece of work waits for its result: not idle until then.
 *
 * Such quiet is put into a pool. A wait for a result, when something outside ends it, takes from
 * the pool what was put there while it lasted. Work that arrives takes a claim to the ticks before
 * it. What no result claims goes back to those who put it there, or claim it: to idle, or to time.
 */
#ifndef CLASSIFY_TICK_BPF_H
#define CLASSIFY_TICK_BPF_H

#include "task.bpf.h"
#include "program_time.bpf.h"

/* A tick computes for less than this part of the quiet that it ended, or next to nothing for the
 * time that it waited: the quiet is short, too, where something else has just happened. */
#define TICK_PARTS     4
#define TICK_NAP_PARTS 100
/* Entries of the pool that are remembered one by one. */
#define POOL_CNT 64

/* The quiet put into the pool so far, what results took out, and what work claims of the ticks. */
__u64 ticked_ns = 0;
__u64 claimed_ns = 0;
/* The last claim, by what the pool had been given when it began, and when it was made. */
__u64 claimed_from_ns = 0;
__u64 claimed_until_ns = 0;
__u64 ticks_before_work_ns = 0;
__u32 has_work = 0;	  /* some arrived while the tree was observed */
__u32 last_waker_pid = 0; /* the thread of the tree that last woke another */

/* The last entries: when the quiet ended, and what the pool had been given before. */
__u64 pool_at_ns[POOL_CNT] = {};
__u64 pool_before_ns[POOL_CNT] = {};
__u32 pool_next = 0;

static __always_inline void pool_put(u64 quiet_ns, u64 at_ns)
{
	u32 entry = __sync_fetch_and_add(&pool_next, 1) % POOL_CNT;

	pool_before_ns[entry] = __sync_fetch_and_add(&ticked_ns, quiet_ns);
	pool_at_ns[entry] = at_ns;
}

/* What the pool had been given until @since_ns, or until the oldest entry that is remembered. */
__noinline u64 pool_until(u64 since_ns)
{
	u64 until_ns = ticked_ns;
	u32 next = pool_next;

	for (u32 i = 1; i <= POOL_CNT; i++) {
		u32 entry = (next - i) % POOL_CNT;

		if (pool_at_ns[entry] <= since_ns)
			break;
		until_ns = pool_before_ns[entry];
	}
	return until_ns;
}

/* @thread is being woken at @now by its timeout, which ends @quiet_ns of quiet. */
static __always_inline void tick_begin(struct task_struct *task, struct thread_ctx *thread,
				       u64 quiet_ns, u64 now)
{
	thread->tick_ns = quiet_ns;
	thread->tick_at_ns = now;
	thread->tick_wait_ns = now - thread->stamp_ns;
	thread->tick_on_cpu_ns = thread->total.on_cpu_ns;
	thread->tick_from_ns = thread->ticked_at_ns;
	thread->tick_loop_file = thread->loop_file;
	if (last_waker_pid == (u32)task->pid)
		last_waker_pid = 0;
}

/* Of what the pool was given since it had been given @from_ns, what no claim has taken. All claims
 * reach to the time that they are made: the last one, and what is before it, tell. */
static __always_inline u64 pool_left(u64 from_ns)
{
	u64 left_ns = ticked_ns - claimed_until_ns;

	if (from_ns >= claimed_until_ns)
		return ticked_ns - from_ns;
	return from_ns < claimed_from_ns ? left_ns + claimed_from_ns - from_ns : left_ns;
}

/* Takes it. Two that do so at once may take more than there is: the user side evens that out. */
static __always_inline u64 pool_take(u64 from_ns)
{
	u64 taken_ns = pool_left(from_ns);

	if (from_ns >= claimed_until_ns || from_ns < claimed_from_ns)
		claimed_from_ns = from_ns;
	claimed_until_ns = ticked_ns;
	__sync_fetch_and_add(&claimed_ns, taken_ns);
	return taken_ns;
}

/* Whether @thread has gone on since a timeout woke it: it waits in another call, or on another
 * event loop, or has computed for longer than a look around takes. */
static __always_inline bool tick_went_on(const struct thread_ctx *thread)
{
	const struct wire_thread *total = &thread->total;
	u64 ran_ns = total->on_cpu_ns - thread->tick_on_cpu_ns;

	return thread->open.syscall != total->pending_key.syscall ||
	       thread->loop_file != thread->tick_loop_file ||
	       (ran_ns * TICK_PARTS > thread->tick_ns &&
		ran_ns * TICK_NAP_PARTS > thread->tick_wait_ns);
}

/*
 * @thread, woken by a timeout before, blocks again. If it has gone on, the program did wait for
 * this timeout, and the ticks meanwhile are its. Else it was a tick, unless it has woken another of
 * the tree, or leaves another at work: it counts as being in @state still.
 */
static __always_inline void tick_end(struct task_struct *task, struct thread_ctx *thread, u32 state)
{
	struct wire_thread *total = &thread->total;
	u64 tick_ns = thread->tick_ns;

	if (tick_went_on(thread)) {
		total->pending.quiet_ns += pool_take(thread->tick_from_ns);
	} else if (last_waker_pid != (u32)task->pid && active_cnt == (u64)program_weight(state) &&
		   total->pending.quiet_ns >= tick_ns) {
		total->pending.quiet_ns -= tick_ns;
		total->pending.ticked_ns += tick_ns;
		total->ticked_ns += tick_ns;
		pool_put(tick_ns, thread->tick_at_ns);
	}
	thread->tick_ns = 0;
}

/*
 * Something outside ends @thread's wait for a result at last: returns what it takes from the pool.
 * A blocking call has waited since it began, an event loop for the request that was sent at
 * @sent_ns (0: not known).
 */
static __always_inline u64 pool_claim(const struct thread_ctx *thread, u64 sent_ns)
{
	return pool_take(sent_ns ? pool_until(sent_ns) : thread->ticked_at_ns);
}

/* Work arrives for @thread at @now, and ends @quiet_ns of quiet. */
static __always_inline void pool_put_work(struct thread_ctx *thread, u64 quiet_ns, u64 now)
{
	u64 before_ns = pool_left(thread->ticked_at_ns);

	has_work = 1;
	if (before_ns)
		__sync_fetch_and_add(&ticks_before_work_ns, before_ns);
	if (quiet_ns)
		pool_put(quiet_ns, now);
	thread->given_ns = quiet_ns + before_ns;
}

#endif
