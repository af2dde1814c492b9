/*
 * Builds small observations for the analyzer's tests, in milliseconds. A thread's counters and the
 * rows of waits are kept in step: build_wait() adds to both.
 */
#ifndef CLASSIFY_OBSERVATION_BUILDER_H
#define CLASSIFY_OBSERVATION_BUILDER_H

#include "analyze.h"
#include "observation/observation.h"
#include "report.h"

#define MS 1000000ULL

#define PYTHON "/usr/bin/python3.11"

struct wait_spec {
	enum wait_reason reason;
	uint64_t ms;
	uint64_t cnt; /* 0 counts as 1 */
	uint64_t quiet_ms;
	enum object_kind kind;
	enum wait_direction direction;
	const char *name; /* of strings, NULL counts as "" */
	const char *call;
	const char *device;
	const char *far_end;
	enum wait_operation operation;
	bool via_event_loop;
	bool timed_out;
	bool by_tree;	 /* woken by a thread of the tree */
	bool by_unknown; /* nobody knows by whom, as with procfs */
};

/* An observation of @ms on @cpus CPUs of which @computing_ms the tree computed and @starved_ms it
 * only wanted to; the rest was quiet. */
void build_observation(struct observation *obs, uint64_t ms, uint64_t computing_ms,
		       uint64_t starved_ms, uint32_t cpus);

/* A process that lives as long as the observation, without threads. The name of @exe becomes its
 * comm; a python's hexversion is set. Valid until the next process is added. */
struct obs_process *build_process(struct observation *obs, pid_t pid, const char *exe);

/* A thread of @pid with its life and name. Valid until the next thread is added. */
struct obs_thread *build_thread(struct observation *obs, pid_t pid, pid_t tid, uint64_t on_cpu_ms);

/* Adds a wait to thread @tid and to the rows of its process. */
void build_wait(struct observation *obs, pid_t tid, struct wait_spec spec);

#define WAITED(obs, tid, ...) build_wait(obs, tid, (struct wait_spec){ __VA_ARGS__ })

/*
 * A stretch of a run as one thread sees it: it computes for @cpu_pct of each round, then waits for
 * @reason for the rest. Rounds vary at random by up to @noise_pct of their length, each way.
 */
struct stretch {
	uint64_t ms;
	uint32_t round_ms;
	uint32_t cpu_pct;
	uint32_t noise_pct;
	enum wait_reason reason; /* its row is the thread's of that reason: see build_timeline() */
};

/*
 * Lets thread @tid do @stretches one after the other, from the beginning of the observation:
 * segments, the thread's totals and the rows' times. With @makes_program_time the thread alone
 * makes what was quiet, the slices (of 5 ms) and the program time too. Rows must be there for the
 * reasons (build_wait() with 0 ms); the first of a reason takes them all.
 */
void build_timeline(struct observation *obs, pid_t tid, const struct stretch *stretches, size_t cnt,
		    bool makes_program_time, uint64_t *seed);

/* Analyses @obs, asserts what holds for every report, and releases @obs. */
void build_report(struct observation *obs, struct report *report);
void build_report_for(struct observation *obs, uint32_t planned_concurrency, struct report *report);

/* Asserts the invariants of a report: exact sums, shares in 0..1, valid enums, no NULL strings. */
void assert_report_is_sound(const struct report *report);

/* Whether @report has the finding @id. */
bool has_finding(const struct report *report, const char *id);

#endif
