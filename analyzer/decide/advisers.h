/*
 * The advisers: one per class or situation, by what it is about. Each fills the recommendation
 * through advice.h.
 */
#ifndef CLASSIFY_ADVISERS_H
#define CLASSIFY_ADVISERS_H

#include "decide/advice.h"

void advise_cpu(struct advice *advice);
void advise_starved(struct advice *advice);
void advise_io(struct advice *advice);
void advise_mixed(struct advice *advice);
void advise_lock(struct advice *advice);
void advise_idle(struct advice *advice);

/* For a program that an event loop drives and that waits for results. */
void advise_loop_io(struct advice *advice);

/* The loop's thread waits in calls of its own: nothing else can happen meanwhile. Returns whether
 * that is so; only then it advises. */
bool advise_blocked_loop(struct advice *advice);

/* Its workers take requests one at a time and idle: returns whether that is so; only then it
 * advises. */
bool advise_slack(struct advice *advice);

/* Its threads wait for each other: that limits it before any model does. Returns whether it is so;
 * only then it advises. */
bool advise_turns(struct advice *advice);

#endif
