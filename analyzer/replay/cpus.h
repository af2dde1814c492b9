/*
 * The CPUs and who is on them: as many tasks as there are CPUs run, the others are ready and take
 * their turns in slices, as under Linux's fair schedulers: next is who has run least, and who wakes
 * up takes a CPU from one that has run clearly more.
 *
 * All that run do so at the same speed, so their ends are kept in virtual time, which runs at that
 * speed. A fraction of a CPU (a quota) makes all of them slower.
 */
#ifndef CLASSIFY_REPLAY_CPUS_H
#define CLASSIFY_REPLAY_CPUS_H

#include <stdbool.h>
#include "event_heap.h"

struct cpu_user;

struct cpus {
	struct event_heap ends;	  /* of the slices of those that run, in virtual time */
	struct event_heap eldest; /* of those that run, who has run most */
	struct event_heap ready;  /* by what they have run */
	struct cpu_user *users;	  /* of each task */
	double cnt;
	double parallel_part;
	double slice_ns;
	uint64_t slice_cnt; /* that ended before what was to be computed */
	double virtual_ns;
	double fair_ns; /* what who never waited for a wakeup has run by now */
	double used_ns; /* of all CPUs together, until now */
};

/* Returns 0 or -ENOMEM. Release it either way. @cnt, @parallel_part: > 0 */
int cpus_init(struct cpus *cpus, uint32_t task_cnt, double cnt, double parallel_part);
void cpus_release(struct cpus *cpus);

/* @task is ready to compute what takes @length_ns on a CPU of its own. */
void cpus_compute(struct cpus *cpus, uint32_t task, double length_ns);

/* @task stops in the middle. Returns what is left of its length. */
double cpus_interrupt(struct cpus *cpus, uint32_t task);

/* Gives the CPUs to who is next. To be called when all that happens at this instant has happened.
 */
void cpus_dispatch(struct cpus *cpus);

/* How long until cpus_on_end() has something to do; infinite: never. */
double cpus_next_ns(const struct cpus *cpus);

/* Lets @elapsed_ns pass; at most cpus_next_ns(). */
void cpus_advance(struct cpus *cpus, double elapsed_ns);

/* The first slice is over. Returns the task if it has computed all, else NO_TASK. */
uint32_t cpus_on_end(struct cpus *cpus);

#endif
