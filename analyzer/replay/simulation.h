/* One simulated run: its tasks, what they share, and the moment it has come to. Private to the
 * layer. */
#ifndef CLASSIFY_REPLAY_SIMULATION_H
#define CLASSIFY_REPLAY_SIMULATION_H

#include "cpus.h"
#include "global_lock.h"
#include "replay.h"
#include "slots.h"

/* A worker with the operation it is at, or the one that starts workers and hands out operations. */
struct task {
	struct replay_step step; /* under way, or next */
	double left_ns;		 /* of what it computes */
	double began_ns;	 /* to compute */
	size_t next_step;
	size_t end_step;
	bool has_turn; /* holds the global lock, or is the one that its loop runs */
	bool has_lock; /* the program's own */
	bool has_slot;
	bool ends_row;	     /* of steps under the lock, before its step */
	bool comes_back;     /* from a wait, or to its first operation */
	bool is_waking;	     /* and has the program's lock then */
	bool waits_for_turn; /* its timer is the global lock's */
	bool is_at_operation;
};

struct simulation {
	const struct replay_work *work;
	const struct replay_setup *setup;
	struct task *tasks; /* the workers, then the one that hands out */
	uint32_t worker_cnt;
	struct task_link *links;
	struct task_queue ready; /* to go on with their step as soon as all else has been done */
	struct task_queue idle;	 /* workers without an operation */
	struct event_heap timers;
	struct cpus cpus;
	struct global_lock global_lock;
	struct slots loop; /* the one thread */
	struct slots lock; /* the program's own */
	struct slots far_end;
	struct slots disk;
	struct slots neighbour;
	enum replay_place own_place; /* where what is added to the steps is computed */
	uint32_t started_cnt;
	size_t handed_out_cnt;
	size_t taken_cnt;
	size_t done_cnt;
	double now_ns;
	double in_flight_ns;
	double gil_ns; /* where each process has its own */
	double busy_ns[PLACE_CNT];
};

/* Returns 0 or -ENOMEM. Release it either way. */
int simulation_init(struct simulation *sim, const struct replay_work *work,
		    const struct replay_setup *setup, uint64_t seed);
void simulation_release(struct simulation *sim);
void simulation_run(struct simulation *sim); /* until all operations are done */

/* A length to go by: 0 if it is negative or no number, and at most eleven days. */
double simulation_length_ns(double length_ns);

/* task.c: the way of a task through its steps. */
void task_go_on(struct simulation *sim, uint32_t id);	 /* with its step, as far as it gets */
void task_computed(struct simulation *sim, uint32_t id); /* all there was to compute of its step */
void task_on_timer(struct simulation *sim, uint32_t id);
void task_let_go(struct simulation *sim, uint32_t id); /* gives its turn back, if it has it */

/* hand_out.c: who does what. */
void hand_out_start(struct simulation *sim);
/* Gives a task its next step. Returns false if there is none for now. */
bool hand_out_next_step(struct simulation *sim, uint32_t id);

#endif
