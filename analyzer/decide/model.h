/* The concurrency model the program uses now, told by what its workers did at the same time. */
#ifndef CLASSIFY_MODEL_H
#define CLASSIFY_MODEL_H

#include "decide/facts.h"
#include "decide/in_flight.h"

/* What an event loop's thread was blocked in for longest. */
struct blocking_call {
	const char *call; /* and on what: "recvfrom on tcp 10.0.0.5:443"; "" if in none */
	uint64_t cnt;
	uint64_t max_ns;
};

struct model {
	enum concurrency_model current;
	enum concurrency_model primary; /* the same, but never mixed: its widest part */
	uint32_t workers;
	bool has_threads;
	bool has_processes;
	double active_threads;	 /* mean active at once, in the dominant process */
	double active_processes; /* mean active at once, in the tree */
	/* Several threads beside the main one work, but not at the same time: they wait for each
	 * other (a lock, a queue) for this share of their life. 0: that is not so. */
	double turns_share;
	bool serves_in_turn;	  /* its workers take requests one at a time, with time to spare */
	bool is_command_sequence; /* commands run one after another share the work */
	/* Of an event loop; NULL unless one drives the dominant process. */
	const struct thread_facts *loop_thread;
	bool knows_loop_waits;	  /* its waits are marked: obs_wait.on_loop */
	uint64_t loop_blocked_ns; /* that thread in waits of its own */
	struct blocking_call blocking;
	struct in_flight flight;
};

/* Returns the model of @facts. Out of memory is sticky in its arenas. */
struct model model_detect(const struct facts *facts);

/* Workers that compute, of those that live at once: threads that are on a CPU or want one for
 * CPU_WORKER_SHARE of their life. */
uint32_t model_compute_workers(const struct facts *facts, const struct model *model);

/* The runtime of what started the dominant process, looking past native programs; its own where
 * nothing else is of the tree. */
enum runtime_id model_starter(const struct facts *facts);

/* Whether the work is done by commands that a shell or make starts, not by one program. */
bool model_runs_commands(const struct facts *facts);

/* In what commands that run one after another would run at once: a shell computes in processes
 * (make -j), others start and await them in threads. */
enum concurrency_model model_for_commands(const struct facts *facts, enum verdict_class verdict);

/* Fills the report's part from @model. */
void model_report(const struct facts *facts, const struct model *model,
		  struct report_concurrency *concurrency);

#endif
