/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Program time: at each instant the tree computes (a thread on a CPU), starves (none on a CPU, one
 * runnable) or is quiet. Kept without a lock, and exact: one word counts the threads on CPUs and
 * in run queues; whoever's addition changes the state adds the instant to the state that ended and
 * takes it off the one that begins. The sums telescope, whatever the order they are made in.
 */
#ifndef CLASSIFY_PROGRAM_TIME_BPF_H
#define CLASSIFY_PROGRAM_TIME_BPF_H

#include "task.bpf.h"

#define ON_CPU	 (1ll << 32)
#define RUNNABLE 1ll

/* Threads on a CPU << 32 | threads runnable. Every CPU writes it: on a cache line of its own, away
 * from what probes only read. */
__u64 active_cnt __attribute__((aligned(64))) = 0;
__u64 program_ns[WIRE_PROGRAM_STATE_CNT] = {};
__u64 state_since_ns = 0;
__u64 quiet_since_ns = 0;
__u64 quiet_until_ns = 0;

static __always_inline u32 program_state(u64 active)
{
	if (active >> 32)
		return WIRE_COMPUTING;
	return active ? WIRE_STARVED : WIRE_QUIET;
}

/*
 * Adds @delta (of ON_CPU and RUNNABLE) at instant @now. Returns the length of the quiet stretch
 * that this ended, 0 if it ended none.
 */
static __always_inline u64 program_shift(s64 delta, u64 now)
{
	u64 before, since, until;
	u32 old, new;
	bool is_last;

	if (!delta)
		return 0;
	/* Whoever ends the stretch that is about to begin has to find its start, even if this CPU
	 * is held up right after the addition; and then it must not overwrite a later one. */
	is_last = active_cnt == -(u64)delta;
	if (is_last)
		quiet_since_ns = now;
	before = __sync_fetch_and_add(&active_cnt, delta);
	old = program_state(before);
	new = program_state(before + delta);
	if (old == new)
		return 0;
	__sync_fetch_and_add(&program_ns[old], now);
	__sync_fetch_and_add(&program_ns[new], -now);
	state_since_ns = now;
	if (new == WIRE_QUIET && !is_last)
		quiet_since_ns = now;
	if (old != WIRE_QUIET)
		return 0;
	/* The CPU that began the stretch may not have stored its start yet: then the start is
	 * older than the end of the stretch before, and this one lasted no time to speak of. */
	since = quiet_since_ns;
	until = quiet_until_ns;
	quiet_until_ns = now;
	if (since < until || since >= now)
		return 0;
	return now - since;
}

/* How long the tree has starved until @now. Two words that others write: in between it is off by
 * far more than anything has lasted. */
static __always_inline u64 program_starved_ns(u64 now)
{
	u64 sum_ns = program_ns[WIRE_STARVED];

	return program_state(active_cnt) == WIRE_STARVED ? sum_ns + now : sum_ns;
}

#define STARVED_UNKNOWN (~0ull)

/* A thread turns out to have been on a CPU since @from_ns: nothing of the last quiet stretch, which
 * another one's wakeup ended, was quiet after that. Returns how much of it was computing. */
static __always_inline u64 program_repair_quiet(u64 from_ns, u64 now)
{
	u64 since = quiet_since_ns, until = quiet_until_ns;

	if (until <= since + 1 || until <= from_ns || until > now)
		return 0;
	/* Once, and by one thread. Of what is left, that it ended after it began: program_shift()
	 * tells by that a start that has yet to be stored. */
	if (__sync_val_compare_and_swap(&quiet_until_ns, until, since + 1) != until)
		return 0;
	since = since > from_ns ? since : from_ns;
	__sync_fetch_and_add(&program_ns[WIRE_QUIET], since - until);
	__sync_fetch_and_add(&program_ns[WIRE_COMPUTING], until - since);
	return until - since;
}

/*
 * A thread that counts as runnable, for @runnable_ns until @now, turns out to have been on a CPU
 * for the last @ran_ns: what was taken for starving then was computing. That is, of what the tree
 * is said to have starved while the thread was runnable, @starved_ns (or STARVED_UNKNOWN: its
 * wakeup went unseen, too), at least what goes beyond the thread's time in the run queue; and at
 * least all since the state last changed.
 */
static __always_inline void program_repair(u64 ran_ns, u64 runnable_ns, u64 starved_ns, u64 now)
{
	u64 queued_ns = runnable_ns - ran_ns;
	u64 wrong_ns = 0;

	if (program_state(active_cnt) == WIRE_STARVED)
		wrong_ns = now - state_since_ns;
	if (starved_ns == STARVED_UNKNOWN)
		ran_ns -= program_repair_quiet(now - ran_ns, now);
	if (starved_ns <= runnable_ns) {
		if (starved_ns > queued_ns + wrong_ns)
			wrong_ns = starved_ns - queued_ns;
		if (wrong_ns > starved_ns)
			wrong_ns = starved_ns; /* another's repair was first */
	}
	if (wrong_ns > ran_ns)
		wrong_ns = ran_ns;
	__sync_fetch_and_add(&program_ns[WIRE_STARVED], -wrong_ns);
	__sync_fetch_and_add(&program_ns[WIRE_COMPUTING], wrong_ns);
}

/* A thread that came onto a CPU at @at_ns did so @by_ns earlier by the kernel's clock; where it was
 * the one that ended a stretch of starving, the tree computed from then on. */
static __always_inline void program_began_earlier(u64 at_ns, u64 by_ns)
{
	if (state_since_ns != at_ns)
		return;
	__sync_fetch_and_add(&program_ns[WIRE_STARVED], -by_ns);
	__sync_fetch_and_add(&program_ns[WIRE_COMPUTING], by_ns);
}

/* Starts all over at @now, with one thread on a CPU. */
static __always_inline void program_restart(u64 now)
{
	program_ns[WIRE_QUIET] = program_ns[WIRE_STARVED] = 0;
	program_ns[WIRE_COMPUTING] = -now;
	state_since_ns = quiet_since_ns = quiet_until_ns = now;
	observed_from_ns = now;
}

static __always_inline s64 program_weight(u32 state)
{
	switch (state) {
	case TASK_ON_CPU:
		return ON_CPU;
	case TASK_WOKEN:
	case TASK_PREEMPTED:
		return RUNNABLE;
	}
	return 0;
}

#endif
