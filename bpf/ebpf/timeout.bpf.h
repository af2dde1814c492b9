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
	u64 task;     /* whose sleep it ends; 0: no one thread's */
	u64 function; /* what it does */
	u64 at_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timer_slot);
} timer_slots SEC(".maps");

/* What timers do is told by the address of their function, where the kernel shows addresses. */
extern const void hrtimer_wakeup __ksym __weak;	 /* wakes a sleeper */
extern const void process_timeout __ksym __weak; /* the same, in ticks */
extern const void timerfd_tmrproc __ksym __weak;
extern const void io_timeout_fn __ksym __weak; /* of io_uring */
extern const void it_real_fn __ksym __weak;    /* setitimer, alarm: a signal */
extern const void posix_timer_fn __ksym __weak;

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
	slot->function = (u64)BPF_CORE_READ(timer, function);
	slot->task = 0;
	if (!&hrtimer_wakeup || slot->function == (u64)&hrtimer_wakeup) {
		sleeper = (void *)timer - bpf_core_field_offset(struct hrtimer_sleeper, timer);
		slot->task = (u64)BPF_CORE_READ(sleeper, task);
	}
	slot->at_ns = bpf_ktime_get_ns();
	return 0;
}

/* Timeouts of sockets and of some drivers count in ticks of the kernel. */
SEC("tp_btf/timer_expire_entry")
int BPF_PROG(on_timer_expire_entry, struct timer_list *timer)
{
	u64 function = (u64)BPF_CORE_READ(timer, function);
	struct process_timer *timeout;
	struct timer_slot *slot;

	if (!&process_timeout || function != (u64)&process_timeout || !is_observing)
		return 0;
	slot = timer_slot();
	if (!slot)
		return 0;
	timeout = (void *)timer - bpf_core_field_offset(struct process_timer, timer);
	slot->task = (u64)BPF_CORE_READ(timeout, task);
	slot->function = function;
	slot->at_ns = bpf_ktime_get_ns();
	return 0;
}

enum timeout {
	TIMEOUT_NONE = 0,
	TIMEOUT_OWN,	/* the wait's own timeout ran out */
	TIMEOUT_FILE,	/* a timerfd, or a timeout of io_uring */
	TIMEOUT_SIGNAL, /* a timer that sends a signal */
};

/* Which timer that expired on this CPU just now wakes @task. */
static __always_inline u32 timeout_of(struct task_struct *task, u64 now)
{
	struct timer_slot *slot = timer_slot();
	u64 function;

	if (!slot || now - slot->at_ns >= TIMER_FRESH_NS)
		return TIMEOUT_NONE;
	if (slot->task) {
		if (slot->task != (u64)task)
			return TIMEOUT_NONE;
		slot->task = slot->function = 0;
		return TIMEOUT_OWN;
	}
	function = slot->function;
	if (!function)
		return TIMEOUT_NONE;
	if (function == (u64)&timerfd_tmrproc || function == (u64)&io_timeout_fn)
		return TIMEOUT_FILE;
	if (function == (u64)&it_real_fn || function == (u64)&posix_timer_fn)
		return TIMEOUT_SIGNAL;
	return TIMEOUT_NONE;
}

#endif
