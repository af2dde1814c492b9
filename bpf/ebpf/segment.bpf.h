/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a thread did from time to time, as its totals grow: told at the end of a wait, and while it
 * computes, but no sooner than a quantum after the last time. A long wait so ends a segment of its
 * own, and short ones share one. What finds no room is no loss: the next one covers it.
 */
#ifndef CLASSIFY_SEGMENT_BPF_H
#define CLASSIFY_SEGMENT_BPF_H

#include "task.bpf.h"

/* The deaths of threads need the room more: segments fill no more of the ring than this. */
#define SEGMENT_RING_BYTES (1 << 20)

/* The user side sets it by how many come. */
__u64 segment_quantum_ns = 1000000;

/* Tells the totals at @now of a thread of @tgid; of the time since they were booked last, @open_ns
 * on a CPU are not in them. Global: see socket_describe. */
__noinline int segment_send(struct thread_ctx *thread, u32 tgid, u64 open_ns, u64 now)
{
	struct wire_event_segment *segment;
	const struct wire_thread *total;

	if (!thread)
		return 0;
	thread->segment_ns = now;
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > SEGMENT_RING_BYTES)
		return 0;
	segment = bpf_ringbuf_reserve(&events, sizeof(*segment), 0);
	if (!segment)
		return 0;
	total = &thread->total;
	segment->event.type = WIRE_EVENT_SEGMENT;
	segment->event.tgid = tgid;
	segment->event.tid = 0;
	segment->event.parent_tgid = 0;
	segment->event.time_ns = now;
	segment->start_ns = total->start_ns;
	segment->on_cpu_ns = total->on_cpu_ns + open_ns;
	segment->queue_ns = total->run_queue_ns + total->preempted_ns;
	__builtin_memcpy(segment->wait_ns, total->wait_ns, sizeof(segment->wait_ns));
	__builtin_memcpy(segment->wait_cnt, total->wait_cnt, sizeof(segment->wait_cnt));
	segment->pad = 0;
	bpf_ringbuf_submit(segment, BPF_RB_NO_WAKEUP);
	return 0;
}

/* @thread's totals have just been booked but for @open_ns on a CPU, until @now. */
static __always_inline void segment_end(struct task_struct *task, struct thread_ctx *thread,
					u64 open_ns, u64 now)
{
	if (now - thread->segment_ns >= segment_quantum_ns)
		segment_send(thread, thread_tgid(thread, task), open_ns, now);
}

/* The same for the thread that is interrupted as it computes. */
static __always_inline void segment_tick(struct task_struct *task, struct thread_ctx *thread)
{
	u64 now = bpf_ktime_get_ns();

	if (thread->head.state == TASK_ON_CPU)
		segment_end(task, thread, now - thread->stamp_ns, now);
}

#endif
