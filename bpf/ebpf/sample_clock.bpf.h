/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whose a sample is. A CPU's clock can't interrupt while the kernel switches threads, or wakes an
 * idle CPU up: a sample that falls due meanwhile comes a little later, to the thread that is next,
 * or to none. Of a thread that waits often that is much: of 13,000 waits a second in a virtual
 * machine, half as much again as it computed there came with the samples of others, and 2% of the
 * time went with its own (measured). So a sample counts for the thread that had the CPU when it
 * fell due; if it is about to give the CPU up, it is taken just before it does.
 */
#ifndef CLASSIFY_SAMPLE_CLOCK_BPF_H
#define CLASSIFY_SAMPLE_CLOCK_BPF_H

#include "task.bpf.h"

struct sample_clock {
	u64 due_ns; /* when this CPU's next sample falls due; 0: not known, or it has been taken */
	u64 taken_ns; /* when the last one did that was taken before it came */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sample_clock);
} sample_clocks SEC(".maps");

static __always_inline struct sample_clock *sample_clock_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&sample_clocks, &zero);
}

/*
 * The sample whose program has the context @context has come, at @now. Returns when it fell due
 * (@now where the kernel doesn't say), or 0 if it has been taken; and notes when the next one will.
 */
static __always_inline u64 sample_clock_tick(void *context, u64 now)
{
	struct bpf_perf_event_data_kern *sample = context;
	struct sample_clock *clock = sample_clock_here();
	u64 due_ns, period_ns;

	if (!bpf_core_field_exists(sample->event) ||
	    !bpf_core_field_exists(struct perf_event, hw.hrtimer.node.expires))
		return now;
	due_ns = BPF_CORE_READ(sample, event, hw.hrtimer.node.expires);
	period_ns = BPF_CORE_READ(sample, event, hw.sample_period);
	if (!clock || !period_ns || due_ns > now)
		return now;
	/* The clock leaves out those that it has missed. */
	clock->due_ns = due_ns + ((now - due_ns) / period_ns + 1) * period_ns;
	return due_ns == clock->taken_ns ? 0 : due_ns;
}

/* Whether @thread, which is on a CPU, was already when a sample fell due: by the kernel's account,
 * which begins a little before it was seen to get there. */
static __always_inline bool sample_is_of(const struct thread_ctx *thread, u64 due_ns)
{
	return due_ns + thread->lead_ns >= thread->stamp_ns;
}

/* Whether @thread, which gives its CPU up at @now, had it when a sample fell due that hasn't come:
 * the caller takes it. */
static __always_inline bool sample_clock_take(const struct thread_ctx *thread, u64 now)
{
	struct sample_clock *clock = sample_clock_here();

	if (!clock || now < clock->due_ns || !sample_is_of(thread, clock->due_ns))
		return false;
	clock->taken_ns = clock->due_ns;
	clock->due_ns = 0;
	return true;
}

#endif
