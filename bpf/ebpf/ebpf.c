/* The eBPF observer: follows a tree with the probes and hears what they tell of it. */
#include "inspect.h"
#include "clock.h"
#include "session.h"
#include "flight_watch.h"
#include "segments.h"
#include "stacks.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "probe.skel.h"

/* How often the ring buffer is drained: 4 MiB of it hold the deaths of 9,000 threads. */
#define DRAIN_INTERVAL_MS 20
/* Of that, at most so much for looking up what lies at the addresses of futexes. */
#define FUTEX_LOOK_NS 3000000ull

/* --- what the tree tells the probes --- */

static void on_gil_found(void *context, pid_t pid, const struct gil_range *range)
{
	struct ebpf_observer *self = context;
	struct wire_gil gil = { .start = range->start,
				.end = range->end,
				.thread_id_offset = range->thread_id_offset };
	uint32_t tgid = (uint32_t)pid;

	bpf_map_update_elem(bpf_map__fd(self->probes->maps.gils), &tgid, &gil, BPF_ANY);
}

/* Told again now and then. */
static void on_port_found(void *context, uint32_t netns, uint16_t port)
{
	struct ebpf_observer *self = context;
	struct probe_bpf__bss *shared = self->probes->bss;
	struct wire_port key = { .netns = netns, .port = port };
	uint8_t known = 1;
	int error = bpf_map_update_elem(bpf_map__fd(self->probes->maps.listening_ports), &key,
					&known, BPF_NOEXIST);

	if (error == -E2BIG)
		__atomic_fetch_add(&shared->losses[WIRE_LOST_PORT], 1, __ATOMIC_RELAXED);
	if (error)
		return;
	__atomic_fetch_or(&shared->listening_filter[port / 64], 1ull << port % 64,
			  __ATOMIC_RELAXED);
	__atomic_fetch_add(&shared->ports_generation, 1, __ATOMIC_RELAXED);
}

static void on_inspected(void *context, pid_t pid)
{
	struct ebpf_observer *self = context;

	host_watch_process(&self->host, pid);
}

/* --- what the probes tell us --- */

/* How the root ended: when it isn't our child, nobody else can tell us. */
static void note_root_exit(struct ebpf_observer *self, uint32_t exit_code)
{
	struct obs_target *target = &self->obs.target;

	target->has_exited = true;
	target->was_signaled = exit_code & 0x7f;
	target->exit_code = (int)(target->was_signaled ? exit_code & 0x7f : exit_code >> 8 & 0xff);
}

static int handle_exit(struct ebpf_observer *self, const struct wire_event_exit *event)
{
	pid_t pid = (pid_t)event->thread.tgid;

	if (event->thread.tid == event->thread.tgid) {
		uint32_t tgid = event->thread.tgid;

		process_tree_leader_died(&self->tree, pid);
		bpf_map_delete_elem(bpf_map__fd(self->probes->maps.gils), &tgid);
		bpf_map_delete_elem(bpf_map__fd(self->probes->maps.pythons), &tgid);
		if (pid == self->root && !self->cgroup)
			note_root_exit(self, event->exit_code);
	}
	if (!process_tree_knows(&self->tree, pid))
		process_tree_born(&self->tree, pid, pid, 0, event->thread.comm,
				  session_since_begin_ns(self, event->thread.start_ns));
	return collect_thread(self, &event->thread, true);
}

/* Also told of processes that the list of the first ones (list_seeded) has already. */
static int handle_fork(struct ebpf_observer *self, const struct wire_event_fork *fork)
{
	const struct wire_event *event = &fork->event;

	if (event->tid == event->tgid && event->time_ns < self->listed_at_ns &&
	    process_tree_knows(&self->tree, (pid_t)event->tgid))
		return 0;
	return process_tree_born(&self->tree, (pid_t)event->tgid, (pid_t)event->tid,
				 (pid_t)event->parent_tgid, fork->comm,
				 session_since_begin_ns(self, event->time_ns));
}

/* The probes have forgotten the GIL already, but a fork's event may have told them its parent's
 * since. */
static int handle_exec(struct ebpf_observer *self, const struct wire_event_exec *exec)
{
	const struct wire_event *event = &exec->event;

	bpf_map_delete_elem(bpf_map__fd(self->probes->maps.gils), &event->tgid);
	return process_tree_exec(&self->tree, (pid_t)event->tgid, exec->comm, exec->filename,
				 session_since_begin_ns(self, event->time_ns));
}

static int handle_event(struct ebpf_observer *self, const struct wire_event *event)
{
	switch (event->type) {
	case WIRE_EVENT_FORK:
		return handle_fork(self, (const struct wire_event_fork *)event);
	case WIRE_EVENT_EXEC:
		return handle_exec(self, (const struct wire_event_exec *)event);
	case WIRE_EVENT_EXIT:
		return handle_exit(self, (const struct wire_event_exit *)event);
	case WIRE_EVENT_NAME:
		return object_names_add(&self->names, &self->obs,
					(const struct wire_event_name *)event);
	case WIRE_EVENT_FUTEX:
		return futex_names_ask(&self->names.futexes,
				       (const struct wire_event_futex *)event);
	case WIRE_EVENT_ENDPOINT:
		return object_names_ask_far_end(&self->names, &self->obs,
						(const struct wire_event_endpoint *)event);
	case WIRE_EVENT_SEGMENT:
		segments_take(self, (const struct wire_event_segment *)event);
		return 0;
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

/* --- tracking --- */

/* Returns 0, -EEXIST when it is followed already, -ESRCH when it is gone, or -errno. */
static int follow_process(struct ebpf_observer *self, pid_t pid)
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

/* Runs an iterator that writes nothing: reading it is what runs it. */
static int run_iterator(const struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	ssize_t got;
	char none;

	if (fd < 0)
		return -errno;
	do
		got = read(fd, &none, sizeof(none));
	while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
	close(fd);
	return got < 0 ? -errno : 0;
}

/* Adopts threads and children of the followed until a pass finds no more. */
static int seed(struct ebpf_observer *self)
{
	const struct probe_bpf__bss *shared = self->probes->bss;
	uint64_t before;
	int error;

	do {
		before = shared->seeded_cnt;
		error = run_iterator(self->probes->links.seed_tasks);
	} while (!error && shared->seeded_cnt != before);
	return error;
}

/*
 * Connections and event loops that the adopted have already are looked for once their listening
 * ports are known, which tell inbound from outbound.
 */
static void seed_files_later(struct ebpf_observer *self)
{
	self->files_due_ns = clock_ns(CLOCK_MONOTONIC) + PROCESS_TREE_FIRST_LOOK_NS;
}

static int seed_files(struct ebpf_observer *self, uint64_t now_ns)
{
	if (!self->files_due_ns || now_ns < self->files_due_ns)
		return 0;
	self->files_due_ns = 0;
	return run_iterator(self->probes->links.seed_files);
}

/* The processes that seed() has found, at the beginning or at @at_ns since. Returns 0, -ESRCH when
 * none is followed, or -errno. */
static int list_seeded(struct ebpf_observer *self, uint64_t at_ns)
{
	struct wire_thread *records;
	size_t cnt;
	int error = collect_snapshot(self, &records, &cnt);

	for (size_t i = 0; i < cnt && !error; i++)
		if (records[i].tid == records[i].tgid &&
		    !process_tree_has(&self->tree, (pid_t)records[i].tgid))
			error = process_tree_born(&self->tree, (pid_t)records[i].tgid,
						  (pid_t)records[i].tid, 0, records[i].comm, at_ns);
	free(records);
	self->listed_at_ns = clock_ns(CLOCK_MONOTONIC);
	return error || cnt ? error : -ESRCH;
}

static int ebpf_track(struct observer *observer, pid_t pid)
{
	struct ebpf_observer *self = from_observer(observer);
	struct probe_bpf__bss *shared = self->probes->bss;
	int error;

	self->root = pid;
	host_watch_begin(&self->host, &self->obs, pid, self->cgroup);
	/* The root first, before anything is booked: the ports it listens on tell inbound from
	 * outbound. */
	error = process_tree_born(&self->tree, pid, pid, 0, "", 0);
	if (!error)
		process_tree_inspect_due(&self->tree, PROCESS_TREE_FIRST_LOOK_NS);
	if (!error)
		error = follow_process(self, pid);
	if (error)
		return error;
	shared->observed_from_ns = clock_ns(CLOCK_MONOTONIC);
	shared->quiet_since_ns = shared->observed_from_ns;
	shared->quiet_until_ns = shared->observed_from_ns;
	shared->program_ns[WIRE_QUIET] = -shared->observed_from_ns;
	__atomic_store_n(&shared->is_observing, 1, __ATOMIC_SEQ_CST);
	error = seed(self);
	if (!error)
		error = list_seeded(self, 0);
	/* The rest of a cgroup is about to be adopted, and shouldn't have to wait. */
	if (!error && !self->cgroup)
		process_tree_inspect_due(&self->tree, PROCESS_TREE_FIRST_LOOK_NS);
	if (!error)
		error = flight_watch_begin(self, clock_ns(CLOCK_MONOTONIC));
	/* A command that is yet to run exec has nothing open that matters. */
	if (!error && !self->probes->rodata->begins_at_exec)
		seed_files_later(self);
	return error;
}

static int ebpf_adopt(struct observer *observer, const pid_t *pids, size_t cnt)
{
	struct ebpf_observer *self = from_observer(observer);
	uint64_t now_ns = session_since_begin_ns(self, clock_ns(CLOCK_MONOTONIC));
	size_t adopted_cnt = 0;
	int error = 0;

	for (size_t i = 0; i < cnt && !error; i++) {
		error = follow_process(self, pids[i]);
		adopted_cnt += !error;
		if (error == -EEXIST || error == -ESRCH)
			error = 0;
	}
	if (error || !adopted_cnt)
		return error;
	/* What was born and died before has been told of. While nobody was there, nobody waited. */
	ring_buffer__consume(self->events);
	if (!self->probes->bss->live_cnt)
		self->probes->bss->quiet_since_ns = clock_ns(CLOCK_MONOTONIC);
	error = seed(self);
	if (!error)
		error = list_seeded(self, now_ns);
	if (!error)
		seed_files_later(self);
	return error == -ESRCH ? 0 : error;
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

static int ebpf_drain(struct observer *observer)
{
	struct ebpf_observer *self = from_observer(observer);
	uint64_t now_ns = session_since_begin_ns(self, clock_ns(CLOCK_MONOTONIC));
	uint32_t capacity = bpf_map__max_entries(self->probes->maps.waits);

	ring_buffer__consume(self->events);
	segments_look(self, clock_ns(CLOCK_MONOTONIC));
	stacks_look(self);
	process_tree_inspect_due(&self->tree, now_ns);
	host_watch_look(&self->host, now_ns);
	memory_watch_look(&self->memory, now_ns);
	far_ends_look(&self->names.far_ends, now_ns, FAR_ENDS_LOOK_NS, false);
	if (!self->error)
		self->error = futex_names_look(&self->names.futexes, &self->obs, FUTEX_LOOK_NS);
	if (!self->error)
		self->error = seed_files(self, clock_ns(CLOCK_MONOTONIC));
	if (!self->error)
		self->error = flight_watch_look(self, clock_ns(CLOCK_MONOTONIC));
	if (!self->error && self->probes->bss->wait_row_cnt > capacity / 2)
		self->error = collect_rows(self);
	if (!self->error && self->probes->bss->holder_row_cnt >
				    bpf_map__max_entries(self->probes->maps.holders) / 2)
		self->error = collect_holders(self);
	return self->error;
}

static void ebpf_free(struct observer *observer)
{
	struct ebpf_observer *self = from_observer(observer);

	stacks_end(self);
	ring_buffer__free(self->events);
	flight_watch_release(self);
	sampling_end(&self->sampling);
	probe_bpf__destroy(self->probes);
	wait_table_release(&self->waits);
	object_names_release(&self->names);
	lock_holders_release(&self->holders);
	process_tree_release(&self->tree);
	host_watch_release(&self->host);
	memory_watch_release(&self->memory);
	observation_release(&self->obs);
	free(self);
}

static const struct observer_ops ebpf_ops = {
	.track = ebpf_track,
	.adopt = ebpf_adopt,
	.poll_fd = ebpf_poll_fd,
	.timeout_ms = ebpf_timeout_ms,
	.drain = ebpf_drain,
	.peek = peek_collect,
	.finish = collect_finish,
	.free = ebpf_free,
};

struct observer *ebpf_observer_new(const struct observer_options *options, int *error, char *why,
				   size_t why_size)
{
	struct ebpf_observer *self = calloc(1, sizeof(*self));
	struct tree_listener listener = { on_gil_found, on_port_found, self, on_inspected };

	why[0] = 0;
	if (!self) {
		*error = -ENOMEM;
		return NULL;
	}
	self->observer.ops = &ebpf_ops;
	self->cgroup = options->cgroup;
	observation_init(&self->obs);
	segment_log_init(&self->segments);
	process_tree_init(&self->tree, &self->obs, &listener);
	far_ends_init(&self->names.far_ends, &self->obs);
	memory_watch_init(&self->memory, &self->obs);
	self->progress = options->progress;
	self->progress_context = options->progress_context;
	*error = probes_open(self, options, why, why_size);
	if (!*error && options->takes_stacks)
		*error = stacks_begin(self);
	if (!*error) {
		self->events = ring_buffer__new(bpf_map__fd(self->probes->maps.events), on_event,
						self, NULL);
		*error = self->events ? 0 : -errno;
	}
	if (*error) {
		if (!why[0])
			snprintf(why, why_size, "eBPF: %s", strerror(-*error));
		ebpf_free(&self->observer);
		return NULL;
	}
	return &self->observer;
}
