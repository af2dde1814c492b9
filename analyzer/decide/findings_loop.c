/* Findings about event loops: what keeps one from looking at its descriptors. */
#include "account/thread_time.h"
#include "arena.h"
#include "decide/detection.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

static bool blocking_call_on_event_loop(struct detection *on)
{
	const struct facts *facts = on->facts;
	double blocked = share_of(on->model->loop_blocked_ns, facts->busy_ns);

	if (!on->model->loop_thread || blocked < BLOCKING_SHARE)
		return false;
	on->finding->summary = arena_printf(facts->arena,
					    "The event loop's thread sat in blocking calls for "
					    "%.1f s, %.0f%% of busy time, most "
					    "on %s: nothing else on the loop moves meanwhile.",
					    seconds(on->model->loop_blocked_ns), pct(blocked),
					    on->model->blocking_object);
	detection_add_evidence(on, "loop thread in blocking calls", blocked, "share of busy time");
	detection_add_evidence(on, "loop thread in blocking calls",
			       seconds(on->model->loop_blocked_ns), "s");
	detection_add_evidence(on, "loop thread in the loop's own wait",
			       seconds(on->model->loop_thread->thread->event_loop_wait_ns), "s");
	return true;
}

static bool cpu_work_on_event_loop(struct detection *on)
{
	const struct facts *facts = on->facts;
	double on_cpu;

	if (!on->model->loop_thread || !detection_is_class(on, CLASS_CPU_BOUND) ||
	    facts_global_lock(facts) == GLOBAL_LOCK_NONE)
		return false;
	on_cpu = share_of(on->model->loop_thread->thread->on_cpu_ns, facts->busy_ns);
	if (on_cpu < LOOP_CPU_SHARE)
		return false;
	on->finding->summary = arena_printf(facts->arena,
					    "The event loop's thread computed for %.0f%% of busy "
					    "time: what it computes holds up "
					    "everything else on the loop.",
					    pct(on_cpu));
	detection_add_evidence(on, "loop thread on CPU", on_cpu, "share of busy time");
	detection_add_evidence(on, "loop thread in the loop's own wait",
			       seconds(on->model->loop_thread->thread->event_loop_wait_ns), "s");
	return true;
}

const struct finding_rule loop_findings[] = {
	{ "blocking-call-on-event-loop", SEVERITY_HIGH, blocking_call_on_event_loop },
	{ "cpu-work-on-event-loop", SEVERITY_HIGH, cpu_work_on_event_loop },
	{ NULL, SEVERITY_INFO, NULL },
};
