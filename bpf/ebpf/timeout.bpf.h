/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Timers that end waits: named by a tracepoint on the same CPU just before the wakeup, and kept in
 * a slot of that CPU. */
#ifndef CLASSIFY_TIMEOUT_BPF_H
#define CLASSIFY_TIMEOUT_BPF_H

#include "task.bpf.h"

/* A timer's wakeup follows in a microsecond or so, but for what interrupts it: a host that takes
 * the CPU away does so for longer than 100 us now and then (seen once in 15 under load). */
#define TIMER_FRESH_NS 1000000

struct timer_slot {
	u64 timer;     /* the hrtimer that expired last */
	u64 task;      /* whose sleep it ends, if it is a sleeper's; else no task */
	u64 tick_task; /* whose sleep the last timer in ticks of the kernel ends; likewise */
	u64 at_ns;
	u64 tick_at_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timer_slot);
} timer_slots SEC(".maps");

static __always_inline struct timer_slot *timer_slot(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&timer_slots, &zero);
}

/*
 * Only a timer that is part of a hrtimer_sleeper has a task beside it; for any other, what is read
 * there is no thread that is being woken. It has to be read now: the sleeper forgets its task
 * before it wakes it.
 */
SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_hrtimer_expire_entry, struct hrtimer *timer)
{
	struct timer_slot *slot = timer_slot();
	struct hrtimer_sleeper *sleeper;

	if (!slot || !is_observing)
		return 0;
	sleeper = (void *)timer - bpf_core_field_offset(struct hrtimer_sleeper, timer);
	slot->timer = (u64)timer;
	slot->task = (u64)BPF_CORE_READ(sleeper, task);
	slot->at_ns = bpf_ktime_get_ns();
	return 0;
}

/* Timeouts of sockets and of some drivers count in ticks of the kernel; the same holds. */
SEC("tp_btf/timer_expire_entry")
int BPF_PROG(on_timer_expire_entry, struct timer_list *timer)
{
	struct timer_slot *slot = timer_slot();
	struct process_timer *timeout;

	if (!slot || !is_observing)
		return 0;
	timeout = (void *)timer - bpf_core_field_offset(struct process_timer, timer);
	slot->tick_task = (u64)BPF_CORE_READ(timeout, task);
	slot->tick_at_ns = bpf_ktime_get_ns();
	return 0;
}

/* Did the timeout of @task's own wait run out just now, on this CPU? */
static __always_inline bool timeout_is_own(struct timer_slot *slot, struct task_struct *task,
					   u64 now)
{
	if (slot->task == (u64)task && now - slot->at_ns < TIMER_FRESH_NS) {
		slot->task = 0;
		return true;
	}
	if (slot->tick_task == (u64)task && now - slot->tick_at_ns < TIMER_FRESH_NS) {
		slot->tick_task = 0;
		return true;
	}
	return false;
}

/* Does @timer send @task's process a signal? As alarm() and setitimer() do, and timer_create(). */
static __always_inline bool timer_signals(u64 timer, struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct k_itimer *made =
		(void *)timer - bpf_core_field_offset(struct k_itimer, it.real.timer);

	return timer == (u64)signal + bpf_core_field_offset(struct signal_struct, real_timer) ||
	       BPF_CORE_READ(made, it_signal) == signal;
}

/* Is @timer a timeout that @task asked its io_uring for? */
static __always_inline bool timer_is_of_ring(u64 timer, struct task_struct *task)
{
	struct io_timeout_data *timeout;

	if (!bpf_core_field_exists(struct io_kiocb, tctx))
		return false;
	timeout = (void *)timer - bpf_core_field_offset(struct io_timeout_data, timer);
	return BPF_CORE_READ(timeout, req, tctx, task) == task;
}

/* Whether a timer of @task that isn't its wait's own has expired on this CPU just now. */
static __always_inline bool timer_is_fresh(const struct timer_slot *slot, u64 now)
{
	return slot->timer && now - slot->at_ns < TIMER_FRESH_NS;
}

#endif
