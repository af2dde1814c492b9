/* The eBPF observer: loads the probes, follows a tree, and turns what they counted into an
 * observation. */
#include "observer.h"
#include "inspect.h"
#include "observation/observation.h"
#include "syscalls.h"
#include "throttle.h"
#include "process_tree.h"
#include "wait_table.h"
#include "wire.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "probe.skel.h"

/* How often the ring buffer is drained: 4 MiB of it hold the deaths of 9,000 threads. */
#define DRAIN_INTERVAL_MS 20

struct ebpf_observer {
	struct observer observer;
	struct probe_bpf *probes;
	struct ring_buffer *events;
	struct observation obs; /* as far as it is built */
	struct process_tree tree;
	struct wait_table waits;
	uint64_t throttled_at_begin_ns;
	pid_t root;
	int error; /* the first -ENOMEM of an event handler */
	uint64_t lost_user_events;
};

static struct ebpf_observer *from_observer(const struct observer *observer)
{
	return (struct ebpf_observer *)observer;
}

/* The clock of bpf_ktime_get_ns(). */
static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* An instant of the wire, since the beginning of the observation. */
static uint64_t since_begin_ns(const struct ebpf_observer *self, uint64_t instant_ns)
{
	uint64_t from_ns = self->probes->bss->observed_from_ns;

	return instant_ns > from_ns ? instant_ns - from_ns : 0;
}

static const char *intern_comm(struct ebpf_observer *self, const char *comm)
{
	const char *copy = observation_intern(&self->obs, comm, strnlen(comm, WIRE_COMM_BYTES));

	return copy ? copy : "";
}

/* --- what the tree tells the probes --- */

static void on_gil_found(void *context, pid_t pid, const struct gil_range *range)
{
	struct ebpf_observer *self = context;
	struct wire_gil gil = {.start = range->start, .end = range->end};
	uint32_t tgid = (uint32_t)pid;

	bpf_map_update_elem(bpf_map__fd(self->probes->maps.gils), &tgid, &gil, BPF_ANY);
}

static void on_port_found(void *context, uint16_t port)
{
	struct ebpf_observer *self = context;
	uint32_t key = port;
	uint8_t one = 1;

	bpf_map_update_elem(bpf_map__fd(self->probes->maps.listening_ports), &key, &one, BPF_ANY);
}

/* --- what the probes tell us --- */

static int add_thread(struct ebpf_observer *self, const struct wire_thread *wire, bool exited)
{
	struct obs_thread *thread = observation_add_thread(&self->obs);

	if (!thread)
		return -ENOMEM;
	thread->tid = (pid_t)wire->tid;
	thread->pid = (pid_t)wire->tgid;
	thread->comm = intern_comm(self, wire->comm);
	thread->start_ns = since_begin_ns(self, wire->start_ns);
	thread->end_ns = since_begin_ns(self, wire->end_ns);
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
	thread->switch_cnt = wire->switch_cnt;
	thread->preempt_cnt = wire->preempt_cnt;
	return wait_table_add(&self->waits, &wire->pending_key, &wire->pending);
}

static int handle_exit(struct ebpf_observer *self, const struct wire_event_exit *event)
{
	pid_t pid = (pid_t)event->thread.tgid;

	if (event->thread.tid == event->thread.tgid) {
		uint32_t tgid = event->thread.tgid;

		process_tree_leader_died(&self->tree, pid);
		bpf_map_delete_elem(bpf_map__fd(self->probes->maps.gils), &tgid);
	}
	if (!observation_find_process(&self->obs, pid))
		process_tree_born(&self->tree, pid, pid, 0, event->thread.comm,
				  since_begin_ns(self, event->thread.start_ns));
	return add_thread(self, &event->thread, true);
}

static int handle_event(struct ebpf_observer *self, const struct wire_event *event)
{
	uint64_t at_ns = since_begin_ns(self, event->time_ns);

	switch (event->type) {
	case WIRE_EVENT_FORK:
		return process_tree_born(&self->tree, (pid_t)event->tgid, (pid_t)event->tid,
					 (pid_t)event->parent_tgid,
					 ((const struct wire_event_fork *)event)->comm, at_ns);
	case WIRE_EVENT_EXEC:
		return process_tree_exec(&self->tree, (pid_t)event->tgid,
					 ((const struct wire_event_exec *)event)->comm,
					 ((const struct wire_event_exec *)event)->filename, at_ns);
	case WIRE_EVENT_EXIT:
		return handle_exit(self, (const struct wire_event_exit *)event);
	case WIRE_EVENT_NAME:
		return wait_table_add_name(&self->waits, &self->obs,
					   (const struct wire_event_name *)event);
	}
	return 0;
}

static int on_event(void *context, void *data, size_t size)
{
	struct ebpf_observer *self = context;
	int error;

	if (size < sizeof(struct wire_event))
		return 0;
	error = handle_event(self, data);
	if (error && !self->error)
		self->error = error;
	return 0;
}

/* --- opening --- */

static int quiet_print(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int verbose_print(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, args);
}

/* Tracepoints that some kernels lack, and what is lost without them. */
static const struct {
	const char *tracepoint;
	const char *program;
	const char *loss;
} optional_probes[] = {
	{"sk_data_ready", "on_sk_data_ready",
	 "sk_data_ready: this kernel has no such tracepoint (6.3+): waits of event loops are "
	 "reported as poll, without their socket"},
	{"inet_sock_set_state", "on_inet_sock_set_state",
	 "inet_sock_set_state: this kernel has no such tracepoint: inbound connections may be "
	 "reported as outbound"},
	{"hrtimer_expire_entry", "on_hrtimer_expire_entry",
	 "hrtimer_expire_entry: this kernel has no such tracepoint: timeouts are reported as "
	 "what they waited for"},
};

static void choose_optional_probes(struct ebpf_observer *self, const struct btf *btf)
{
	for (size_t i = 0; i < sizeof(optional_probes) / sizeof(optional_probes[0]); i++) {
		char type[64];

		snprintf(type, sizeof(type), "btf_trace_%s", optional_probes[i].tracepoint);
		if (btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) >= 0)
			continue;
		bpf_program__set_autoload(bpf_object__find_program_by_name(
						  self->probes->obj, optional_probes[i].program),
					  false);
		observation_add_missing_probe(&self->obs, optional_probes[i].loss);
	}
}

static int load_error(int error, char *why, size_t why_size)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		snprintf(why, why_size,
			 "no rights to load BPF programs: run as root (sudo), or with CAP_BPF and "
			 "CAP_PERFMON");
		return -EPERM;
	case -ENOMEM:
		snprintf(why, why_size, "out of memory for BPF maps: raise 'ulimit -l'");
		return error;
	case -ENOTSUP:
		return error;
	default:
		snprintf(why, why_size,
			 "the kernel refused the probes (%s): it may be older than 5.15; -v shows "
			 "its words",
			 strerror(-error));
		return error;
	}
}

static int load_probes(struct ebpf_observer *self, const struct observer_options *options,
		       char *why, size_t why_size)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf) {
		snprintf(why, why_size,
			 "this kernel has no type information (/sys/kernel/btf/vmlinux): use one "
			 "built with CONFIG_DEBUG_INFO_BTF");
		return -ENOTSUP;
	}
	self->probes = probe_bpf__open();
	if (!self->probes) {
		btf__free(btf);
		return -errno;
	}
	choose_optional_probes(self, btf);
	btf__free(btf);
	self->probes->rodata->follow_children = options->follow_children;
	self->probes->rodata->begins_at_exec = options->begins_at_exec;
	syscall_table_fill((uint8_t *)self->probes->rodata->syscall_table);
	return probe_bpf__load(self->probes);
}

static int attach_probes(struct ebpf_observer *self)
{
	int error = probe_bpf__attach(self->probes);

	if (error)
		return error;
	self->events =
		ring_buffer__new(bpf_map__fd(self->probes->maps.events), on_event, self, NULL);
	return self->events ? 0 : -errno;
}

/* --- tracking --- */

/* Runs a task iterator to its end, collecting what it writes. Returns 0 or -errno; the caller frees
 * @records. */
static int iterate(struct bpf_link *link, struct wire_thread **records, size_t *cnt)
{
	size_t capacity = 64, used = 0;
	char *buffer = malloc(capacity * sizeof(struct wire_thread));
	int fd = bpf_iter_create(bpf_link__fd(link));
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

static int follow_root(struct ebpf_observer *self, pid_t pid)
{
	size_t size = bpf_map__value_size(self->probes->maps.tasks);
	struct wire_followed *value = calloc(1, size);
	int pidfd, error;

	if (!value)
		return -ENOMEM;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		free(value);
		return -errno;
	}
	value->is_followed = 1;
	error = bpf_map_update_elem(bpf_map__fd(self->probes->maps.tasks), &pidfd, value,
				    BPF_NOEXIST);
	close(pidfd);
	free(value);
	return error;
}

/* Adopts threads and children of the followed until a pass finds no more. */
static int seed(struct ebpf_observer *self)
{
	uint64_t before;

	do {
		struct wire_thread *none;
		size_t cnt;
		int error;

		before = self->probes->bss->seeded_cnt;
		error = iterate(self->probes->links.seed_tasks, &none, &cnt);
		free(none);
		if (error)
			return error;
	} while (self->probes->bss->seeded_cnt != before);
	return self->probes->bss->seeded_cnt ? 0 : -ESRCH;
}

/* The processes that are there at the beginning. */
static int list_seeded(struct ebpf_observer *self)
{
	struct wire_thread *records;
	size_t cnt;
	int error = iterate(self->probes->links.dump_tasks, &records, &cnt);

	for (size_t i = 0; i < cnt && !error; i++)
		if (records[i].tid == records[i].tgid &&
		    !observation_find_process(&self->obs, (pid_t)records[i].tgid))
			error = process_tree_born(&self->tree, (pid_t)records[i].tgid,
						  (pid_t)records[i].tid, 0, records[i].comm, 0);
	free(records);
	return error;
}

static int ebpf_track(struct observer *observer, pid_t pid)
{
	struct ebpf_observer *self = from_observer(observer);
	struct probe_bpf__bss *shared = self->probes->bss;
	int error;

	self->root = pid;
	inspect_host(&self->obs, pid);
	self->throttled_at_begin_ns = throttle_read_ns(pid);
	/* The root first, before anything is booked: the ports it listens on tell inbound from
	 * outbound. */
	error = process_tree_born(&self->tree, pid, pid, 0, "", 0);
	if (!error)
		process_tree_inspect_due(&self->tree, PROCESS_TREE_FIRST_LOOK_NS);
	if (!error)
		error = follow_root(self, pid);
	if (error)
		return error;
	shared->observed_from_ns = now_ns();
	shared->quiet_since_ns = shared->observed_from_ns;
	shared->quiet_until_ns = shared->observed_from_ns;
	shared->program_ns[WIRE_QUIET] = -shared->observed_from_ns;
	__atomic_store_n(&shared->is_observing, 1, __ATOMIC_SEQ_CST);
	error = seed(self);
	if (!error)
		error = list_seeded(self);
	if (!error)
		process_tree_inspect_due(&self->tree, PROCESS_TREE_FIRST_LOOK_NS);
	return error;
}

static int ebpf_poll_fd(const struct observer *observer)
{
	(void)observer;
	return -1;
}

static int ebpf_timeout_ms(const struct observer *observer)
{
	(void)observer;
	return DRAIN_INTERVAL_MS;
}

/* --- sums --- */

static bool process_is_gone(const struct ebpf_observer *self, uint32_t tgid)
{
	for (size_t i = self->obs.process_cnt; i-- > 0;)
		if (self->obs.processes[i].pid == (pid_t)tgid)
			return !self->tree.processes[i].is_live;
	return false;
}

/* Takes rows out of the kernel's table: all, or only those of processes that are gone. */
static int collect_rows(struct ebpf_observer *self, bool only_gone)
{
	int map = bpf_map__fd(self->probes->maps.waits);
	struct wire_wait_key key, next, *from = NULL;
	struct wire_wait_sum sum;
	int error = 0;

	while (!error && !bpf_map_get_next_key(map, from, &next)) {
		if (from && (!only_gone || process_is_gone(self, key.tgid)))
			bpf_map_delete_elem(map, &key);
		key = next;
		from = &key;
		if (only_gone && !process_is_gone(self, key.tgid))
			continue;
		if (!bpf_map_lookup_elem(map, &key, &sum))
			error = wait_table_add(&self->waits, &key, &sum);
	}
	return error;
}

static int ebpf_drain(struct observer *observer)
{
	struct ebpf_observer *self = from_observer(observer);
	uint32_t capacity = bpf_map__max_entries(self->probes->maps.waits);

	ring_buffer__consume(self->events);
	process_tree_inspect_due(&self->tree, since_begin_ns(self, now_ns()));
	if (self->probes->bss->wait_row_cnt > capacity / 2) {
		self->probes->bss->wait_row_cnt = 0;
		return collect_rows(self, true);
	}
	return self->error;
}

/* The threads that are alive at the end; their open waits become rows like any other. */
static int collect_live(struct ebpf_observer *self)
{
	struct wire_thread *records;
	size_t cnt;
	int error = iterate(self->probes->links.dump_tasks, &records, &cnt);

	for (size_t i = 0; i < cnt && !error; i++) {
		struct wire_wait_sum open = {.wait_ns = records[i].open_ns,
					     .wait_cnt = 1,
					     .max_ns = records[i].open_ns,
					     .quiet_ns = records[i].open_quiet_ns};

		if (!observation_find_process(&self->obs, (pid_t)records[i].tgid))
			process_tree_born(&self->tree, (pid_t)records[i].tgid,
					  (pid_t)records[i].tgid, 0, records[i].comm,
					  since_begin_ns(self, records[i].start_ns));
		error = add_thread(self, &records[i], false);
		if (!error && records[i].open_key.reason != WIRE_REASON_CNT)
			error = wait_table_add(&self->waits, &records[i].open_key, &open);
	}
	free(records);
	return error;
}

/* Totals of threads whose own record was dropped: one nameless thread stands for them. */
static int collect_orphans(struct ebpf_observer *self)
{
	struct wire_thread sum = {0};
	uint32_t zero = 0;

	if (!self->probes->bss->losses[WIRE_LOST_TOTALS])
		return 0;
	if (bpf_map_lookup_elem(bpf_map__fd(self->probes->maps.orphans), &zero, &sum))
		return -errno;
	sum.start_ns = self->probes->bss->observed_from_ns;
	sum.end_ns += sum.start_ns;
	sum.tgid = (uint32_t)self->root;
	memset(&sum.pending, 0, sizeof(sum.pending));
	return add_thread(self, &sum, true);
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
	program->computing_ns = total_ns[WIRE_COMPUTING];
	program->starved_ns = total_ns[WIRE_STARVED];
	program->quiet_ns = total_ns[WIRE_QUIET];
	if (state == WIRE_QUIET && until_ns > shared->quiet_since_ns)
		program->quiet_open_ns = until_ns - shared->quiet_since_ns;
}

/* How telling a wait is of what the tree as a whole waits for, when nothing has ended it yet:
 * the outside world first, then clocks, then work to come, then each other. */
static int open_wait_rank(const struct wire_wait_key *key)
{
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

/* A quiet stretch that is still open has no wakeup to charge it to: the most telling of the open
 * waits stands for it. The rows of open waits are the last @cnt. */
static void charge_open_quiet(struct ebpf_observer *self, size_t first_open)
{
	struct wait_row *best = NULL;

	for (size_t i = first_open; i < self->waits.cnt; i++) {
		struct wait_row *row = &self->waits.rows[i];

		if (!best || open_wait_rank(&row->key) > open_wait_rank(&best->key))
			best = row;
	}
	if (best)
		best->sum.quiet_ns += self->obs.program.quiet_open_ns;
}

static void finish_processes(struct ebpf_observer *self)
{
	struct observation *obs = &self->obs;

	for (size_t i = 0; i < obs->process_cnt; i++)
		obs->processes[i].exited = true;
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		struct obs_process *process = observation_find_process(obs, obs->threads[i].pid);

		if (!process)
			continue;
		if (obs->threads[i].end_ns > process->end_ns)
			process->end_ns = obs->threads[i].end_ns;
		process->exited &= obs->threads[i].exited;
	}
}

static void finish_quality(struct ebpf_observer *self)
{
	const struct probe_bpf__bss *shared = self->probes->bss;
	struct obs_quality *quality = &self->obs.quality;

	for (int i = 0; i < WIRE_LOSS_CNT; i++)
		quality->lost_events += shared->losses[i];
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

static int ebpf_finish(struct observer *observer, struct observation *obs)
{
	struct ebpf_observer *self = from_observer(observer);
	struct probe_bpf__bss *shared = self->probes->bss;
	uint64_t until_ns, throttled_ns;
	size_t first_open, exited_cnt;
	int error;

	__atomic_store_n(&shared->is_observing, 0, __ATOMIC_SEQ_CST);
	until_ns = now_ns();
	shared->observed_until_ns = until_ns;
	throttled_ns = throttle_read_ns(self->root);
	ring_buffer__consume(self->events);
	error = collect_rows(self, false);
	first_open = self->waits.cnt;
	exited_cnt = self->obs.thread_cnt;
	if (!error)
		error = collect_live(self);
	if (self->obs.thread_cnt == exited_cnt && exited_cnt)
		until_ns = last_exit_ns(self);
	if (!error)
		error = collect_orphans(self);
	if (error || self->error)
		return error ? error : self->error;
	collect_program_time(self, until_ns);
	charge_open_quiet(self, first_open);
	self->obs.source = SOURCE_EBPF;
	self->obs.duration_ns = since_begin_ns(self, until_ns);
	error = wait_table_finish(&self->waits, &self->tree, &self->obs);
	if (error)
		return error;
	finish_processes(self);
	finish_quality(self);
	if (throttled_ns > self->throttled_at_begin_ns)
		throttle_book(&self->obs, throttled_ns - self->throttled_at_begin_ns);
	*obs = self->obs;
	observation_init(&self->obs);
	return 0;
}

static void ebpf_free(struct observer *observer)
{
	struct ebpf_observer *self = from_observer(observer);

	ring_buffer__free(self->events);
	probe_bpf__destroy(self->probes);
	wait_table_release(&self->waits);
	process_tree_release(&self->tree);
	observation_release(&self->obs);
	free(self);
}

static const struct observer_ops ebpf_ops = {
	.track = ebpf_track,
	.poll_fd = ebpf_poll_fd,
	.timeout_ms = ebpf_timeout_ms,
	.drain = ebpf_drain,
	.finish = ebpf_finish,
	.free = ebpf_free,
};

struct observer *ebpf_observer_new(const struct observer_options *options, int *error, char *why,
				   size_t why_size)
{
	struct ebpf_observer *self = calloc(1, sizeof(*self));
	struct tree_listener listener = {on_gil_found, on_port_found, self};

	why[0] = 0;
	if (!self) {
		*error = -ENOMEM;
		return NULL;
	}
	self->observer.ops = &ebpf_ops;
	observation_init(&self->obs);
	process_tree_init(&self->tree, &self->obs, &listener);
	libbpf_set_print(options->is_verbose ? verbose_print : quiet_print);
	*error = load_probes(self, options, why, why_size);
	if (!*error)
		*error = attach_probes(self);
	if (*error) {
		*error = load_error(*error, why, why_size);
		ebpf_free(&self->observer);
		return NULL;
	}
	return &self->observer;
}
