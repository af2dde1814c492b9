/* Taking the sums out of the kernel and making the observation of them. */
#include "session.h"
#include "clock.h"
#include "finish_lives.h"
#include "finish_quiet.h"
#include "flight_watch.h"
#include "observation/lives.h"
#include "neighbours.h"
#include "segments.h"
#include "stacks.h"
#include "wait_convert.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "probe.skel.h"

/* How long finishing waits for threads that are dying: on a loaded machine they may be preempted
 * on their way out. */
#define DYING_MAX_NS 100000000ull
/* How long it looks up what lies at the addresses of futexes that were met last. */
#define FUTEX_LOOK_LAST_NS 20000000ull

uint64_t session_since_begin_ns(const struct ebpf_observer *self, uint64_t instant_ns)
{
	uint64_t from_ns = self->probes->bss->observed_from_ns;

	return instant_ns > from_ns ? instant_ns - from_ns : 0;
}

static const char *intern_comm(struct ebpf_observer *self, const char *comm)
{
	const char *copy = observation_intern(&self->obs, comm, strnlen(comm, WIRE_COMM_BYTES));

	return copy ? copy : "";
}

/* A sample stands for the CPU time from one to the next. */
static void add_samples(struct ebpf_observer *self, const struct wire_thread *wire,
			struct obs_thread *thread)
{
	const struct wire_wait_key asking = { .syscall = wire->poll_call };
	uint64_t period_ns = self->sampling.period_ns;

	thread->sample_cnt = wire->sample_cnt;
	thread->poll_sample_cnt = wire->poll_sample_cnt;
	thread->spin_sample_cnt = wire->spin_sample_cnt;
	thread->io_sample_cnt = wire->io_sample_cnt;
	thread->gil_sample_cnt = wire->gil_sample_cnt;
	thread->gil_held_sample_cnt = wire->gil_held_sample_cnt;
	if (wire->poll_sample_cnt)
		thread->poll_call = object_names_call(&self->obs, &asking);
	thread->loop_run_cnt = wire->loop_run_cnt;
	thread->loop_run_ns = wire->loop_run_samples * period_ns;
	thread->loop_run_max_ns = wire->loop_run_max_samples * period_ns;
}

int collect_thread(struct ebpf_observer *self, const struct wire_thread *wire, bool exited)
{
	struct obs_thread *thread = observation_add_thread(&self->obs);

	if (!thread)
		return -ENOMEM;
	thread->tid = (pid_t)wire->tid;
	thread->pid = (pid_t)wire->tgid;
	thread->comm = intern_comm(self, wire->comm);
	thread->start_ns = session_since_begin_ns(self, wire->start_ns);
	thread->end_ns = session_since_begin_ns(self, wire->end_ns);
	thread->exited = exited;
	thread->on_cpu_ns = wire->on_cpu_ns;
	thread->run_queue_ns = wire->run_queue_ns;
	thread->preempted_ns = wire->preempted_ns;
	for (int i = 0; i < WIRE_REASON_CNT; i++) {
		thread->wait_ns[i] = wire->wait_ns[i];
		thread->wait_cnt[i] = wire->wait_cnt[i];
	}
	thread->event_loop_wait_ns = wire->event_loop_wait_ns;
	thread->event_loop_wait_cnt = wire->event_loop_wait_cnt;
	thread->loop_late_ns = wire->loop_late_ns;
	thread->loop_late_cnt = wire->loop_late_cnt;
	thread->loop_late_max_ns = wire->loop_late_max_ns;
	thread->switch_cnt = wire->switch_cnt;
	thread->preempt_cnt = wire->preempt_cnt;
	add_samples(self, wire, thread);
	return wait_table_add(&self->waits, &wire->pending_key, &wire->pending);
}

int collect_snapshot(struct ebpf_observer *self, struct wire_thread **records, size_t *cnt)
{
	size_t capacity = 64, used = 0;
	char *buffer = malloc(capacity * sizeof(struct wire_thread));
	int fd = bpf_iter_create(bpf_link__fd(self->probes->links.dump_tasks));
	int error = fd < 0 ? -errno : 0;

	while (!error && buffer) {
		ssize_t got;

		if (used == capacity * sizeof(struct wire_thread)) {
			char *grown = realloc(buffer, 2 * used);

			if (!grown) {
				error = -ENOMEM;
				break;
			}
			buffer = grown;
			capacity *= 2;
		}
		got = read(fd, buffer + used, capacity * sizeof(struct wire_thread) - used);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0) {
			error = got ? -errno : 0;
			break;
		}
		used += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	*records = (struct wire_thread *)buffer;
	*cnt = used / sizeof(struct wire_thread);
	return buffer ? error : -ENOMEM;
}

/* The kernel hands out whole buckets: more rows than one will hold. */
#define ROWS_PER_BATCH 512

typedef int add_row(struct ebpf_observer *self, void *key, const void *sum);

/* Room for a batch of the larger of the two kinds of rows. */
struct row_batch {
	_Alignas(8) char keys[ROWS_PER_BATCH * sizeof(struct wire_wait_key)];
	_Alignas(8) char sums[ROWS_PER_BATCH * sizeof(struct wire_wait_sum)];
};
_Static_assert(sizeof(struct wire_holder_key) <= sizeof(struct wire_wait_key), "row_batch");
_Static_assert(sizeof(struct wire_holder_sum) <= sizeof(struct wire_wait_sum), "row_batch");

/* Batches of the rows of a map, which stay in it or leave it. */
typedef int read_batch(int fd, void *from, void *position, void *keys, void *sums, uint32_t *cnt,
		       const struct bpf_map_batch_opts *options);

/* Adds all rows of @map. Returns 0, or the first failure of the map or of @add. */
static int add_rows(struct ebpf_observer *self, const struct bpf_map *map, read_batch *read,
		    add_row *add)
{
	size_t key_bytes = bpf_map__key_size(map), sum_bytes = bpf_map__value_size(map);
	struct row_batch batch;
	uint32_t position, cnt;
	void *from = NULL;
	int got, error = 0;

	do {
		cnt = ROWS_PER_BATCH;
		got = read(bpf_map__fd(map), from, &position, batch.keys, batch.sums, &cnt, NULL);
		/* -ENOENT: these were the last. Any other failure gave none. */
		if (got && got != -ENOENT)
			return got;
		from = &position;
		for (uint32_t i = 0; i < cnt && !error; i++)
			error = add(self, batch.keys + i * key_bytes, batch.sums + i * sum_bytes);
	} while (!error && !got);
	return error;
}

static int add_wait_row(struct ebpf_observer *self, void *key, const void *sum)
{
	object_names_unify(&self->names, key);
	return wait_table_add(&self->waits, key, sum);
}

static int add_holder_row(struct ebpf_observer *self, void *key, const void *sum)
{
	return lock_holders_add(&self->holders, key, sum);
}

/*
 * Rows that live threads add to meanwhile lose nothing but what falls between two instructions, and
 * that only of the object: totals by reason are kept per thread.
 */
int collect_rows(struct ebpf_observer *self)
{
	self->probes->bss->wait_row_cnt = 0;
	return add_rows(self, self->probes->maps.waits, bpf_map_lookup_and_delete_batch,
			add_wait_row);
}

int collect_holders(struct ebpf_observer *self)
{
	self->probes->bss->holder_row_cnt = 0;
	return add_rows(self, self->probes->maps.holders, bpf_map_lookup_and_delete_batch,
			add_holder_row);
}

int collect_copy_rows(struct ebpf_observer *self)
{
	int error = add_rows(self, self->probes->maps.waits, bpf_map_lookup_batch, add_wait_row);

	return error ? error
		     : add_rows(self, self->probes->maps.holders, bpf_map_lookup_batch,
				add_holder_row);
}

int collect_live(struct ebpf_observer *self, const struct wire_thread *wire)
{
	struct wire_wait_sum open = { .wait_ns = wire->open_ns,
				      .wait_cnt = 1,
				      .max_ns = wire->open_ns,
				      .quiet_ns = wire->open_quiet_ns };
	int error = collect_thread(self, wire, false);

	if (!error && wire->open_key.reason != WIRE_REASON_CNT)
		error = wait_table_add(&self->waits, &wire->open_key, &open);
	return error;
}

/* Books a thread that is alive at the end. */
static int add_live(struct ebpf_observer *self, const struct wire_thread *wire)
{
	int error = 0;

	if (!process_tree_knows(&self->tree, (pid_t)wire->tgid))
		error = process_tree_born(&self->tree, (pid_t)wire->tgid, (pid_t)wire->tgid, 0,
					  wire->comm, session_since_begin_ns(self, wire->start_ns));
	return error ? error : collect_live(self, wire);
}

/* The threads that are alive at the end. @telling becomes the one whose open wait tells most. */
static int add_all_live(struct ebpf_observer *self, struct wire_thread *telling)
{
	struct wire_thread *records;
	size_t cnt;
	int error = collect_snapshot(self, &records, &cnt);

	telling->open_key.reason = WIRE_REASON_CNT;
	for (size_t i = 0; i < cnt && !error; i++) {
		error = add_live(self, &records[i]);
		if (quiet_rank(&records[i]) > quiet_rank(telling))
			*telling = records[i];
	}
	free(records);
	return error;
}

/* Totals of threads whose own record was dropped: one nameless thread stands for them. */
static int collect_orphans(struct ebpf_observer *self)
{
	struct wire_thread sum = { 0 };
	uint32_t zero = 0;

	if (!self->probes->bss->losses[WIRE_LOST_TOTALS])
		return 0;
	if (bpf_map_lookup_elem(bpf_map__fd(self->probes->maps.orphans), &zero, &sum))
		return -errno;
	sum.start_ns = self->probes->bss->observed_from_ns;
	/* Their lives together, which may be longer than there was time. */
	sum.end_ns += sum.start_ns;
	if (sum.end_ns > self->probes->bss->observed_until_ns)
		sum.end_ns = self->probes->bss->observed_until_ns;
	sum.tgid = (uint32_t)self->root;
	memset(&sum.pending, 0, sizeof(sum.pending));
	return collect_thread(self, &sum, true);
}

static void finish_quality(struct ebpf_observer *self)
{
	const struct probe_bpf__bss *shared = self->probes->bss;
	struct obs_quality *quality = &self->obs.quality;

	for (int i = 0; i < WIRE_LOSS_CNT; i++)
		quality->lost_events += shared->losses[i];
	/* These cost the count of operations in flight, and no more: flight_watch_sum says so.
	 */
	quality->lost_events -= shared->losses[WIRE_LOST_CONNECTION];
	/* And these evidence, of which there is less for the same time. */
	quality->lost_events -= shared->losses[WIRE_LOST_STACK];
	self->obs.stack_quality.lost_cnt = shared->losses[WIRE_LOST_STACK];
	quality->lost_threads = shared->losses[WIRE_LOST_THREAD];
	quality->source_note = "";
}

/* When the last thread died: a tree that is gone has no time after that. */
static uint64_t last_exit_ns(const struct ebpf_observer *self)
{
	uint64_t last_ns = 0;

	for (size_t i = 0; i < self->obs.thread_cnt; i++)
		if (self->obs.threads[i].end_ns > last_ns)
			last_ns = self->obs.threads[i].end_ns;
	return self->probes->bss->observed_from_ns + last_ns;
}

/*
 * Threads on their way out: reaped, so that no iterator meets them any more, but yet to leave their
 * CPU for good, which is when they send their totals. Waits for those, but not for long.
 */
static void await_dying(struct ebpf_observer *self)
{
	uint64_t deadline_ns = clock_ns(CLOCK_MONOTONIC) + DYING_MAX_NS;
	struct wire_thread *records;
	size_t cnt;
	int error;

	do {
		error = collect_snapshot(self, &records, &cnt);
		free(records);
		if (error || __atomic_load_n(&self->probes->bss->live_cnt, __ATOMIC_ACQUIRE) <= cnt)
			return;
		sched_yield();
	} while (clock_ns(CLOCK_MONOTONIC) < deadline_ns);
}

/* The wall clock's time of the beginning. */
static int64_t started_at_unix_ns(const struct ebpf_observer *self)
{
	return (int64_t)(clock_ns(CLOCK_REALTIME) -
			 session_since_begin_ns(self, clock_ns(CLOCK_MONOTONIC)));
}

static int finish_neighbours(struct ebpf_observer *self)
{
	const struct probe_bpf__bss *shared = self->probes->bss;
	const struct neighbour_sums sums = { shared->unnamed_neighbours, shared->own_queue_ns,
					     shared->long_queue_ns };

	return neighbours_collect(bpf_map__fd(self->probes->maps.neighbours), &sums, &self->obs);
}

/* Adding up takes the probes less than a microsecond. */
#define READ_ATTEMPTS 5

static int read_sums(const struct ebpf_observer *self, struct quiet_sums *sums)
{
	for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++)
		if (quiet_read(self, sums))
			return 0;
	return self->probes->bss->is_observing ? -EAGAIN : 0;
}

int collect_complete(struct ebpf_observer *self, const struct wire_thread *telling,
		     uint64_t until_ns)
{
	struct quiet_sums sums;
	int error = collect_orphans(self);

	if (!error)
		error = read_sums(self, &sums);
	if (error)
		return error;
	quiet_collect(self, &sums, until_ns);
	error = quiet_charge_open(self, telling, &sums);
	if (error)
		return error;
	quiet_return_pool(self, &sums);
	self->obs.source = SOURCE_EBPF;
	self->obs.started_at_unix_ns = started_at_unix_ns(self);
	self->obs.duration_ns = session_since_begin_ns(self, until_ns);
	error = wait_convert(&self->waits, &self->names, &self->tree, &self->obs);
	if (!error)
		error = lock_holders_convert(&self->holders, &self->names, &self->tree, &self->obs);
	if (!error)
		error = lives_end_processes(&self->obs);
	if (!error)
		error = lives_count_peaks(&self->obs);
	if (!error)
		error = finish_neighbours(self);
	if (!error)
		error = far_ends_book(&self->names.far_ends, &self->obs);
	if (!error)
		error = flight_watch_sum(self);
	if (error)
		return error;
	finish_quality(self);
	host_watch_book(&self->host, &self->obs);
	return segments_sum(self);
}

int collect_finish(struct observer *observer, struct observation *obs)
{
	struct ebpf_observer *self = from_observer(observer);
	struct probe_bpf__bss *shared = self->probes->bss;
	uint64_t until_ns;
	struct wire_thread telling = { 0 };
	size_t exited_cnt, live_cnt;
	int error;

	__atomic_store_n(&shared->is_closing, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->is_observing, 0, __ATOMIC_SEQ_CST);
	until_ns = clock_ns(CLOCK_MONOTONIC);
	shared->observed_until_ns = until_ns;
	stacks_conclude(self, until_ns);
	await_dying(self);
	__atomic_store_n(&shared->is_closing, 0, __ATOMIC_SEQ_CST);
	host_watch_end(&self->host);
	ring_buffer__consume(self->events);
	far_ends_look(&self->names.far_ends, 0, FAR_ENDS_LOOK_LAST_NS, true);
	error = futex_names_look(&self->names.futexes, &self->obs, FUTEX_LOOK_LAST_NS);
	if (!error)
		error = collect_rows(self);
	if (!error)
		error = collect_holders(self);
	exited_cnt = self->obs.thread_cnt;
	if (!error)
		error = add_all_live(self, &telling);
	live_cnt = self->obs.thread_cnt - exited_cnt;
	if (!live_cnt && exited_cnt)
		until_ns = last_exit_ns(self);
	if (!error)
		error = self->error;
	if (!error)
		error = collect_complete(self, &telling, until_ns);
	if (!error)
		error = stacks_collect(self);
	if (error)
		return error;
	if (shared->live_cnt > live_cnt)
		self->obs.quality.lost_threads += shared->live_cnt - live_cnt;
	*obs = self->obs;
	observation_init(&self->obs);
	return 0;
}
