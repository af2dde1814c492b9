/*
 * Targets for the sampler: forked children that do one thing, and an observation of them.
 */
#ifndef PROCFS_TARGET_H
#define PROCFS_TARGET_H

#include <stdint.h>
#include <sys/types.h>

#include "observation/observation.h"

/* Forks a child that runs @run(@context) when target_go() lets it, then exits; it dies with the
 * test. */
struct target {
	pid_t pid;
	int go;
};

struct target target_start(void (*run)(void *context), void *context);
void target_go(struct target *target);

/* Returns once thread @tid is blocked in system call @number. */
void target_await_syscall(pid_t tid, long number);
/* Returns once the state in /proc/@pid/stat is @state. */
void target_await_state(pid_t pid, char state);

/* Begins observing a target; samples it until @ms have passed, or until it ends (0). */
struct observer *target_observe(const struct target *target);
void target_sample(struct observer *observer, const struct target *target, unsigned ms);
/* Ends the observation and asserts what is always true of one: sums, and rows against threads. */
void target_finish(struct observer *observer, struct observation *obs);

/* Kills and reaps. */
void target_stop(struct target *target);

/* The row with the longest wait; NULL when there is none. */
const struct obs_wait *longest_wait(const struct observation *obs);
uint64_t total_on_cpu_ns(const struct observation *obs);

#endif
