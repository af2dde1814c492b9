/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The scheduler's events: exact time per thread, waits summed by what they were for. */
#ifndef CLASSIFY_SCHED_BPF_H
#define CLASSIFY_SCHED_BPF_H

#include "task.bpf.h"
#include "neighbour.bpf.h"
#include "loop.bpf.h"
#include "program_time.bpf.h"
#include "sample.bpf.h"
#include "segment.bpf.h"
#include "stack.bpf.h"
#include "tick.bpf.h"
#include "wait_reason.bpf.h"
#include "wake.bpf.h"

#define TASK_DEAD   0x80
#define TASK_WAKING 0x200

/* From the tracepoint of a wakeup to the task's state that says so; measured: 1 us. */
#define WAKING_NS 100000

static __always_inline bool wait_key_equal(const struct wire_wait_key *a,
					   const struct wire_wait_key *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

/* Writes a thread's pending sum back to the table that all threads share. */
__noinline int wait_write_back(struct wire_thread *total)
{
	struct wire_wait_sum *row, pending;
	struct wire_wait_key key;

	if (!total || !total->pending.wait_cnt)
		return 0;
	if (!command_has_begun())
		return 0;
	/* Copies: see loop_find. */
	key = total->pending_key;
	pending = total->pending;
	row = bpf_map_lookup_elem(&waits, &key);
	if (!row) {
		if (!bpf_map_update_elem(&waits, &key, &pending, BPF_NOEXIST)) {
			__sync_fetch_and_add(&wait_row_cnt, 1);
			return 0;
		}
		/* Another thread was first, or the table is full. */
		row = bpf_map_lookup_elem(&waits, &key);
		if (!row) {
			count_loss(WIRE_LOST_WAIT_ROW);
			return 0;
		}
	}
	__sync_fetch_and_add(&row->wait_ns, pending.wait_ns);
	__sync_fetch_and_add(&row->wait_cnt, pending.wait_cnt);
	__sync_fetch_and_add(&row->quiet_ns, pending.quiet_ns);
	__sync_fetch_and_add(&row->ticked_ns, pending.ticked_ns);
	__sync_fetch_and_add(&row->woken_by_tree_cnt, pending.woken_by_tree_cnt);
	__sync_fetch_and_add(&row->woken_by_other_cnt, pending.woken_by_other_cnt);
	__sync_fetch_and_add(&row->woken_by_interrupt_cnt, pending.woken_by_interrupt_cnt);
	if (pending.max_ns > row->max_ns)
		row->max_ns = pending.max_ns;
	return 0;
}

/* Books the wait that ended: totals by reason, and the thread's pending sum. Threads mostly wait
 * for the same thing many times in a row, so the shared table is rarely touched. */
static __always_inline void wait_book(struct thread_ctx *thread, u64 wait_ns)
{
	struct wire_thread *total = &thread->total;
	struct wire_wait_sum *pending = &total->pending;
	struct wire_wait_key *key = &thread->open;
	u32 reason = key->reason;

	if (reason >= WIRE_REASON_CNT)
		return;
	total->wait_ns[reason] += wait_ns;
	total->wait_cnt[reason]++;
	if (key->flags & WIRE_WAIT_EVENT_LOOP) {
		total->event_loop_wait_ns += wait_ns;
		total->event_loop_wait_cnt++;
	} else if (key->flags & WIRE_WAIT_ON_LOOP) {
		loop_unblock(thread, thread->stamp_ns + wait_ns);
	}
	if (!(thread->open_is_memo && thread->memo.is_pending)) {
		if (!wait_key_equal(key, &total->pending_key)) {
			wait_write_back(total);
			total->pending_key = *key;
			__builtin_memset(pending, 0, sizeof(*pending));
		}
		thread->memo.is_pending = thread->open_is_memo;
	}
	pending->wait_ns += wait_ns;
	pending->wait_cnt++;
	pending->quiet_ns += thread->quiet_ns;
	if (wait_ns > pending->max_ns)
		pending->max_ns = wait_ns;
	pending->woken_by_tree_cnt += thread->waker == WAKER_TREE;
	pending->woken_by_other_cnt += thread->waker == WAKER_OTHER;
	pending->woken_by_interrupt_cnt += thread->waker == WAKER_INTERRUPT;
	pending->ticked_ns += thread->given_ns;
	thread->quiet_ns = thread->given_ns = 0;
}

__noinline int orphan_add(struct wire_thread *total)
{
	u32 zero = 0;
	struct wire_thread *sum = bpf_map_lookup_elem(&orphans, &zero);

	if (!sum || !total)
		return 0;
	__sync_fetch_and_add(&sum->end_ns, total->end_ns - total->start_ns);
	__sync_fetch_and_add(&sum->on_cpu_ns, total->on_cpu_ns);
	__sync_fetch_and_add(&sum->run_queue_ns, total->run_queue_ns);
	__sync_fetch_and_add(&sum->preempted_ns, total->preempted_ns);
	for (int i = 0; i < WIRE_REASON_CNT; i++) {
		__sync_fetch_and_add(&sum->wait_ns[i], total->wait_ns[i]);
		__sync_fetch_and_add(&sum->wait_cnt[i], total->wait_cnt[i]);
	}
	__sync_fetch_and_add(&sum->switch_cnt, total->switch_cnt);
	__sync_fetch_and_add(&sum->preempt_cnt, total->preempt_cnt);
	__sync_fetch_and_add(&sum->event_loop_wait_cnt, total->event_loop_wait_cnt);
	__sync_fetch_and_add(&sum->event_loop_wait_ns, total->event_loop_wait_ns);
	__sync_fetch_and_add(&sum->sample_cnt, total->sample_cnt);
	__sync_fetch_and_add(&sum->poll_sample_cnt, total->poll_sample_cnt);
	__sync_fetch_and_add(&sum->spin_sample_cnt, total->spin_sample_cnt);
	__sync_fetch_and_add(&sum->io_sample_cnt, total->io_sample_cnt);
	__sync_fetch_and_add(&sum->gil_sample_cnt, total->gil_sample_cnt);
	__sync_fetch_and_add(&sum->gil_held_sample_cnt, total->gil_held_sample_cnt);
	return 0;
}

/* @task's last switch: send its totals, once and for all. */
static __always_inline void task_send_totals(struct task_struct *task, struct thread_ctx *thread,
					     u64 now)
{
	struct wire_thread *total = &thread->total;
	struct wire_event_exit *event;

	if (thread->loop)
		loop_forget(thread);
	total->tgid = thread_tgid(thread, task);
	total->tid = thread_tid(thread, task);
	total->end_ns = now;
	__builtin_memcpy(total->comm, task->comm, sizeof(total->comm));
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		event_init(&event->event, WIRE_EVENT_EXIT, task, thread, now);
		event->exit_code = task->exit_code;
		event->pad = 0;
		event->thread = *total;
		bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
		return;
	}
	count_loss(WIRE_LOST_TOTALS);
	wait_write_back(total);
	orphan_add(total);
}

/* From blocked to woken, which is for one CPU to say of those that see it. A full barrier. */
static __always_inline bool state_wake(struct thread_ctx *thread)
{
	return __sync_val_compare_and_swap(&thread->head.state, TASK_BLOCKED, TASK_WOKEN) ==
	       TASK_BLOCKED;
}

/* @holder leaves the CPU for @task, or NULL: not known. Returns the change in program time's
 * weights. */
static __always_inline s64 switch_in(struct task_struct *task, struct thread_ctx *thread,
				     struct task_struct *holder, bool is_own, u64 now)
{
	struct wire_thread *total = &thread->total;
	u32 before = thread->head.state;
	u64 since = thread->stamp_ns;

	if (before == TASK_BLOCKED) {
		before = TASK_WOKEN;
		/* Its wakeup went unseen; or, if it had come unseen itself, is being seen now. */
		if (state_wake(thread)) {
			if (thread->is_in_queue)
				lock_wait_end(thread, now, 0);
			thread->quiet_ns += program_shift(RUNNABLE, now);
			thread->wake_ns = now;
		}
	}
	if (before == TASK_SEEDING) {
		thread_begin(thread, now);
	} else if (before == TASK_PREEMPTED) {
		total->preempted_ns += now - since;
		if (holder && now - since > QUEUE_LONG_NS)
			neighbour_charge(thread, holder, is_own, now - since);
		thread->taker.comm[0] = 0;
	} else if (before == TASK_WOKEN) {
		u64 woken =
			thread->wake_ns >= since && thread->wake_ns <= now ? thread->wake_ns : now;

		total->run_queue_ns += now - woken;
		if (holder && now - woken > QUEUE_LONG_NS)
			neighbour_charge(thread, holder, is_own, now - woken);
		if (thread->open.tgid && woken != since) {
			wait_book(thread, woken - since);
			segment_end(task, thread, 0, now);
		} else if (thread->open.flags & WIRE_WAIT_ON_LOOP) {
			loop_unblock(thread, woken); /* it never slept */
		}
		if (takes_stacks && thread->stack_told)
			stack_wait_end(task, thread, woken);
	}
	thread->stamp_ns = now;
	thread->wake_ns = 0;
	thread->head.state = TASK_ON_CPU;
	return ON_CPU - program_weight(before);
}

/*
 * @task leaves a CPU that it was never seen to enter. Some switches come without a tracepoint
 * (measured: a few in a thousand where a sandbox hides its own threads, always the switch away from
 * a hidden one). The kernel's account of its CPU time tells when it must have come on.
 */
static __always_inline void switch_in_unseen(struct task_struct *task, struct thread_ctx *thread,
					     u64 now)
{
	u64 starved_ns = program_starved_ns(now) - thread->starved_ns;
	u64 since = thread->wake_ns > thread->stamp_ns ? thread->wake_ns : thread->stamp_ns;
	u64 ran_ns = task->se.sum_exec_runtime - thread->runtime_ns;

	if (ran_ns > now - since)
		ran_ns = now - since;
	if (thread->head.state == TASK_BLOCKED) { /* its wakeup went unseen, too */
		since = now - ran_ns;
		starved_ns = STARVED_UNKNOWN;
	}
	switch_in(task, thread, 0, false, now - ran_ns);
	program_repair(ran_ns, now - since, starved_ns, now);
}

/*
 * Books the time on a CPU that ends at @now, by the kernel's own account of it, which is what
 * getrusage and top show. Its clock and the tracepoints' are not read at the same instant: on an
 * idle CPU it starts up to 1 us earlier (measured), when the thread was already woken; stolen and
 * interrupt time it may leave out. The difference is time in the run queue, one way or the other.
 */
static __always_inline void book_on_cpu(struct task_struct *task, struct thread_ctx *thread,
					u64 now)
{
	struct wire_thread *total = &thread->total;
	u64 runtime_ns = task->se.sum_exec_runtime;
	u64 seen_ns = now - thread->stamp_ns;
	u64 ran_ns = runtime_ns - thread->runtime_ns;

	thread->runtime_ns = runtime_ns;
	thread->lead_ns = 0;
	if (ran_ns <= seen_ns) {
		total->preempted_ns += seen_ns - ran_ns;
	} else if (total->run_queue_ns >= ran_ns - seen_ns) {
		thread->lead_ns = ran_ns - seen_ns;
		total->run_queue_ns -= ran_ns - seen_ns;
		program_began_earlier(thread->stamp_ns, ran_ns - seen_ns);
	} else {
		ran_ns = seen_ns; /* the first slice after exec or attach: part of it isn't ours */
	}
	total->on_cpu_ns += ran_ns;
}

/*
 * Whether @task, which goes to sleep at @now, is being woken by another CPU already. That CPU holds
 * a lock of the task's until it has said so in the task's state. (Who else takes it doesn't wake; a
 * wakeup that was seen long before came to nothing: the task had only been about to sleep then.)
 */
static __always_inline bool is_being_woken(struct task_struct *task, struct thread_ctx *thread,
					   u64 now)
{
	u64 wake_ns = thread->wake_ns;

	if (bpf_core_field_exists(task->pi_lock.raw_lock.val.counter) && /* not with one CPU only */
	    wake_ns && now < wake_ns + WAKING_NS && task->pi_lock.raw_lock.val.counter)
		return true;
	barrier(); /* the state after the lock, and anew */
	if (task->__state & TASK_WAKING)
		return true;
	if (wake_ns)
		__sync_val_compare_and_swap(&thread->wake_ns, wake_ns, 0);
	return false;
}

/* @thread sleeps since @now, unless it has been woken meanwhile. Returns its state. */
static __always_inline u32 fall_asleep(struct thread_ctx *thread, u64 now)
{
	/* From here on whoever wakes it books that, and what it is then isn't ours to book. A full
	 * barrier: either this CPU sees the other's mark, or the other sees this one's state. */
	__sync_lock_test_and_set(&thread->head.state, TASK_BLOCKED);
	if (!thread->wake_ns || !state_wake(thread))
		return TASK_BLOCKED;
	if (thread->wake_ns < now)
		thread->wake_ns = now;
	if (thread->is_in_queue)
		lock_wait_end(thread, now, 0);
	return TASK_WOKEN;
}

/* Returns the change in program time's weights. */
static __always_inline s64 switch_out(void *ctx, struct task_struct *task,
				      struct thread_ctx *thread, bool preempt, u64 now)
{
	struct wire_thread *total = &thread->total;
	u32 task_state = task->__state;
	u32 before = thread->head.state, after;

	if (before == TASK_SEEDING)
		thread_begin(thread, now);
	else if (before != TASK_ON_CPU)
		switch_in_unseen(task, thread, now);
	if (before == TASK_BLOCKED)
		before = TASK_WOKEN; /* as it counts since switch_in */
	book_on_cpu(task, thread, now);
	if (!(task_state & TASK_DEAD) && sample_clock_take(thread, now))
		sample_at_switch(ctx, task, thread, !preempt && task_state);
	thread->stamp_ns = now;
	thread->starved_ns = program_starved_ns(now);
	total->switch_cnt++;
	if (task_state & TASK_DEAD) {
		thread->head.state = TASK_SEEDING;
		thread->head.is_followed = 0;
		__sync_fetch_and_add(&live_cnt, -1);
		task_send_totals(task, thread, now);
		return -program_weight(before);
	}
	if (preempt || !task_state) {
		total->preempt_cnt++;
		thread->head.state = after = TASK_PREEMPTED;
	} else if (is_being_woken(task, thread, now)) {
		/* Woken by another CPU before it got here. */
		thread->head.state = after = TASK_WOKEN;
		thread->wake_ns = now;
	} else {
		thread->ticked_at_ns = ticked_ns;
		wait_describe(task, thread, task_state, true);
		if (thread->tick_ns)
			tick_end(task, thread, before);
		after = fall_asleep(thread, now);
		if (takes_stacks)
			stack_of_wait(ctx, task, thread, now);
	}
	return program_weight(after) - program_weight(before);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct thread_ctx *thread, *left;
	bool is_own = false;
	s64 delta = 0;
	u64 now = 0;

	left = thread_find(prev);
	if (left && left->head.is_followed &&
	    (is_observing || (is_closing && prev->__state & TASK_DEAD))) {
		now = bpf_ktime_get_ns();
		delta = switch_out(ctx, prev, left, preempt, now);
		is_own = true;
	}
	thread = thread_find(next);
	if (thread && thread->head.is_followed && is_observing) {
		if (!now)
			now = bpf_ktime_get_ns();
		delta += switch_in(next, thread, prev, is_own, now);
	} else if (is_own && left->head.state == TASK_PREEMPTED) {
		neighbour_takes(left, next);
	}
	program_shift(delta, now);
	return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_sched_waking, struct task_struct *task)
{
	struct thread_ctx *thread = thread_find(task);
	u64 now;

	if (!thread || !thread->head.is_followed || !is_observing)
		return 0;
	if (thread->head.state != TASK_ON_CPU && thread->head.state != TASK_BLOCKED)
		return 0;
	/* It may be on its way out on another CPU, which can't say so yet: the mark is left for
	 * that to see (fall_asleep). */
	if (thread->head.state == TASK_ON_CPU)
		thread->waker = WAKER_UNKNOWN;
	now = bpf_ktime_get_ns();
	thread->wake_ns = now;
	if (!state_wake(thread))
		return 0;
	wake_attribute(task, thread, now);
	thread->starved_ns = program_starved_ns(now);
	wake_charge(task, thread, program_shift(RUNNABLE, now), now);
	return 0;
}

#endif
