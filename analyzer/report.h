/*
 * The report: what the analyzer concluded, as plain values; the C twin of "classify-report/1"
 * (docs/report.schema.json). Renderers turn it into text, JSON and other forms and conclude
 * nothing.
 *
 * Units: *_ns nanoseconds (renderers print seconds); shares and ratios are 0..1.
 * Ownership: everything hangs off the report, freed by report_release(). Strings that come from
 * the target are untrusted; renderers escape them. Strings are never NULL unless said.
 */
#ifndef CLASSIFY_REPORT_H
#define CLASSIFY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "observation/observation.h"

enum verdict_class {
	CLASS_CPU_BOUND,
	CLASS_IO_BOUND,
	CLASS_LOCK_BOUND,
	CLASS_TIMER_BOUND,
	CLASS_CPU_STARVED,
	CLASS_IDLE,
	CLASS_MIXED,
	CLASS_INCONCLUSIVE,
	CLASS_CNT,
};

enum concurrency_model {
	MODEL_SYNC,
	MODEL_THREADS,
	MODEL_ASYNC,
	MODEL_MULTIPROCESSING,
	MODEL_MIXED, /* only as the current model */
	MODEL_CNT,
};

enum recommended_action { ACTION_KEEP, ACTION_CHANGE, ACTION_MEASURE_AGAIN, ACTION_CNT };
enum finding_severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_HIGH, SEVERITY_CNT };
enum global_lock {
	GLOBAL_LOCK_NONE,
	GLOBAL_LOCK_GIL,
	GLOBAL_LOCK_GVL,
	GLOBAL_LOCK_EVENT_LOOP,
	GLOBAL_LOCK_CNT
};

/* For what a thread slept; its reason says on what. */
enum wait_role {
	WAITS_FOR_RESULT, /* of something outside the tree that was asked: I/O */
	WAITS_FOR_WORK,	  /* nobody asked us for anything: idle */
	WAITS_FOR_TIME,	  /* a sleep, or a timeout that ran out */
	WAITS_FOR_TREE,	  /* another thread or process of the tree */
	WAITS_FOR_OTHER,  /* stopped, or not known */
	WAIT_ROLE_CNT,
};

/* One thing that was waited for: all waits that agree in name, kind, direction, role, operation. */
struct report_object {
	const char *name; /* "tcp 10.0.0.5:443", "/var/lib/x", ... ready to print once escaped */
	enum wait_direction direction;
	uint64_t wait_ns;
	uint64_t wait_cnt;
	enum object_kind kind;
	enum wait_role role;
	enum wait_operation operation;
	const char *call;   /* the system call that it was waited for in longest; NULL: not known */
	const char *device; /* of a file: the block device that holds it; NULL: not known */
	const char *far_end; /* of a socket: who serves it on this host; NULL: not known */
	bool is_rest;	     /* what was not kept apart: "(others)" */
};

struct report_wait {
	enum wait_reason reason;
	uint64_t wait_ns;
	double share;
	uint64_t wait_cnt;	       /* 0 in program time */
	struct report_object *objects; /* largest first; in program time by its quiet time */
	size_t object_cnt;
};

struct report_neighbour {
	const char *name;
	uint64_t queue_ns;
	uint64_t cnt;
};

/* Of the time that threads waited for a CPU: which, and who had it meanwhile, where that took 100
 * us or longer. */
struct report_queue {
	bool is_known; /* else only their sum is, and nobody's name */
	uint64_t wakeup_ns;
	uint64_t preempted_ns;
	uint64_t own_ns;		     /* other threads of the tree had it */
	struct report_neighbour *neighbours; /* other programs; largest first */
	size_t neighbour_cnt;
};

struct report_thread_time {
	uint64_t wall_ns; /* sum over threads; = on_cpu + run_queue + throttled + stopped + waits */
	uint64_t on_cpu_ns;
	uint64_t run_queue_ns; /* after wakeup and after preemption */
	uint64_t throttled_ns;
	uint64_t stopped_ns;
	struct report_wait *waits; /* largest first; share is of wall_ns; never "stopped" */
	size_t wait_cnt;
	uint64_t unexplained_ns; /* of the waits: reason other, and polls of which no more is known
				  */
	struct report_queue queue; /* parts of run_queue_ns */
};

struct report_program_time {
	uint64_t wall_ns; /* = computing + starved + quiet */
	uint64_t computing_ns;
	uint64_t starved_ns;
	uint64_t quiet_ns; /* includes idle_ns */
	uint64_t idle_ns;
	struct report_wait *waits; /* the quiet time that is not idle, by cause; largest first;
				      share is of wall_ns */
	size_t wait_cnt;
	double parallelism; /* mean threads on a CPU while computing; 0 when never */
	struct report_object *idle_objects; /* what it was idle at; largest first */
	size_t idle_object_cnt;
	/* Of the waits: as in thread time, and quiet that no wait ended or one for others of the
	 * tree did. */
	uint64_t unexplained_ns;
	uint64_t stopped_ns; /* of the wait "other": known */
};

struct report_ratios {
	double cpu;		/* computing / (wall - idle) */
	double wait;		/* quiet without idle / (wall - idle) */
	double run_queue;	/* starved / (wall - idle) */
	double wait_to_compute; /* quiet without idle / computing; -1 when nothing was computed */
	/* 95% intervals of cpu and wait over the course of the run; low -1: not known. */
	double cpu_low, cpu_high;
	double wait_low, wait_high;
};

struct report_verdict {
	enum verdict_class verdict_class;
	const char *subclass; /* NULL: none */
	double confidence;    /* 0..1 */
	const char *summary;  /* one sentence */
	bool has_runner_up;
	enum verdict_class runner_up;
	const char *would_win_if; /* with has_runner_up */
	double utilisation;	  /* busy, of wall; -1: it was never idle */
	bool is_clear; /* no border to another class is within what its shares may be off by */
};

struct report_role {
	const char *name;
	const char *kind; /* "main", "workers", "acceptor", "ticker", "pool", "spinner" ... */
	uint32_t thread_cnt;
	bool are_processes; /* each is the main thread of a process of its own */
	enum verdict_class verdict_class;
	uint64_t life_ns; /* of all threads together */
	uint64_t on_cpu_ns;
	struct report_wait *waits; /* share is of the role's wall; objects NULL */
	size_t wait_cnt;
};

struct report_concurrency {
	enum concurrency_model current;
	uint32_t workers;
	double in_flight_mean; /* operations waited on outside, at once; -1: not known */
	double in_flight_peak; /* -1: not known */
};

struct report_recommendation {
	enum concurrency_model model;
	enum recommended_action action;
	uint32_t workers;    /* 0: not said */
	const char *api;     /* NULL: not said */
	const char *summary; /* one sentence: what to do */
	const char *avoid;   /* one sentence: what not to do; NULL: nothing to warn of */
	const char **reasons;
	size_t reason_cnt;
	const char *scope;  /* the phase or role that it is for; NULL: all of the run */
	const char **notes; /* what the change costs, and what it has to heed */
	size_t note_cnt;
};

struct report_curve_point {
	uint32_t workers;
	double speedup;
};

struct report_prediction {
	enum concurrency_model model;
	uint32_t workers;
	double speedup_low, speedup_expected, speedup_high;
	uint64_t extra_memory_bytes;
	const char **assumptions;
	size_t assumption_cnt;
	const char *bottleneck; /* what limits it then: "gil", "cpu", "far end", "operations" ... */
	struct report_curve_point *curve; /* over the number of workers, ascending */
	size_t curve_cnt;
};

/* Of one operation: the mean, and what half and 95% of them stay below. */
struct report_spread {
	double mean_ns, median_ns, p95_ns;
};

/* What the run was cut into for the predictions. */
struct report_operations {
	double cnt; /* 0: it wasn't */
	struct report_spread computed;
	struct report_spread waited;
	/* Means of one operation. */
	double computed_locked_ns; /* with the runtime's global lock held */
	double far_end_ns;	   /* waiting for others, or asleep */
	double neighbour_ns;	   /* the same while a far end on this host computed */
	double disk_ns;
	double lock_part; /* of all of it, under a lock of the program's own */
	double start_ns;  /* done once, before and after all of them */
};

/* A stretch of the run in which it did the same; they follow each other without a gap. */
struct report_phase {
	uint64_t start_ns, end_ns;
	enum verdict_class verdict_class;
	const char *subclass; /* NULL: none */
	const char *name;     /* "start-up", "run", "phase 2", "shut-down" */
	uint64_t computing_ns, starved_ns, quiet_ns;
	uint64_t idle_ns;    /* of quiet_ns */
	const char *summary; /* one sentence */
	/* What the phase by itself calls for; speedups are of the phase. */
	struct report_recommendation recommendation;
	struct report_operations operations;
	struct report_prediction *predictions;
	size_t prediction_cnt;
};

struct report_evidence {
	const char *metric;
	double value;
	const char *unit;
	const char *source;
};

struct report_finding {
	const char *id;
	enum finding_severity severity;
	const char *summary;
	struct report_evidence *evidence;
	size_t evidence_cnt;
};

/* How long others waited for a lock while a thread held it; most for the first lock's first. */
struct report_lock_holder {
	const char *lock; /* as its report_object has it */
	int pid;	  /* of those who waited */
	int tid;	  /* 0: all other holders of the lock together */
	const char *thread;
	uint64_t wait_ns;
	double share; /* of the wait for this lock */
	uint64_t handover_cnt;
};

/* Something that was expected of the program (expect/expectation.h), and whether it came true. */
struct report_expectation {
	const char *text;
	bool is_met;
	const char *seen;      /* NULL: a number, or nothing */
	double seen_number;    /* of those that are numbers; NAN: not known */
	const char *complaint; /* one line: what was expected, what was seen; NULL: it is met */
};

/* A frame of a stack, ready to print once escaped. */
struct report_frame {
	const char *function; /* "" if unknown */
	const char *file;     /* "" if unknown */
	uint32_t line;	      /* 0: unknown */
	const char *module;
	uint64_t address; /* in the module; 0: none */
	enum frame_language language;
	bool is_inlined;
	bool is_own; /* the program's own code, not its libraries', its runtime's or the kernel's */
};

/* All time of the run with one stack and one reason; scaled, so that they sum to the exact times as
 * far as stacks are known. What the exports (folded, speedscope, pprof) are made of. */
struct report_stack {
	const uint32_t *frames; /* indices in report.frames, innermost first */
	size_t frame_cnt;
	bool is_complete;
	int pid;
	int tid;
	const char *process; /* its name as the kernel has it */
	const char *thread;  /* the same, or as the runtime has it */
	const char *task;    /* "" if there is none */
	bool is_on_cpu;
	enum wait_reason reason; /* not on a CPU */
	enum wait_role role;	 /* likewise */
	const char *object;	 /* what it waited for, as of report_object; "" */
	uint64_t time_ns;
	uint64_t sample_cnt;
};

/*
 * A line of the program's own code and what it spends its time on: computing or one reason to wait.
 * Time in libraries is the line's that called them.
 */
struct report_hot_spot {
	bool is_on_cpu;
	enum wait_reason reason; /* not on a CPU */
	enum wait_role role;	 /* likewise */
	uint64_t time_ns;
	/* Of the program time in which it wasn't idle: computing is shared by the lines that
	 * computed, and the rest charged to the waits that ended it. Of waits for work and for
	 * others of the tree: of all thread time. */
	double share;
	struct report_frame place;
	const char *callee; /* what it called in libraries, outermost: "requests.get"; "" */
	const char *object; /* what was waited for longest, as of report_object; "" */
	const char *task;   /* of an event loop, that waits longest there; "" */
	/* Of a command that the program runs: the line that does, and what it calls for that. */
	bool has_starter;
	struct report_frame starter;
	const char *starter_callee; /* as callee */
	uint64_t gil_held_ns;	    /* on a CPU: of time_ns, with the GIL held */
	bool is_gil_known;
	uint64_t sample_cnt;
	double share_error;		  /* standard error of share */
	const struct report_stack *stack; /* the one with most of it */
};

/* A function of the program's own with all time that is its lines'. */
struct report_function {
	struct report_frame place; /* line is where it begins; 0: unknown */
	uint64_t time_ns;	   /* all of it */
	double share;		   /* of its lines together, as of report_hot_spot */
	uint64_t on_cpu_ns;
	uint64_t gil_held_ns;
	bool is_gil_known;
	struct report_wait *waits; /* by reason, largest first; share is of the function's time */
	size_t wait_cnt;
	enum verdict_class verdict_class; /* io-bound, cpu-bound, ... or inconclusive: too little */
	const char *advice;		  /* "thread-pool", ...; "" when there is none */
};

/* How much of the run stacks are known of. */
struct report_stack_quality {
	bool are_taken;
	uint64_t sample_cnt;
	uint64_t wait_cnt;
	uint64_t lost_cnt;
	double complete_share;	  /* of the time whose stacks are known: reach where it all began */
	double known_share;	  /* of the exact time on a CPU and waiting: has a stack */
	const char *why_no_lines; /* there is no hot spot though stacks were taken; else NULL */
	const char **notes;
	size_t note_cnt;
};

struct report_runtime {
	const char *name;    /* "CPython", "Node.js", "native", ... */
	const char *version; /* "" when not known */
	enum global_lock global_lock;
};

struct report {
	int64_t started_at_unix_ns;
	enum target_mode mode;
	bool is_replay;
	const char **command;
	size_t command_cnt;
	int pid;
	int pid_in_container; /* its number in its own PID namespace; 0: the same */
	const char *cgroup;   /* the cgroup that was observed as a whole; "" if a process was */
	bool has_exited;
	bool was_signaled;
	int exit_code;
	struct report_runtime runtime;
	uint32_t processes_peak;
	uint32_t threads_peak;
	struct obs_host host;
	struct obs_far_end *far_ends; /* of this host */
	size_t far_end_cnt;
	enum observation_source source;
	uint64_t duration_ns;
	uint64_t switch_cnt;
	uint64_t lost_events;
	const char **missing_probes;
	size_t missing_probe_cnt;
	bool is_until_settled;	 /* it was to end when the verdict settled; */
	bool has_settled;	 /* and that is how it ended */
	const char *source_note; /* "" or why this source and what it can't see */
	struct report_thread_time thread_time;
	struct report_program_time program_time;
	struct report_ratios ratios;
	struct report_verdict verdict;
	struct report_phase *phases;
	size_t phase_cnt;
	struct report_role *roles;
	size_t role_cnt;
	struct report_concurrency concurrency;
	struct report_recommendation recommendation;
	struct report_operations operations;
	struct report_prediction *predictions;
	size_t prediction_cnt;
	struct report_finding *findings; /* most severe first */
	size_t finding_cnt;
	struct report_lock_holder *lock_holders;
	size_t lock_holder_cnt;
	struct report_expectation *expectations;
	size_t expectation_cnt;
	struct report_frame *frames;
	size_t frame_cnt;
	struct report_stack *stacks; /* largest first */
	size_t stack_cnt;
	struct report_hot_spot *hot_spots; /* most telling first */
	size_t hot_spot_cnt;
	struct report_function *functions; /* largest first */
	size_t function_cnt;
	struct report_stack_quality stack_quality;
	struct arena *arena; /* owns all of the above */
};

/* Frees everything; accepts a zeroed or half-built report. */
void report_release(struct report *report);

/* The subclasses that a class can have: names, then NULL. */
const char *const *verdict_subclass_names(enum verdict_class verdict_class);

/* Stable names as in the JSON contract: "cpu-bound", "multiprocessing", "keep", "warning", "gil" */
const char *verdict_class_name(enum verdict_class verdict_class);
const char *concurrency_model_name(enum concurrency_model model);
const char *recommended_action_name(enum recommended_action action);
const char *finding_severity_name(enum finding_severity severity);
const char *global_lock_name(enum global_lock lock);
const char *wait_role_name(enum wait_role role); /* "result", "work", "time", "tree", "other" */

#endif
