/*
 * A runtime's global lock as CPython has had it since 3.2 (Python/ceval_gil.h, "Notes about the
 * implementation"):
 *
 * - Who finds it free takes it, also ahead of those that wait.
 * - Who gives it back wakes one that waits, the one that has waited longest (the condition
 *   variable's futex queue); that one takes it only when it is awake, if it is still free then, and
 *   else waits anew, behind all others.
 * - Who has waited for a switch interval during which the lock has not changed hands asks its
 * holder to drop it, and waits on behind the others. The holder then drops it as soon as it
 * interprets on, and doesn't come back before another has had it.
 */
#ifndef CLASSIFY_REPLAY_GLOBAL_LOCK_H
#define CLASSIFY_REPLAY_GLOBAL_LOCK_H

#include "event_heap.h"
#include "task_queue.h"

struct global_lock_waiter {
	uint64_t seen_switch_cnt; /* when it began to wait */
	bool is_timed;		  /* its interval runs */
	bool is_woken;		  /* and on its way */
};

struct global_lock {
	struct event_heap *timers; /* of the simulation; a waiter's timer is the lock's; borrowed */
	struct task_queue waiting;
	struct global_lock_waiter *waiters; /* of each task */
	uint32_t holder;		    /* NO_TASK: free */
	uint32_t last_holder;
	uint64_t switch_cnt;
	uint32_t timed_cnt;
	uint64_t asked_cnt;
	double interval_ns; /* infinite: nobody asks */
	double taken_at_ns;
	double held_ns; /* until it was last given back */
	uint64_t random;
};

/* Returns 0 or -ENOMEM. Release it either way. */
int global_lock_init(struct global_lock *lock, uint32_t task_cnt, struct event_heap *timers,
		     struct task_link *links, double interval_ns, uint64_t seed);
void global_lock_release(struct global_lock *lock);

/* Returns whether @task holds the lock now; else it waits and has a timer. */
bool global_lock_take(struct global_lock *lock, uint32_t task, double now_ns);

/* The holder goes on without it. */
void global_lock_give_back(struct global_lock *lock, double now_ns);

/* The holder, asked to, hands it over and waits for its next turn. */
void global_lock_drop(struct global_lock *lock, double now_ns);

enum global_lock_event {
	GLOBAL_LOCK_WAITING, /* nothing came of it */
	GLOBAL_LOCK_TAKEN,   /* the task of the timer holds it now */
	GLOBAL_LOCK_ASKED,   /* the holder has to drop it now */
};

/* The timer of a waiter went off. */
enum global_lock_event global_lock_on_timer(struct global_lock *lock, uint32_t task, double now_ns);

#endif
