/*
 * A discrete-event simulation of a program's operations under a concurrency model: what they would
 * take with so many workers, on these CPUs, behind this lock. Knows nothing of observations.
 *
 * An operation is a sequence of steps; each is so long a stay at a place. Operations are taken in
 * order by whichever worker is free, as from a pool's queue. Durations are nanoseconds as doubles.
 * The same input and seed give the same result. What it models, and how well that is met by real
 * threads, is in docs/replay.md.
 *
 * A thread under a global lock, and an operation of a loop, begin each wait with the lock or in
 * their turn, also after another wait; the program's lock is given back after coming back from one.
 *
 * Any number is accepted: lengths that are negative or no number count as 0, those beyond 1e15 as
 * that, no worker as one, a hundredth of a CPU is the least. Only the steps that operations name
 * have to be there.
 */
#ifndef CLASSIFY_REPLAY_H
#define CLASSIFY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where an operation spends time. */
enum replay_place {
	PLACE_CPU = 0,	     /* computing, without the runtime's global lock */
	PLACE_GIL = 1,	     /* computing, with it */
	PLACE_DELAY = 2,     /* waiting for what serves any number at once */
	PLACE_FAR_END = 3,   /* waiting for what serves far_end_slots at once */
	PLACE_DISK = 4,	     /* waiting for what serves disk_slots at once; blocks an event loop */
	PLACE_NEIGHBOUR = 5, /* waiting while a far end on this host computes: it needs a CPU, too,
			      * and has neighbour_slots threads */
	PLACE_CNT = 6,
};

struct replay_step {
	enum replay_place place;
	bool is_locked; /* the program's own lock is held from the first to the last such step of a
			 * row of them */
	double length_ns; /* of a wait: until its thread would compute again on an idle machine */
};

struct replay_operation {
	size_t first_step;
	size_t step_cnt;
};

struct replay_work {
	const struct replay_step *steps;
	const struct replay_operation *operations;
	size_t operation_cnt;
	double serial_ns;	   /* computed before and after all operations, by one thread */
	double cpus;		   /* fractions: a quota */
	uint32_t far_end_slots;	   /* 0: any number */
	uint32_t disk_slots;	   /* likewise */
	uint32_t neighbour_slots;  /* likewise */
	double switch_interval_ns; /* of the global lock: how long a thread that computes may keep
				    * it from others that want it; CPython: 5 ms; 0: until it
				    * does something else */
};

/* How it is run. */
struct replay_setup {
	enum replay_engine {
		ENGINE_THREADS,	  /* share the global lock; one of them is plain sync code */
		ENGINE_PROCESSES, /* a global lock each */
		ENGINE_LOOP,	  /* one thread computes; waits overlap, but for the disk's */
	} engine;
	uint32_t workers; /* of a loop: operations in flight at most; no more than there are
			   * operations are started */
	double start_ns;  /* computed to start each worker, by the one that starts them in turn */
	double operation_ns; /* computed for each operation before its steps, by its worker */
	double dispatch_ns;  /* computed for each operation by the one that hands them out, after
			      * it has started all workers and ahead of demand */
	/* Both of these, and start_ns, with the global lock if any step is computed with it. */
	double parallel_part; /* speed of a CPU while all of them compute, of its speed alone; (0,1]
			       */
};

struct replay_result {
	double wall_ns;
	double busy_ns[PLACE_CNT]; /* that each place was used, over all users: sums of lengths */
	double cpu_ns;		   /* of all CPUs together */
	double gil_ns;		   /* that a global lock was held, of all together; of a loop:
				    * that its thread was taken */
	double locked_ns;	   /* that the program's lock was held */
	double in_flight;	   /* operations under way at once, mean */
};

/* Returns 0, or -ENOMEM. @seed: for what is drawn at random. */
int replay(const struct replay_work *work, const struct replay_setup *setup, uint64_t seed,
	   struct replay_result *result);

#endif
