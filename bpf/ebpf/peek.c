/*
 * A look at an observation that goes on. It is made on copies of what has gathered on our side,
 * with copies of what is still in the kernel, by the steps that end an observation; nothing of the
 * probes' is taken, changed or stopped.
 */
#include "finish_quiet.h"
#include "clock.h"
#include "session.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "probe.skel.h"

/* How often threads and program time are read anew if the probes were in the middle of something:
 * that takes them less than a microsecond. */
#define ATTEMPTS 5

/* What a look is made in, and what has to be as it was afterwards. */
struct gathered {
	struct observation obs;
	struct wait_table waits;
	struct lock_holders holders;
};

/* Returns NULL when there are none or out of memory. */
static void *copy_rows(const void *rows, size_t cnt, size_t row_bytes)
{
	void *copy = cnt ? malloc(cnt * row_bytes) : NULL;

	if (copy)
		memcpy(copy, rows, cnt * row_bytes);
	return copy;
}

/* Puts copies into the place of what has gathered, which goes to @kept. Returns 0 or -ENOMEM; both
 * are to be put back either way. */
static int begin_on_copies(struct ebpf_observer *self, struct gathered *kept)
{
	struct wait_table *waits = &self->waits;
	struct lock_holders *holders = &self->holders;
	int error = observation_draft(&self->obs, &kept->obs);

	waits->rows = copy_rows(waits->rows, waits->cnt, sizeof(*waits->rows));
	waits->capacity = waits->cnt = waits->rows ? waits->cnt : 0;
	holders->rows = copy_rows(holders->rows, holders->cnt, sizeof(*holders->rows));
	holders->capacity = holders->cnt = holders->rows ? holders->cnt : 0;
	if (waits->cnt != kept->waits.cnt || holders->cnt != kept->holders.cnt)
		error = -ENOMEM;
	return error;
}

/* No part of a thread's life is longer than all of it. The clocks of two CPUs may differ a little.
 */
static bool is_possible(const struct wire_thread *wire)
{
	uint64_t most_ns = wire->end_ns - wire->start_ns + 1000000;
	bool is_it = wire->end_ns >= wire->start_ns && wire->on_cpu_ns <= most_ns &&
		     wire->run_queue_ns <= most_ns && wire->preempted_ns <= most_ns &&
		     wire->open_ns <= most_ns;

	for (int i = 0; i < WIRE_REASON_CNT; i++)
		is_it = is_it && wire->wait_ns[i] <= most_ns;
	return is_it;
}

/* A thread that is switched while it is read may come out with times of before and after. */
static int read_threads(struct ebpf_observer *self, struct wire_thread **records, size_t *cnt)
{
	size_t good;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		self->probes->bss->observed_until_ns = clock_ns(CLOCK_MONOTONIC);
		int error = collect_snapshot(self, records, cnt);

		if (error)
			return error;
		for (good = 0; good < *cnt && is_possible(&(*records)[good]);)
			good++;
		if (good == *cnt)
			return 0;
		free(*records);
		*records = NULL;
	}
	return -EAGAIN;
}

/* Processes that no event has told of yet are told of later; their threads count already. */
static int add_threads(struct ebpf_observer *self, struct wire_thread *telling)
{
	struct wire_thread *records = NULL;
	size_t cnt;
	int error = read_threads(self, &records, &cnt);

	telling->open_key.reason = WIRE_REASON_CNT;
	for (size_t i = 0; !error && i < cnt; i++) {
		error = collect_live(self, &records[i]);
		if (quiet_rank(&records[i]) > quiet_rank(telling))
			*telling = records[i];
	}
	free(records);
	return error;
}

static int look(struct ebpf_observer *self)
{
	struct wire_thread telling = { 0 };
	int error = collect_copy_rows(self);

	if (!error)
		error = add_threads(self, &telling);
	if (!error)
		error = collect_complete(self, &telling, clock_ns(CLOCK_MONOTONIC));
	return error;
}

int peek_collect(struct observer *observer, struct observation *obs)
{
	struct ebpf_observer *self = from_observer(observer);
	struct gathered kept;
	int error;

	ring_buffer__consume(self->events);
	if (self->error)
		return self->error;
	host_watch_end(&self->host);
	kept = (struct gathered){ self->obs, self->waits, self->holders };
	error = begin_on_copies(self, &kept);
	if (!error)
		error = look(self);
	*obs = self->obs;
	wait_table_release(&self->waits);
	lock_holders_release(&self->holders);
	self->obs = kept.obs;
	self->waits = kept.waits;
	self->holders = kept.holders;
	return error;
}
