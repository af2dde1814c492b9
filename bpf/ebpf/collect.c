/* Taking the sums out of the kernel and making the observation of them. */
#include "session.h"
#include "flight_watch.h"
#include "observation/lives.h"
#include "wait_convert.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "probe.skel.h"

/* How long finishing waits for threads that are dying: on a loaded machine they may be preempted
 * on their way out. */
#define DYING_MAX_NS 100000000ull
/* How long it looks up what lies at the addresses of futexes that were met last. */
#define FUTEX_LOOK_LAST_NS 20000000ull

uint64_t session_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

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

/*
 * Rows that live threads add to meanwhile lose nothing but what falls between two instructions, and
 * that only of the object: totals by reason are kept per thread.
 */
int collect_rows(struct ebpf_observer *self)
{
	int map = bpf_map__fd(self->probes->maps.waits);
	struct wire_wait_key keys[ROWS_PER_BATCH];
	struct wire_wait_sum sums[ROWS_PER_BATCH];
	uint32_t position, cnt;
	void *from = NULL;
	int got, error = 0;

	self->probes->bss->wait_row_cnt = 0;
	do {
		cnt = ROWS_PER_BATCH;
		got = bpf_map_lookup_and_delete_batch(map, from, &position, keys, sums, &cnt, NULL);
		/* -ENOENT: these were the last. Any other failure gave none. */
		if (got && got != -ENOENT)
			return got;
		from = &position;
		for (uint32_t i = 0; i < cnt && !error; i++)
			error = wait_table_add(&self->waits, &keys[i], &sums[i]);
	} while (!error && !got);
	return error;
}

int collect_holders(struct ebpf_observer *self)
{
	int map = bpf_map__fd(self->probes->maps.holders);
	struct wire_holder_key keys[ROWS_PER_BATCH];
	struct wire_holder_sum sums[ROWS_PER_BATCH];
	uint32_t position, cnt;
	void *from = NULL;
	int got, error = 0;

	self->probes->bss->holder_row_cnt = 0;
	do {
		cnt = ROWS_PER_BATCH;
		got = bpf_map_lookup_and_delete_batch(map, from, &position, keys, sums, &cnt, NULL);
		if (got && got != -ENOENT)
			return got;
		from = &position;
		for (uint32_t i = 0; i < cnt && !error; i++)
			error = lock_holders_add(&self->holders, &keys[i], &sums[i]);
	} while (!error && !got);
	return error;
}

/* Waits for each other say nothing of what the tree as a whole waits for; they and what ticks have
 * no claim on the ticks of others. */
#define TELLING_RANK 2

/* How telling an open wait is of what the tree as a whole waits for, when nothing has ended it yet:
 * the outside world first, then clocks, then work to come, then each other, last what ticks; but a
 * server's loop that looks up now and then is still at its work. */
static int open_wait_rank(const struct wire_thread *wire)
{
	const struct wire_wait_key *key = &wire->open_key;

	if (key->reason == WIRE_REASON_CNT)
		return -1;
	if (wire->ticked_ns && key->reason != WIRE_ACCEPT && key->reason != WIRE_POLL)
		return 0;
	switch (key->reason) {
	case WIRE_NETWORK:
	case WIRE_DISK:
	case WIRE_DEVICE:
	case WIRE_PAGING:
		return 6;
	case WIRE_IPC:
		return key->kind == WIRE_KIND_SYSCALL ? 2 : 5; /* 2: for a signal, as masters do */
	case WIRE_TIMER:
		return 4;
	case WIRE_ACCEPT:
	case WIRE_TTY:
	case WIRE_POLL:
		return 3;
	case WIRE_STOPPED:
		return 2;
	default:
		return 1;
	}
}

/* Books a thread that is alive at the end; the wait it is in becomes a row like any other. */
static int add_live(struct ebpf_observer *self, const struct wire_thread *wire)
{
	struct wire_wait_sum open = { .wait_ns = wire->open_ns,
				      .wait_cnt = 1,
				      .max_ns = wire->open_ns,
				      .quiet_ns = wire->open_quiet_ns };
	int error = 0;

	if (!process_tree_knows(&self->tree, (pid_t)wire->tgid))
		error = process_tree_born(&self->tree, (pid_t)wire->tgid, (pid_t)wire->tgid, 0,
					  wire->comm, session_since_begin_ns(self, wire->start_ns));
	if (!error)
		error = collect_thread(self, wire, false);
	if (!error && wire->open_key.reason != WIRE_REASON_CNT)
		error = wait_table_add(&self->waits, &wire->open_key, &open);
	return error;
}

/* The threads that are alive at the end. @telling becomes the one whose open wait tells most. */
static int collect_live(struct ebpf_observer *self, struct wire_thread *telling)
{
	struct wire_thread *records;
	size_t cnt;
	int error = collect_snapshot(self, &records, &cnt);

	telling->open_key.reason = WIRE_REASON_CNT;
	for (size_t i = 0; i < cnt && !error; i++) {
		error = add_live(self, &records[i]);
		if (open_wait_rank(&records[i]) > open_wait_rank(telling))
			*telling = records[i];
	}
	free(records);
	return error;
}

/* As the probes have it, see wake_charge. */
static bool is_for_work(const struct wire_wait_key *key)
{
	return key->reason == WIRE_ACCEPT || key->reason == WIRE_TTY;
}

/* A quiet stretch that is still open has no wakeup to charge it to: the most telling of the open
 * waits stands for it, and claims the ticks since it began. */
static int charge_open_quiet(struct ebpf_observer *self, const struct wire_thread *telling)
{
	struct probe_bpf__bss *shared = self->probes->bss;
	struct wire_wait_sum quiet = { .quiet_ns = self->obs.program.quiet_open_ns };
	int64_t left_ns = (int64_t)(shared->ticked_ns - shared->claimed_ns);
	uint64_t claim_ns = telling->open_ticked_ns;

	if (telling->open_key.reason == WIRE_REASON_CNT)
		return 0;
	if (left_ns <= 0 || telling->ticked_ns || open_wait_rank(telling) < TELLING_RANK)
		claim_ns = 0;
	else if (claim_ns > (uint64_t)left_ns)
		claim_ns = (uint64_t)left_ns;
	if (is_for_work(&telling->open_key)) {
		quiet.ticked_ns = claim_ns;
		shared->ticks_before_work_ns += claim_ns;
	} else {
		quiet.quiet_ns += claim_ns;
		shared->claimed_ns += claim_ns;
	}
	return wait_table_add(&self->waits, &telling->open_key, &quiet);
}

/*
 * What nobody took from the pool goes back: to work that arrived, what it put there and the ticks
 * before it; to ticks, the rest of theirs; to each row its part.
 */
static void return_pool(struct ebpf_observer *self)
{
	const struct probe_bpf__bss *shared = self->probes->bss;
	double left_ns = (double)(int64_t)(shared->ticked_ns - shared->claimed_ns);
	double ticks_ns = 0, work_ns = 0, ticks_part;

	for (size_t i = 0; i < self->waits.cnt; i++) {
		const struct wait_row *row = &self->waits.rows[i];

		*(is_for_work(&row->key) ? &work_ns : &ticks_ns) += (double)row->sum.ticked_ns;
	}
	ticks_part = ticks_ns > 0 ? 1 - (double)shared->ticks_before_work_ns / ticks_ns : 0;
	if (ticks_part < 0)
		ticks_part = 0;
	if (left_ns <= 0 || work_ns + ticks_part * ticks_ns <= 0)
		return;
	left_ns /= work_ns + ticks_part * ticks_ns;
	for (size_t i = 0; i < self->waits.cnt; i++) {
		struct wait_row *row = &self->waits.rows[i];
		double part = is_for_work(&row->key) ? left_ns : left_ns * ticks_part;

		row->sum.quiet_ns += (uint64_t)(part * (double)row->sum.ticked_ns);
	}
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

/* Stamps taken on two CPUs may be out of order by a little, and a state that lasted no time then
 * comes out below zero: it takes that from computing, and computing from quiet. */
static void level_program_time(uint64_t *total_ns)
{
	static const enum wire_program_state taken[] = { WIRE_QUIET, WIRE_STARVED, WIRE_COMPUTING };
	static const enum wire_program_state from[] = { WIRE_COMPUTING, WIRE_COMPUTING,
							WIRE_QUIET };

	for (int i = 0; i < WIRE_PROGRAM_STATE_CNT; i++) {
		if ((int64_t)total_ns[taken[i]] >= 0)
			continue;
		total_ns[from[i]] += total_ns[taken[i]];
		total_ns[taken[i]] = 0;
	}
}

static void collect_program_time(struct ebpf_observer *self, uint64_t until_ns)
{
	const struct probe_bpf__bss *shared = self->probes->bss;
	struct obs_program *program = &self->obs.program;
	uint64_t active = shared->active_cnt;
	uint64_t total_ns[WIRE_PROGRAM_STATE_CNT];
	uint32_t state = active >> 32 ? WIRE_COMPUTING : active ? WIRE_STARVED : WIRE_QUIET;

	for (int i = 0; i < WIRE_PROGRAM_STATE_CNT; i++)
		total_ns[i] = shared->program_ns[i];
	total_ns[state] += until_ns;
	level_program_time(total_ns);
	program->computing_ns = total_ns[WIRE_COMPUTING];
	program->starved_ns = total_ns[WIRE_STARVED];
	program->quiet_ns = total_ns[WIRE_QUIET];
	if (state == WIRE_QUIET && until_ns > shared->quiet_since_ns)
		program->quiet_open_ns = until_ns - shared->quiet_since_ns;
}

/* A process by number and birth: numbers are used again. */
struct process_ref {
	pid_t pid;
	uint64_t start_ns;
	struct obs_process *process;
};

static int compare_refs(const void *a, const void *b)
{
	const struct process_ref *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* The process of @thread: of those with its number the youngest that is not younger than it. */
static struct obs_process *process_of(const struct process_ref *refs, size_t cnt,
				      const struct obs_thread *thread)
{
	struct process_ref wanted = { .pid = thread->pid, .start_ns = thread->start_ns };
	size_t low = 0, high = cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_refs(&refs[middle], &wanted) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && refs[low - 1].pid == thread->pid)
		return refs[low - 1].process;
	return low < cnt && refs[low].pid == thread->pid ? refs[low].process : NULL;
}

/* When each process ended, from its threads. One of which no thread is known lives on. */
static int finish_processes(struct observation *obs)
{
	struct process_ref *refs = calloc(obs->process_cnt + 1, sizeof(*refs));

	if (!refs)
		return -ENOMEM;
	for (size_t i = 0; i < obs->process_cnt; i++) {
		struct obs_process *process = &obs->processes[i];

		refs[i] = (struct process_ref){ process->pid, process->start_ns, process };
		process->exited = true;
	}
	qsort(refs, obs->process_cnt, sizeof(*refs), compare_refs);
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		const struct obs_thread *thread = &obs->threads[i];
		struct obs_process *process = process_of(refs, obs->process_cnt, thread);

		if (!process)
			continue;
		if (thread->end_ns > process->end_ns)
			process->end_ns = thread->end_ns;
		process->exited &= thread->exited;
	}
	free(refs);
	for (size_t i = 0; i < obs->process_cnt; i++) {
		if (obs->processes[i].end_ns)
			continue;
		obs->processes[i].end_ns = obs->duration_ns;
		obs->processes[i].exited = false;
	}
	return 0;
}

static int finish_peaks(struct observation *obs)
{
	struct life *threads = calloc(2 * obs->thread_cnt + 1, sizeof(*threads));
	struct life *processes = calloc(2 * obs->process_cnt + 1, sizeof(*processes));

	if (!threads || !processes) {
		free(threads);
		free(processes);
		return -ENOMEM;
	}
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		threads[2 * i] = (struct life){ obs->threads[i].start_ns, 1 };
		threads[2 * i + 1] = (struct life){ obs->threads[i].end_ns, -1 };
	}
	for (size_t i = 0; i < obs->process_cnt; i++) {
		processes[2 * i] = (struct life){ obs->processes[i].start_ns, 1 };
		processes[2 * i + 1] = (struct life){ obs->processes[i].end_ns, -1 };
	}
	obs->threads_peak = lives_peak(threads, 2 * obs->thread_cnt);
	obs->processes_peak = lives_peak(processes, 2 * obs->process_cnt);
	free(threads);
	free(processes);
	return 0;
}

/* @live_cnt: how many threads were alive at the end, and read. */
static void finish_quality(struct ebpf_observer *self, size_t live_cnt)
{
	const struct probe_bpf__bss *shared = self->probes->bss;
	struct obs_quality *quality = &self->obs.quality;

	for (int i = 0; i < WIRE_LOSS_CNT; i++)
		quality->lost_events += shared->losses[i];
	quality->lost_threads = shared->losses[WIRE_LOST_THREAD];
	if (shared->live_cnt > live_cnt)
		quality->lost_threads += shared->live_cnt - live_cnt;
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
	uint64_t deadline_ns = session_now_ns() + DYING_MAX_NS;
	struct wire_thread *records;
	size_t cnt;
	int error;

	do {
		error = collect_snapshot(self, &records, &cnt);
		free(records);
		if (error || __atomic_load_n(&self->probes->bss->live_cnt, __ATOMIC_ACQUIRE) <= cnt)
			return;
		sched_yield();
	} while (session_now_ns() < deadline_ns);
}

/* The wall clock's time of the beginning. */
static int64_t started_at_unix_ns(const struct ebpf_observer *self)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec -
	       (int64_t)session_since_begin_ns(self, session_now_ns());
}

int collect_finish(struct observer *observer, struct observation *obs)
{
	struct ebpf_observer *self = from_observer(observer);
	struct probe_bpf__bss *shared = self->probes->bss;
	uint64_t until_ns, throttled_ns;
	struct wire_thread telling = { 0 };
	size_t exited_cnt, live_cnt;
	int error;

	__atomic_store_n(&shared->is_closing, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->is_observing, 0, __ATOMIC_SEQ_CST);
	until_ns = session_now_ns();
	shared->observed_until_ns = until_ns;
	await_dying(self);
	__atomic_store_n(&shared->is_closing, 0, __ATOMIC_SEQ_CST);
	throttled_ns = host_watch_throttled_ns(&self->host);
	ring_buffer__consume(self->events);
	far_ends_look(&self->names.far_ends, 0, FAR_ENDS_LOOK_LAST_NS, true);
	error = futex_names_look(&self->names.futexes, &self->obs, FUTEX_LOOK_LAST_NS);
	if (!error)
		error = collect_rows(self);
	if (!error)
		error = collect_holders(self);
	exited_cnt = self->obs.thread_cnt;
	if (!error)
		error = collect_live(self, &telling);
	live_cnt = self->obs.thread_cnt - exited_cnt;
	if (!live_cnt && exited_cnt)
		until_ns = last_exit_ns(self);
	if (!error)
		error = collect_orphans(self);
	if (error || self->error)
		return error ? error : self->error;
	collect_program_time(self, until_ns);
	error = charge_open_quiet(self, &telling);
	if (error)
		return error;
	return_pool(self);
	self->obs.source = SOURCE_EBPF;
	self->obs.started_at_unix_ns = started_at_unix_ns(self);
	self->obs.duration_ns = session_since_begin_ns(self, until_ns);
	error = wait_convert(&self->waits, &self->names, &self->tree, &self->obs);
	if (!error)
		error = lock_holders_convert(&self->holders, &self->names, &self->tree, &self->obs);
	if (!error)
		error = finish_processes(&self->obs);
	if (!error)
		error = finish_peaks(&self->obs);
	if (error)
		return error;
	flight_watch_finish(self);
	finish_quality(self, live_cnt);
	cgroup_throttle_book(&self->obs, throttled_ns);
	*obs = self->obs;
	observation_init(&self->obs);
	return 0;
}
