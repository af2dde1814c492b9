/*
 * The program's work as operations that a replay can run: what each computed, with and without the
 * runtime's global lock, and waited for outside. Waits for each other, for a CPU and for work are
 * left out: those are what another model changes.
 */
#ifndef CLASSIFY_WORKLOAD_H
#define CLASSIFY_WORKLOAD_H

#include "decide/facts.h"
#include "decide/model.h"
#include "replay/replay.h"

/* One stretch of the observed run that holds @cnt operations alike; sums of them all. */
struct stretch {
	uint64_t at_ns; /* its end */
	double cnt;
	double computed_ns;
	double gil_part; /* of that, with the global lock held */
	double delay_ns; /* waits for what is outside this host, or sleeps */
	double disk_ns;
	double neighbour_ns; /* waits while a far end on this host computed */
	double stream_ns;    /* waits for what a pipe brings: one reader takes it all */
};

struct workload {
	struct stretch *stretches; /* in order of time */
	size_t stretch_cnt;
	double operation_cnt;
	double start_ns;     /* computed once, before and after all operations */
	struct stretch sum;  /* of all stretches */
	double lock_part;    /* of an operation's own time that a lock of the program is held */
	bool is_of_one_file; /* it syncs the same file or two again and again: all under one lock */
	bool is_of_one_stream; /* it mostly waits for what a pipe brings, however fast it is */
	uint32_t neighbour_slots;
	uint32_t disk_slots;
	uint32_t far_end_slots; /* what others were seen to serve at once at most; 0: no limit seen
				 */
	double far_end_part;	/* of a wait: what is service then, and not queueing */
	double switch_interval_ns; /* of the global lock, as in struct replay_work */
	bool is_commands;	   /* an operation is a process that the program starts */
	double dispatch_ns;	   /* then: what the program computes to start one */
};

/* Fills @workload in the scratch arena. Without anything to replay operation_cnt is 0. */
void workload_build(const struct facts *facts, const struct model *model,
		    struct workload *workload);

/* Own time of all operations: computing and waiting outside. */
double stretch_own_ns(const struct stretch *stretch);

#endif
