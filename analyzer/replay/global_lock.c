/* The global lock: taking, waking, asking and dropping. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "global_lock.h"
#include "random.h"
#include "wake.h"

/* How much later than after the interval a waiter asks: the kernel rounds a timed wait up by 50 us
 * of timer slack (PR_SET_TIMERSLACK), and an idle CPU wakes up. Measured as above: beside a
 * spinning thread another gets the lock every 5.1 ms. */
#define TIMER_LATE_NS 90e3
/* How often a dropped lock goes to the one that asked, which is awake, though it has just gone to
 * the end: it may find the signal before it sleeps. Measured: two to eight threads beside a
 * spinning one come nearest to CPython's at a quarter; at none two of them get 15 to 20% too much,
 * at a half eight get 13% too little (docs/replay.md). */
#define ASKER_PART 0.25
/* Intervals that run at once. The first to end asks; of hundreds of waiters it is hardly earlier
 * than of these, and a timer for each would make long queues slow to simulate. */
#define MAX_TIMED 8
/* After being asked so often, 100 s of CPython's intervals, these become twice as long: it bounds
 * the number of events. */
#define ASKED_TO_DOUBLE 20000

int global_lock_init(struct global_lock *lock, uint32_t task_cnt, struct event_heap *timers,
		     struct task_link *links, double interval_ns, uint64_t seed)
{
	*lock = (struct global_lock){ .timers = timers,
				      .holder = NO_TASK,
				      .last_holder = NO_TASK,
				      .interval_ns = interval_ns,
				      .random = seed };
	task_queue_init(&lock->waiting, links);
	lock->waiters = calloc(task_cnt, sizeof(*lock->waiters));
	return lock->waiters ? 0 : -ENOMEM;
}

void global_lock_release(struct global_lock *lock)
{
	free(lock->waiters);
}

static void start_interval(struct global_lock *lock, uint32_t task, double now_ns)
{
	struct global_lock_waiter *waiter = &lock->waiters[task];

	waiter->is_timed = true;
	waiter->seen_switch_cnt = lock->switch_cnt;
	lock->timed_cnt++;
	event_heap_put(lock->timers, task, now_ns + lock->interval_ns + TIMER_LATE_NS);
}

static void stop_interval(struct global_lock *lock, uint32_t task)
{
	if (!lock->waiters[task].is_timed)
		return;
	lock->waiters[task].is_timed = false;
	lock->timed_cnt--;
	event_heap_remove(lock->timers, task);
}

static void wait_for_it(struct global_lock *lock, uint32_t task, double now_ns)
{
	task_queue_add(&lock->waiting, task);
	if (lock->timed_cnt < MAX_TIMED && isfinite(lock->interval_ns))
		start_interval(lock, task, now_ns);
}

static void leave_queue(struct global_lock *lock, uint32_t task, double now_ns)
{
	uint32_t first;

	task_queue_remove(&lock->waiting, task);
	stop_interval(lock, task);
	/* Of a long queue at least the first is timed. */
	first = lock->waiting.first;
	if (first != NO_TASK && !lock->waiters[first].is_timed && isfinite(lock->interval_ns))
		start_interval(lock, first, now_ns);
}

static void hold(struct global_lock *lock, uint32_t task, double now_ns)
{
	lock->holder = task;
	lock->taken_at_ns = now_ns;
	lock->switch_cnt += task != lock->last_holder;
	lock->last_holder = task;
}

bool global_lock_take(struct global_lock *lock, uint32_t task, double now_ns)
{
	if (lock->holder == NO_TASK) {
		hold(lock, task, now_ns);
		return true;
	}
	wait_for_it(lock, task, now_ns);
	return false;
}

/* @next: who is woken to take it; NO_TASK: nobody waits */
static void hand_to(struct global_lock *lock, uint32_t next, double now_ns)
{
	lock->held_ns += now_ns - lock->taken_at_ns;
	lock->holder = NO_TASK;
	if (next == NO_TASK)
		return;
	leave_queue(lock, next, now_ns);
	lock->waiters[next].is_woken = true;
	event_heap_put(lock->timers, next, now_ns + WAKE_NS * (0.5 + random_part(&lock->random)));
}

void global_lock_give_back(struct global_lock *lock, double now_ns)
{
	hand_to(lock, lock->waiting.first, now_ns);
}

void global_lock_drop(struct global_lock *lock, double now_ns)
{
	uint32_t holder = lock->holder;
	bool is_askers = random_part(&lock->random) < ASKER_PART;

	/* Who asked has just gone to the end. */
	hand_to(lock, is_askers ? lock->waiting.last : lock->waiting.first, now_ns);
	wait_for_it(lock, holder, now_ns);
	/* It waits until another has it before it wants it back, so that switch is none it sees. */
	lock->waiters[holder].seen_switch_cnt = lock->switch_cnt + 1;
}

static enum global_lock_event on_woken(struct global_lock *lock, uint32_t task, double now_ns)
{
	lock->waiters[task].is_woken = false;
	return global_lock_take(lock, task, now_ns) ? GLOBAL_LOCK_TAKEN : GLOBAL_LOCK_WAITING;
}

enum global_lock_event global_lock_on_timer(struct global_lock *lock, uint32_t task, double now_ns)
{
	bool has_switched;

	if (lock->waiters[task].is_woken)
		return on_woken(lock, task, now_ns);
	has_switched = lock->waiters[task].seen_switch_cnt != lock->switch_cnt;
	leave_queue(lock, task, now_ns);
	if (global_lock_take(lock, task, now_ns))
		return GLOBAL_LOCK_TAKEN;
	if (has_switched)
		return GLOBAL_LOCK_WAITING;
	if (++lock->asked_cnt % ASKED_TO_DOUBLE == 0)
		lock->interval_ns *= 2;
	return GLOBAL_LOCK_ASKED;
}
