/*
 * The facts that rules, model, findings and advice turn on: the observation summed up by thread
 * and by process, and the shares of program time. Computed once; everything after only reads.
 */
#ifndef CLASSIFY_FACTS_H
#define CLASSIFY_FACTS_H

#include "account/spread.h"
#include "analyze.h"
#include "decide/runtime.h"
#include "observation/observation.h"
#include "report.h"

struct arena;
struct windows;
struct wait_roles;

struct thread_facts {
	const struct obs_thread *thread;
	struct process_facts *process; /* NULL: its process was not seen */
	uint64_t life_ns;
	uint64_t runnable_ns; /* on a CPU or wanting one */
	uint64_t outside_ns;  /* waiting for results from outside the tree */
	uint64_t idle_ns;     /* waiting for work, or for others of the tree but for a lock */
	uint64_t work_ns;     /* of it, for work */
	uint64_t timer_ns;
	/* Time in which it does the program's work or would if it could: runnable, waiting for
	 * results, a lock or the GIL; and sleeping, where sleep is what the program does. */
	uint64_t active_ns;
};

struct process_facts {
	const struct obs_process *process;
	enum runtime_id runtime;
	uint64_t life_ns;
	uint64_t on_cpu_ns;
	uint64_t gil_ns;
	uint32_t gil_waiter_cnt;
	uint64_t work_ns;	   /* on-CPU + waiting for results */
	uint64_t thread_active_ns; /* of its threads together */
	uint64_t active_ns;	   /* the same, but no more than its life */
	uint64_t loop_ns;	   /* waits through an event loop */
	uint64_t loop_cnt;
	uint64_t own_wait_ns; /* waits for results, work and time that were not through the loop */
	uint64_t result_ns[WAIT_REASON_CNT];	/* of its rows' waits, those for results, */
	uint64_t work_wait_ns[WAIT_REASON_CNT]; /* for work, */
	uint64_t row_ns[WAIT_REASON_CNT];	/* and all */
	struct thread_facts **threads;
	size_t thread_cnt;
};

struct lock_facts {
	const char *name; /* of the lock most waited for; "" if none */
	uint64_t name_ns; /* waits for that one */
	uint64_t name_cnt;
	uint64_t wait_ns; /* for all locks */
	uint32_t waiter_cnt;
	double thread_share; /* lock waits, of what all threads were served or waited for */
	bool is_serialising;
};

struct gil_facts {
	const struct process_facts *process; /* with the most GIL waits; NULL: none */
	double wait_share;		     /* of its on-CPU + GIL wait */
	double cpus;			     /* that it used while the tree computed */
	bool is_contended;
};

struct facts {
	const struct observation *obs;
	const struct wait_roles *roles;
	const struct analyze_options *options;
	const struct report_thread_time *thread_time;
	const struct report_program_time *program_time;
	const struct windows *windows; /* of the run; NULL: not known */
	struct spread spread;
	struct arena *arena;   /* of the report: for strings that end up there */
	struct arena *scratch; /* gone when analyze() returns */

	struct process_facts *processes; /* parallel to obs->processes */
	struct thread_facts *threads;	 /* parallel to obs->threads */
	struct process_facts *dominant;	 /* of the leading runtime's, the one that works most */
	double dominant_cpus;		 /* that it used while the tree computed */

	double cpus; /* usable: affinity narrowed by the quota */
	uint64_t busy_ns;
	uint64_t outside_ns; /* waits for results, of all threads */
	uint64_t outside_cnt;
	uint64_t result_ns[WAIT_REASON_CNT]; /* of these, by reason */
	uint64_t result_cnt[WAIT_REASON_CNT];
	uint64_t outside_loop_ns; /* of these, through an event loop */
	uint64_t outside_tcp_ns;  /* on TCP connections that the tree opened, or it may be */
	uint64_t asked_cnt;	  /* waits for work that ended because somebody asked */
	uint64_t served_ns;	  /* threads on a CPU, or waiting for results, locks or the GIL */
	double idle_share;	  /* of wall */
	double cpu_share;	  /* the rest of busy time */
	double starved_share;
	double contended_share; /* of it, what others had the CPUs for; the rest they took to wake
				   up */
	double io_share;
	double timer_share;
	double unknown_share; /* quiet, and for what is not known */
	double stopped_share; /* quiet, by SIGSTOP or a debugger */
	double lock_quiet_share;
	double throttled_share; /* of the threads' runnable time */
	double runnable_parallelism;
	uint64_t io_ns[WAIT_REASON_CNT]; /* quiet waits for results */
	struct lock_facts lock;
	struct gil_facts gil;
};

/* Fills @facts; obs, roles, options, thread_time, program_time, windows, arena and scratch are set
 * by the caller. Returns 0, or -ENOMEM. */
int facts_gather(struct facts *facts);

/* What @thread waited for results by @reason. */
uint64_t thread_result_ns(const struct thread_facts *thread, enum wait_reason reason);

/* Whether @reason counts as I/O when the whole tree is quiet for it. */
bool is_io_reason(enum wait_reason reason);

/* What stands in the way of the dominant process's threads. */
enum global_lock facts_global_lock(const struct facts *facts);

/*
 * Whether the dominant process's threads compute in code that lets go of its global lock (hashing,
 * NumPy, worker threads): together they use more than one CPU; or they wanted CPUs at the same
 * time, and of a GIL that is known to us they hardly waited for, it was CPUs that they lacked.
 */
bool facts_works_outside_lock(const struct facts *facts);

/* Whether most of its waiting for other processes is for ones that it asks over a socket, not for
 * what a pipe brings. */
bool facts_asks_over_sockets(const struct facts *facts);

/* Whether that is an interpreter's lock: the GIL, or Ruby's GVL. */
bool facts_has_interpreter_lock(const struct facts *facts);

/* The reason that has most of @ns; the first of them where several or none have. */
enum wait_reason largest_reason(const uint64_t ns[WAIT_REASON_CNT]);

/* Whether what computes waits for results, too, for a tenth of that or more (FEWER_WAIT_MAX):
 * workers that do leave the CPUs to each other. */
bool facts_workers_wait(const struct facts *facts);

/* The usable CPUs as a whole number, at least 1. */
uint32_t usable_cpus(const struct facts *facts);

#endif
