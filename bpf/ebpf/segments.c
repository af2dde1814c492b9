/* See segments.h. */
#include "segments.h"
#include "clock.h"
#include "finish_quiet.h"
#include "session.h"
#include <bpf/libbpf.h>
#include <stdbool.h>
#include "probe.skel.h"

/* How many segments a second are taken in, of all threads: at 0.3 us each that is 0.1% of a CPU. */
#define SEGMENTS_PER_S 4000
#define QUANTUM_MAX_NS NS_PER_S
/* How often it is looked how many come. */
#define LOOK_SOONEST_NS 10000000ull
#define LOOK_LATEST_NS	500000000ull

static struct segment_key key_of_life(uint32_t tgid, uint64_t start_ns)
{
	return (struct segment_key){ tgid, start_ns };
}

void segments_take(struct ebpf_observer *self, const struct wire_event_segment *told)
{
	struct segment_reading reading = { .start_ns = told->start_ns,
					   .at_ns = told->event.time_ns };

	for (int i = 0; i < WIRE_REASON_CNT; i++) {
		reading.part_ns[i] = told->wait_ns[i];
		reading.wait_cnt[i] = told->wait_cnt[i];
	}
	reading.part_ns[PART_ON_CPU] = told->on_cpu_ns;
	reading.part_ns[PART_QUEUE] = told->queue_ns;
	self->segments_taken_cnt++;
	segment_log_add(&self->segments, key_of_life(told->event.tgid, told->start_ns), &reading);
}

/* What was read while the probes were adding up is not taken: the next look tells. */
static void take_slice(struct ebpf_observer *self)
{
	const volatile struct probe_bpf__bss *shared = self->probes->bss;
	uint64_t part_ns[SLICE_PART_CNT], total_ns[WIRE_PROGRAM_STATE_CNT], now_ns;
	struct quiet_sums sums;

	if (!shared->is_observing || (self->probes->rodata->begins_at_exec && !shared->has_begun))
		return;
	if (!quiet_read(self, &sums))
		return;
	now_ns = clock_ns(CLOCK_MONOTONIC);
	quiet_total(&sums, now_ns, total_ns);
	part_ns[SLICE_COMPUTING] = total_ns[WIRE_COMPUTING];
	part_ns[SLICE_STARVED] = total_ns[WIRE_STARVED];
	part_ns[SLICE_QUIET] = total_ns[WIRE_QUIET];
	slice_log_add(&self->slices, session_since_begin_ns(self, now_ns), part_ns);
}

/* As many segments as there is room for, and no more than are of use. */
static void set_quantum(struct ebpf_observer *self, uint64_t elapsed_ns)
{
	__u64 *shared_ns = &self->probes->data->segment_quantum_ns;
	uint64_t least_ns = segment_log_least_ns(&self->segments);
	uint64_t quantum_ns = *shared_ns;
	uint64_t per_s = self->segments_taken_cnt * NS_PER_S / elapsed_ns;

	if (per_s > SEGMENTS_PER_S)
		quantum_ns = quantum_ns * per_s / SEGMENTS_PER_S;
	else if (per_s < SEGMENTS_PER_S / 4)
		quantum_ns /= 2;
	if (quantum_ns > QUANTUM_MAX_NS)
		quantum_ns = QUANTUM_MAX_NS;
	if (quantum_ns < least_ns)
		quantum_ns = least_ns;
	/* Every CPU reads it all the time. */
	if (*shared_ns != quantum_ns)
		__atomic_store_n(shared_ns, quantum_ns, __ATOMIC_RELAXED);
}

void segments_look(struct ebpf_observer *self, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - self->segments_looked_ns;

	take_slice(self);
	/* Threads that began together are told of together: a whole quantum tells how many come. */
	if (elapsed_ns < LOOK_SOONEST_NS ||
	    (elapsed_ns < self->probes->data->segment_quantum_ns && elapsed_ns < LOOK_LATEST_NS))
		return;
	if (self->segments_looked_ns)
		set_quantum(self, elapsed_ns);
	self->segments_looked_ns = now_ns;
	self->segments_taken_cnt = 0;
}

static struct segment_key key_of_thread(const struct observation *obs,
					const struct obs_thread *thread, const void *context)
{
	const uint64_t *begin_ns = context;

	(void)obs;
	return key_of_life((uint32_t)thread->pid, thread->start_ns + *begin_ns);
}

int segments_sum(struct ebpf_observer *self)
{
	uint64_t begin_ns = self->probes->bss->observed_from_ns;
	int error = slice_log_sum(&self->slices, &self->obs);

	if (error)
		return error;
	return segment_log_sum(&self->segments, &self->obs, begin_ns, key_of_thread, &begin_ns);
}
