/* One observation through eBPF, shared by the parts of the observer: probes.c opens it, ebpf.c
 * follows the tree, collect.c takes the sums out. Internal to this directory. */
#ifndef CLASSIFY_SESSION_H
#define CLASSIFY_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flight.h"
#include "host_watch.h"
#include "lock_holders.h"
#include "memory_watch.h"
#include "object_names.h"
#include "observation/observation.h"
#include "observation/segment_log.h"
#include "observation/slice_log.h"
#include "observer.h"
#include "process_tree.h"
#include "sampling.h"
#include "wait_table.h"
#include "wire.h"

struct probe_bpf;
struct stack_worker;
struct ring_buffer;
struct bpf_link;

struct ebpf_observer {
	struct observer observer;
	struct probe_bpf *probes;
	struct ring_buffer *events;
	struct observation obs; /* as far as it is built */
	struct process_tree tree;
	struct wait_table waits;
	struct object_names names;
	struct lock_holders holders;
	struct host_watch host;
	struct memory_watch memory;
	struct flight flight;
	struct bpf_link *connections; /* the iterator that tells of them; NULL: there is none */
	uint64_t flight_due_ns;
	uint64_t files_due_ns; /* when to look at the files of those that were adopted; 0: never */
	struct sampling sampling;
	struct stack_worker *stacks; /* NULL: none are taken */
	void (*progress)(void *context, const char *what);
	void *progress_context;
	struct segment_log segments;
	struct slice_log slices;
	uint64_t segments_looked_ns; /* when they were, and how many came since */
	uint64_t segments_taken_cnt;
	uint64_t listed_at_ns; /* when the processes of the beginning had been listed */
	pid_t root;
	const char *cgroup; /* as in struct observer_options */
	int error;	    /* the first failure of an event handler */
};

static inline struct ebpf_observer *from_observer(const struct observer *observer)
{
	return (struct ebpf_observer *)observer;
}

/* Opens, loads and attaches the probes. Returns 0 or -errno, with cause and remedy in @why. */
int probes_open(struct ebpf_observer *self, const struct observer_options *options, char *why,
		size_t why_size);

/* An instant of the wire, since the beginning of the observation. */
uint64_t session_since_begin_ns(const struct ebpf_observer *self, uint64_t instant_ns);

/* Appends a thread's totals to the observation, and its unwritten waits to the table. */
int collect_thread(struct ebpf_observer *self, const struct wire_thread *wire, bool exited);

/* Runs the iterator that reads every followed thread. The caller frees @records, on error too.
 * Returns 0 or -errno. */
int collect_snapshot(struct ebpf_observer *self, struct wire_thread **records, size_t *cnt);

/* Moves all rows from the kernel's table of waits to ours. Returns 0 or -ENOMEM. */
int collect_rows(struct ebpf_observer *self);

/* The same of the kernel's table of who released locks. */
int collect_holders(struct ebpf_observer *self);

/* Adds copies of the rows of both to ours. They stay where they are. */
int collect_copy_rows(struct ebpf_observer *self);

/* Appends a thread that is alive, as a snapshot has it; the wait that it is in becomes a row like
 * any other. Returns 0 or -ENOMEM. */
int collect_live(struct ebpf_observer *self, const struct wire_thread *wire);

/*
 * Makes the observation complete, that all threads have been added to and all rows to the tables;
 * @telling is the thread whose open wait tells most, @until_ns the instant at which it ends.
 * Returns 0, -EAGAIN while the probes observe and are in the middle of adding up, or -errno.
 */
int collect_complete(struct ebpf_observer *self, const struct wire_thread *telling,
		     uint64_t until_ns);

/* observer_ops.peek */
int peek_collect(struct observer *observer, struct observation *obs);

/* observer_ops.finish */
int collect_finish(struct observer *observer, struct observation *obs);

#endif
