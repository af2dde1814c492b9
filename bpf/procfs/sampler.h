/*
 * The sampler's own picture of the tree. Private to procfs: observer.c owns it, sampler_tree.c
 * keeps it in step with /proc, task.c reads one thread, process.c what concerns a whole process.
 */
#ifndef CLASSIFY_SAMPLER_H
#define CLASSIFY_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "host_watch.h"
#include "inspect.h"
#include "memory_watch.h"
#include "net_listeners.h"
#include "observation/observation.h"
#include "observation/segment_log.h"
#include "observation/slice_log.h"
#include "program_clock.h"
#include "socket_index.h"
#include "task_files.h"
#include "thread_clock.h"
#include "wait_cause.h"
#include "cause_rows.h"

struct tracked_thread {
	pid_t tid;
	size_t row; /* in obs->threads */
	struct task_files files;
	struct thread_clock clock;
	struct wait_cause cause; /* of the wait seen last; name NULL before the first */
	uint64_t wait_since_ns;
	uint64_t voluntary_cnt; /* switches so far, as the kernel counts them */
	uint64_t involuntary_cnt;
	char state;
	bool is_seen; /* has been read once */
};

struct tracked_process {
	pid_t pid;
	uint64_t starttime_ticks;	 /* tells it from a later one with its pid */
	size_t row;			 /* in obs->processes */
	struct tracked_process *parent;	 /* NULL for the root and for adopted ones */
	struct tracked_thread **threads; /* alive, by tid */
	size_t thread_cnt;
	size_t thread_room;
	struct gil_range gil;
	struct wait_cause last_socket; /* the last of its connections that was known */
	bool is_seen;		       /* has been read once */
	bool is_gone;
	bool was_threaded;	 /* has had a second thread */
	bool was_alive_at_start; /* or before it was adopted */
	uint64_t adopted_at_ns;	 /* 0: at the start */
	uint64_t next_inspect_ns;
	uint64_t inspect_step_ns;
	/* CPU time by the process's own clock, which knows threads that were never seen. */
	uint64_t cpu_clock_ns;
	uint64_t cpu_clock_base_ns; /* before the observation */
	uint64_t booked_on_cpu_ns;  /* of its threads, dead ones too */
	/* CPU time of children that were waited for, by the kernel's account and by ours. */
	uint64_t children_cpu_base_ns;
	uint64_t children_cpu_ns;
	uint64_t children_known_ns;
	uint64_t children_unseen_ns;
};

/* What one sample adds up over the tree. */
struct sample {
	uint64_t now_ns; /* since the beginning */
	struct program_interval interval;
	/* The wait that a quiet interval is charged to. */
	int best_rank;
	bool best_has_run;
	uint64_t best_wait_ns;
	pid_t best_pid;
	struct wait_cause best;
	uint32_t thread_cnt;
	uint32_t process_cnt;
};

/* A thread that ended between two samples: it may have computed for up to @room_ns after the last.
 */
struct tail {
	const struct tracked_process *process;
	size_t row; /* in obs->threads */
	uint64_t room_ns;
};

/* Whether the other end of a pipe is in the tree: good for a while. */
struct pipe_memo {
	const char *name; /* interned */
	bool is_write;
	bool is_in_tree;
	uint64_t expires_ns;
};

#define PIPE_MEMOS 64

struct sampler {
	struct observation obs; /* grows with the samples; given away at the end */
	bool follow_children;
	const char *cgroup; /* as in struct observer_options */
	pid_t root;
	uint64_t start_mono_ns;
	uint64_t round; /* samples taken */
	uint64_t last_sample_ns;
	struct tracked_process **processes; /* in order of discovery: parents before children */
	size_t process_cnt;
	size_t process_room;
	struct task_files_budget files_budget;
	struct socket_index sockets;
	struct net_listeners listeners;
	struct pipe_memo pipes[PIPE_MEMOS];
	struct cause_rows rows;
	struct program_clock program;
	struct segment_log segments;
	struct slice_log slices;
	struct host_watch host;
	struct memory_watch memory;
	struct wait_cause last_quiet; /* for quiet time in which no wait was seen */
	pid_t last_quiet_pid;
	bool has_children_files; /* the kernel lists children in /proc */
	long last_pid;		 /* the newest pid of the machine at the last look, -1: unknown */
	uint64_t last_look_ns;
	uint64_t inspect_cost_ns; /* CPU time spent on it */
	struct tail *tails;
	size_t tail_cnt;
	size_t tail_room;
	uint64_t unseen_ns;	     /* CPU time of children that ended between two samples */
	struct rusage reaped_before; /* children of classify itself */
	uint64_t ns_per_tick;
};

/* Nanoseconds since the observation began. */
uint64_t sampler_now_ns(const struct sampler *sampler);

struct obs_thread *thread_row(const struct sampler *sampler, const struct tracked_thread *thread);
struct obs_process *process_row(const struct sampler *sampler,
				const struct tracked_process *process);

/* sampler_tree.c: begins with @pid and what it has already; 0 or -errno. */
int sampler_begin(struct sampler *sampler, pid_t pid);
/* Takes in @pid, which is none of the tree's children, as it is at @now_ns; 0 or -ENOMEM. */
int sampler_adopt(struct sampler *sampler, pid_t pid, uint64_t now_ns);
/* Takes in processes and threads that came since the last look. 0 or -ENOMEM. */
int sampler_refresh(struct sampler *sampler, uint64_t now_ns);
void sampler_release(struct sampler *sampler);

/* task.c: reads @thread and books its time. False when it has ended. */
bool task_sample(struct sampler *sampler, struct tracked_process *process,
		 struct tracked_thread *thread, struct sample *sample);
/* Books what is still open at the end of the observation. */
void task_close(struct sampler *sampler, struct tracked_thread *thread, bool has_exited);
/* The same in @row, a copy of the row of @thread, which lives on. */
void task_close_row(struct obs_thread *row, const struct tracked_thread *thread);

/* segments.c: a wait of @thread has ended, or it computes: a segment ends where its time is booked
 * until. */
void sampler_note_segment(struct sampler *sampler, const struct tracked_thread *thread);
/* The same of the tree's program time. */
void sampler_note_slice(struct sampler *sampler);
/* Fills @obs, the sampler's or a copy, when its threads and its program time are what they will be.
 * 0 or -ENOMEM. */
int sampler_sum_segments(const struct sampler *sampler, struct observation *obs);

/* pipe_ends.c: does a process of the tree hold the other end of the pipe that @cause waits on? */
bool pipe_ends_in_tree(struct sampler *sampler, const struct wait_cause *cause);

/* process.c: reads the process's CPU clock; first of all, as it goes on. */
void process_read_clock(struct tracked_process *process, struct sample *sample);
/* Reads what concerns the whole process, adds to @sample and inspects it when due. */
void process_sample(struct sampler *sampler, struct tracked_process *process,
		    struct sample *sample);
/*
 * Children that nobody saw show in the parent's account of those it has waited for. To be called
 * when those that have ended since the account was read are closed, or they would count as unseen.
 */
void process_count_unseen(struct tracked_process *process, struct sample *sample);
/* CPU time of its own life so far, as far as it is known. */
uint64_t process_cpu_ns(const struct tracked_process *process);
/* The process has ended: its parent's account of children takes it in. */
void process_close(struct sampler *sampler, struct tracked_process *process, uint64_t now_ns);

/* settle.c: notes that @thread has ended, and when that was seen. */
void settle_note_end(struct sampler *sampler, const struct tracked_process *process,
		     const struct tracked_thread *thread, uint64_t now_ns);
/* At the end: hands out the CPU time of processes that no thread has been given. */
void settle(struct sampler *sampler);

#endif
