/* Findings about threads that wait for each other. */
#include "account/lock_holders.h"
#include "account/thread_time.h"
#include "arena.h"
#include "decide/convoy.h"
#include "decide/detection.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

/* Who held a lock, as the end of a sentence that says how long it was waited for; "" if that isn't
 * known. */
static const char *held_by(struct detection *on, const struct lock_held *held)
{
	const struct obs_lock_holder *longest = held->longest;

	if (!longest)
		return "";
	if (held->share >= HOLDER_SHARE)
		return arena_printf(on->facts->arena,
				    "; thread %s (tid %d) held it for %.0f%% of that",
				    longest->comm, (int)longest->tid, pct(held->share));
	return arena_printf(on->facts->arena,
			    "; %s%u threads held it in turn, %s (tid %d) longest (%.0f%% of that)",
			    held->has_others ? "more than " : "", held->holder_cnt, longest->comm,
			    (int)longest->tid, pct(held->share));
}

static void add_held_evidence(struct detection *on, const struct lock_held *held)
{
	const struct obs_lock_holder *longest = held->longest;

	if (!longest)
		return;
	detection_add_evidence(on, "hand-overs", (double)held->handover_cnt, "hand-overs");
	detection_add_evidence(on,
			       arena_printf(on->facts->arena, "wait while %s (tid %d) held it",
					    longest->comm, (int)longest->tid),
			       held->share, "share of the wait for it");
}

/* Contention that costs nothing is no finding: threads that mostly wait for results meet at the GIL
 * for a moment after each. */
static bool gil_contention(struct detection *on)
{
	const struct gil_facts *gil = &on->facts->gil;
	struct lock_held held;

	if (!gil->process || gil->process->gil_waiter_cnt < 2 || gil->wait_share < GIL_WAIT_SHARE ||
	    share_of(gil->process->gil_ns, on->facts->busy_ns) < GIL_FINDING_SHARE ||
	    share_of(gil->process->gil_ns, gil->process->thread_active_ns) < GIL_FINDING_SHARE)
		return false;
	held = lock_held_by(on->facts->obs, "futex GIL", gil->process->process->pid,
			    on->facts->scratch);
	on->finding->summary = arena_printf(
		on->facts->arena,
		"%u threads of process %d waited %.1f s for the GIL, %.0f%% of the "
		"time they wanted to compute%s.",
		gil->process->gil_waiter_cnt, (int)gil->process->process->pid,
		seconds(gil->process->gil_ns), pct(gil->wait_share), held_by(on, &held));
	detection_add_evidence(on, "GIL wait", gil->wait_share, "share of on-CPU + GIL wait");
	detection_add_evidence(on, "threads that waited", gil->process->gil_waiter_cnt, "threads");
	detection_add_evidence(on, "CPUs used by the process", gil->cpus, "CPUs");
	add_held_evidence(on, &held);
	return true;
}

static bool gil_convoy(struct detection *on)
{
	struct convoy convoy;

	if (!convoy_find(on->facts, &convoy))
		return false;
	on->finding->summary = arena_printf(
		on->facts->arena,
		"Thread %s (tid %d) waits for results and computes little, but stood in line for "
		"the GIL %llu times, %.2g ms each, behind thread %s (tid %d), which computes: it "
		"takes %.*f times as long as it would without.",
		convoy.held_up->thread->comm, (int)convoy.held_up->thread->tid,
		(unsigned long long)convoy.lock_cnt,
		(double)convoy.lock_ns / 1e6 / (double)convoy.lock_cnt,
		convoy.computing->thread->comm, (int)convoy.computing->thread->tid,
		convoy.slowdown < 10, convoy.slowdown);
	detection_add_evidence(on, "GIL wait of the thread held up",
			       share_of(convoy.lock_ns, convoy.held_up->active_ns),
			       "share of its active time");
	detection_add_evidence(on, "times as long", convoy.slowdown, "times");
	return true;
}

static bool workers_take_turns(struct detection *on)
{
	const struct model *model = on->model;

	if (model->turns_share <= 0)
		return false;
	on->finding->summary =
		arena_printf(on->facts->arena,
			     "%u threads work, but %.2f at once: they waited for each other %.0f%% "
			     "of their time.",
			     model->workers, model->active_threads, pct(model->turns_share));
	detection_add_evidence(on, "threads active at once", model->active_threads, "threads");
	detection_add_evidence(on, "waiting for each other", model->turns_share,
			       "share of their life");
	return true;
}

static const char *most_for(struct detection *on, const struct lock_held *held)
{
	const struct lock_facts *lock = &on->facts->lock;

	if (!lock->name[0])
		return "a lock that is not known";
	return arena_printf(on->facts->arena, "%s: %.1f s in %llu waits%s", lock->name,
			    seconds(lock->name_ns), (unsigned long long)lock->name_cnt,
			    held_by(on, held));
}

static bool lock_contention(struct detection *on)
{
	const struct lock_facts *lock = &on->facts->lock;
	struct lock_held held;

	if (lock->waiter_cnt < 2 || lock->thread_share < LOCK_FINDING_SHARE)
		return false;
	held = lock_held_by(on->facts->obs, lock->name, 0, on->facts->scratch);
	on->finding->summary =
		arena_printf(on->facts->arena,
			     "%u threads waited %.1f s for locks, %.0f%% of their time (rest and "
			     "run queue not counted); most for %s.",
			     lock->waiter_cnt, seconds(lock->wait_ns), pct(lock->thread_share),
			     most_for(on, &held));
	on->finding->severity =
		detection_is_class(on, CLASS_LOCK_BOUND) ? SEVERITY_HIGH : SEVERITY_WARNING;
	detection_add_evidence(on, "lock wait", lock->thread_share, "share of the threads' time");
	detection_add_evidence(on, "threads that waited", lock->waiter_cnt, "threads");
	if (lock->name[0]) {
		detection_add_evidence(on, "wait for that lock", seconds(lock->name_ns), "s");
		detection_add_evidence(on, "waits for that lock", (double)lock->name_cnt, "waits");
	}
	add_held_evidence(on, &held);
	return true;
}

const struct finding_rule lock_findings[] = {
	{ "lock-contention", SEVERITY_WARNING, lock_contention },
	{ "gil-contention", SEVERITY_WARNING, gil_contention },
	{ "gil-convoy", SEVERITY_HIGH, gil_convoy },
	{ "workers-take-turns", SEVERITY_WARNING, workers_take_turns },
	{ NULL, SEVERITY_INFO, NULL },
};
