/*
 * How much memory the processes of the tree take, looked at a few times in the life of each: at the
 * end those of a wrapped command are gone. The largest values seen are kept in the observation.
 *
 * A look at /proc/PID/smaps_rollup goes through all pages of a process with its address space
 * locked against changes. It is taken of the largest only, and of none beyond
 * MEMORY_WALK_MAX_BYTES: for the others stands what /proc/PID/statm knows without looking, resident
 * less file-backed pages, as both values. That counts what a fork shares with its parent in full.
 */
#ifndef CLASSIFY_MEMORY_WATCH_H
#define CLASSIFY_MEMORY_WATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct observation;
struct obs_process;

#define MEMORY_WALK_MAX_BYTES (1ull << 30)

struct memory_plan {
	uint64_t from_ns; /* its birth, or when it was first seen to run another program */
	uint64_t next_ns;
	const char *exe;
	uint32_t look_cnt;
};

struct memory_watch {
	struct observation *obs;
	struct memory_plan *plans; /* parallel to obs->processes, as far as they go */
	size_t cnt;
	size_t capacity;
	size_t first_live; /* those before it have exited */
	size_t resume_at;  /* where the last look stopped; 0: it was complete */
	uint64_t next_ns;
	uint64_t spent_ns;
};

/* @obs must stay where it is until the release. */
void memory_watch_init(struct memory_watch *watch, struct observation *obs);

/* Looks at processes (those not marked exited) whose turn it is at @now_ns since the beginning, as
 * far as about 1% of a CPU allows. Without memory of its own it does nothing. */
void memory_watch_look(struct memory_watch *watch, uint64_t now_ns);

/* Accepts one that was never begun, all zero. */
void memory_watch_release(struct memory_watch *watch);

/* Reads what @pid takes into pss_bytes and private_bytes of @process, where that is more than they
 * have. Returns 0 or -errno. */
int memory_read_estimate(pid_t pid, struct obs_process *process);
int memory_read_pages(pid_t pid, struct obs_process *process);

#endif
