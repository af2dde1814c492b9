/* Findings about event loops: what keeps one from looking at its descriptors. */
#include "account/thread_time.h"
#include "arena.h"
#include "decide/detection.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

static const char *duration(struct arena *arena, uint64_t ns)
{
	return ns < 1000000000 ? arena_printf(arena, "%.3g ms", ms(ns))
			       : arena_printf(arena, "%.3g s", seconds(ns));
}

/* What the longest of a call's waits was; "" where it is the only one, or not known. */
static const char *times_and_longest(struct arena *arena, const struct blocking_call *blocking)
{
	if (blocking->cnt < 2 || !blocking->max_ns)
		return "";
	return arena_printf(arena, " (%llu times, longest %s)", (unsigned long long)blocking->cnt,
			    duration(arena, blocking->max_ns));
}

/* How long others on the loop were kept waiting, where that was seen. */
static const char *late_sentence(struct arena *arena, const struct obs_thread *loop)
{
	if (!loop->loop_late_cnt)
		return "";
	return arena_printf(arena,
			    " Other sockets of the loop were ready in %llu of its calls and waited "
			    "%s in all, up to %s.",
			    (unsigned long long)loop->loop_late_cnt,
			    duration(arena, loop->loop_late_ns),
			    duration(arena, loop->loop_late_max_ns));
}

static bool blocking_call_on_event_loop(struct detection *on)
{
	const struct facts *facts = on->facts;
	const struct model *model = on->model;
	double blocked = share_of(model->loop_blocked_ns, facts->busy_ns);
	const struct obs_thread *loop;

	if (!model->loop_thread || blocked < BLOCKING_SHARE)
		return false;
	loop = model->loop_thread->thread;
	on->finding->summary = arena_printf(
		facts->arena,
		"The event loop's thread sat in blocking calls for %.1f s, %.0f%% of busy time, "
		"most in %s%s: nothing else on the loop moves meanwhile.%s",
		seconds(model->loop_blocked_ns), pct(blocked), model->blocking.call,
		times_and_longest(facts->arena, &model->blocking),
		late_sentence(facts->arena, loop));
	detection_add_evidence(on, "loop thread in blocking calls", blocked, "share of busy time");
	detection_add_evidence(on, "loop thread in blocking calls", seconds(model->loop_blocked_ns),
			       "s");
	detection_add_evidence(on, "loop thread in the loop's own wait",
			       seconds(loop->event_loop_wait_ns), "s");
	if (loop->loop_late_cnt)
		detection_add_evidence(on, "ready sockets kept waiting",
				       seconds(loop->loop_late_ns), "s");
	return true;
}

/* Long runs of computing hold up the rest even where the program mostly waits. What it waited for a
 * CPU says nothing about them. */
static bool computes_long(const struct detection *on, const struct obs_thread *loop)
{
	double served_part = 1 - on->facts->starved_share;

	return loop->loop_run_max_ns >= LOOP_RUN_NS &&
	       share_of(loop->loop_run_ns, on->facts->busy_ns) >= BLOCKING_SHARE * served_part;
}

static const char *longest_run(struct arena *arena, const struct obs_thread *loop)
{
	if (!loop->loop_run_cnt)
		return "";
	return arena_printf(arena, " Its longest run without a wait took about %s.",
			    duration(arena, loop->loop_run_max_ns));
}

static bool cpu_work_on_event_loop(struct detection *on)
{
	const struct facts *facts = on->facts;
	const struct obs_thread *loop;
	double on_cpu;

	if (!on->model->loop_thread || facts_global_lock(facts) == GLOBAL_LOCK_NONE)
		return false;
	loop = on->model->loop_thread->thread;
	on_cpu = share_of(loop->on_cpu_ns, facts->busy_ns);
	if (!(detection_is_class(on, CLASS_CPU_BOUND) && on_cpu >= LOOP_CPU_SHARE) &&
	    !computes_long(on, loop))
		return false;
	on->finding->summary = arena_printf(facts->arena,
					    "The event loop's thread computed for %.0f%% of busy "
					    "time: what it computes holds up everything else on "
					    "the loop.%s",
					    pct(on_cpu), longest_run(facts->arena, loop));
	detection_add_evidence(on, "loop thread on CPU", on_cpu, "share of busy time");
	detection_add_evidence(on, "loop thread in the loop's own wait",
			       seconds(loop->event_loop_wait_ns), "s");
	if (loop->loop_run_cnt)
		detection_add_evidence(on, "longest run without a wait",
				       seconds(loop->loop_run_max_ns), "s");
	return true;
}

const struct finding_rule loop_findings[] = {
	{ "blocking-call-on-event-loop", SEVERITY_HIGH, blocking_call_on_event_loop },
	{ "cpu-work-on-event-loop", SEVERITY_HIGH, cpu_work_on_event_loop },
	{ NULL, SEVERITY_INFO, NULL },
};
