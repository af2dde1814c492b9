/* A fair scheduler. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "cpus.h"
#include "task_queue.h"

/* sched_base_slice_ns of Linux 6.6 and later, sched_min_granularity_ns before, on 2 to 8 CPUs. */
#define SLICE_NS 3e6
/* After so many slices, a minute's computing, they become twice as long: it bounds the number of
 * events, and by then there is nothing that so short ones would tell. */
#define SLICES_TO_DOUBLE 20000
/* Who wakes up counts as having run this much less than the others at most (place_entity() of
 * Linux's fair.c: half of the scheduling latency of 6 ms) and preempts whoever has run this much
 * more (sched_wakeup_granularity_ns). */
#define SLEEPER_BONUS_NS 3e6
#define PREEMPTION_NS	 1e6

struct cpu_user {
	double left_ns;
	double run_ns; /* all its life, or as if so; what the kernel calls vruntime */
	double slice_ns;
	double since_ns; /* virtual time when it got the CPU */
	bool has_woken;	 /* and not run since */
};

int cpus_init(struct cpus *cpus, uint32_t task_cnt, double cnt, double parallel_part)
{
	*cpus = (struct cpus){ .cnt = cnt, .parallel_part = parallel_part, .slice_ns = SLICE_NS };
	cpus->users = calloc(task_cnt, sizeof(*cpus->users));
	if (!cpus->users || event_heap_init(&cpus->ends, task_cnt) ||
	    event_heap_init(&cpus->eldest, task_cnt))
		return -ENOMEM;
	return event_heap_init(&cpus->ready, task_cnt);
}

void cpus_release(struct cpus *cpus)
{
	event_heap_release(&cpus->ready);
	event_heap_release(&cpus->eldest);
	event_heap_release(&cpus->ends);
	free(cpus->users);
}

static double busy_cnt(const struct cpus *cpus)
{
	return fmin(cpus->ends.cnt, cpus->cnt);
}

/* How fast each of those that run does so, of a whole CPU of an idle machine. */
static double speed(const struct cpus *cpus)
{
	double busy = busy_cnt(cpus), scale = 1;

	if (cpus->cnt > 1 && busy > 1)
		scale = 1 - (1 - cpus->parallel_part) * (busy - 1) / (cpus->cnt - 1);
	return scale * busy / cpus->ends.cnt;
}

static void run(struct cpus *cpus, uint32_t task)
{
	struct cpu_user *user = &cpus->users[task];

	event_heap_remove(&cpus->ready, task);
	user->has_woken = false;
	user->since_ns = cpus->virtual_ns;
	user->slice_ns = fmin(user->left_ns, cpus->slice_ns);
	event_heap_put(&cpus->ends, task, cpus->virtual_ns + user->slice_ns);
	/* All of them run on equally, so who has run most when the clock stood at 0 still has. */
	event_heap_put(&cpus->eldest, task, cpus->virtual_ns - user->run_ns);
}

static void stop(struct cpus *cpus, uint32_t task, double run_ns)
{
	struct cpu_user *user = &cpus->users[task];

	event_heap_remove(&cpus->ends, task);
	event_heap_remove(&cpus->eldest, task);
	user->left_ns = fmax(0, user->left_ns - run_ns);
	user->run_ns += run_ns;
}

void cpus_compute(struct cpus *cpus, uint32_t task, double length_ns)
{
	struct cpu_user *user = &cpus->users[task];

	user->left_ns = length_ns;
	user->run_ns = fmax(user->run_ns, cpus->fair_ns - SLEEPER_BONUS_NS);
	user->has_woken = true;
	event_heap_put(&cpus->ready, task, user->run_ns);
}

double cpus_interrupt(struct cpus *cpus, uint32_t task)
{
	struct cpu_user *user = &cpus->users[task];

	if (event_heap_of(&cpus->ends, task))
		stop(cpus, task, cpus->virtual_ns - user->since_ns);
	else
		event_heap_remove(&cpus->ready, task);
	return user->left_ns;
}

/* The one that has run most makes room for one that woke up and has run clearly less. */
static bool preempt(struct cpus *cpus)
{
	const struct event *first = event_heap_first(&cpus->ready);
	const struct event *eldest = event_heap_first(&cpus->eldest);
	uint32_t task;

	if (!first || !eldest || !cpus->users[first->task].has_woken)
		return false;
	if (cpus->virtual_ns - eldest->at < first->at + PREEMPTION_NS)
		return false;
	task = eldest->task;
	stop(cpus, task, cpus->virtual_ns - cpus->users[task].since_ns);
	run(cpus, first->task);
	event_heap_put(&cpus->ready, task, cpus->users[task].run_ns);
	return true;
}

void cpus_dispatch(struct cpus *cpus)
{
	while (cpus->ready.cnt && cpus->ends.cnt < cpus->cnt)
		run(cpus, event_heap_first(&cpus->ready)->task);
	while (preempt(cpus))
		;
}

double cpus_next_ns(const struct cpus *cpus)
{
	const struct event *first = event_heap_first(&cpus->ends);

	if (!first)
		return INFINITY;
	return fmax(0, first->at - cpus->virtual_ns) / speed(cpus);
}

void cpus_advance(struct cpus *cpus, double elapsed_ns)
{
	double each_ns;

	if (!cpus->ends.cnt)
		return;
	each_ns = elapsed_ns * speed(cpus);
	cpus->virtual_ns += each_ns;
	cpus->fair_ns += each_ns * cpus->ends.cnt / (cpus->ends.cnt + cpus->ready.cnt);
	cpus->used_ns += elapsed_ns * busy_cnt(cpus);
}

uint32_t cpus_on_end(struct cpus *cpus)
{
	const struct event first = *event_heap_first(&cpus->ends);
	struct cpu_user *user = &cpus->users[first.task];

	/* Exactly, lest rounding leaves it a rest that no time is small enough for. */
	cpus->virtual_ns = first.at;
	stop(cpus, first.task, user->slice_ns);
	if (user->left_ns == 0)
		return first.task;
	event_heap_put(&cpus->ready, first.task, user->run_ns);
	if (++cpus->slice_cnt % SLICES_TO_DOUBLE == 0)
		cpus->slice_ns *= 2;
	return NO_TASK;
}
