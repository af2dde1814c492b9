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

/* When this CPU's next sample falls due; 0: not known, or it has been taken. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} sample_clock SEC(".maps");

/*
 * The sample whose program has the context @context has come, at @now. Returns when it fell due, or
 * @now where the kernel doesn't say, and notes when the next one will.
 */
static __always_inline u64 sample_clock_tick(void *context, u64 now)
{
	struct bpf_perf_event_data_kern *sample = context;
	u64 due_ns, period_ns, *next_ns;
	u32 zero = 0;

	if (!bpf_core_field_exists(sample->event) ||
	    !bpf_core_field_exists(struct perf_event, hw.hrtimer.node.expires))
		return now;
	due_ns = BPF_CORE_READ(sample, event, hw.hrtimer.node.expires);
	period_ns = BPF_CORE_READ(sample, event, hw.sample_period);
	next_ns = bpf_map_lookup_elem(&sample_clock, &zero);
	if (!next_ns || !period_ns || due_ns > now)
		return now;
	/* The clock leaves out those that it has missed. */
	*next_ns = due_ns + ((now - due_ns) / period_ns + 1) * period_ns;
	return due_ns;
}

/* Whether @thread, which gives its CPU up at @now, had it when a sample fell due that hasn't come:
 * the caller takes it. */
static __always_inline bool sample_clock_take(const struct thread_ctx *thread, u64 now)
{
	u32 zero = 0;
	u64 *next_ns = bpf_map_lookup_elem(&sample_clock, &zero);

	if (!next_ns || now < *next_ns || *next_ns + thread->lead_ns < thread->stamp_ns)
		return false;
	*next_ns = 0;
	return true;
}

#endif
