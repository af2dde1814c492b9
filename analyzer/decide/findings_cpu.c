/* Findings about CPUs: those that it uses, those that it lacks, and workers beyond them. */
#include "account/thread_time.h"
#include "arena.h"
#include "decide/convoy.h"
#include "decide/detection.h"
#include "decide/phrase.h"
#include "decide/polling.h"
#include "decide/rivals.h"
#include "decide/thresholds.h"

/* Threads of the dominant process that computed, or would have without the lock or other threads.
 */
static double computing_threads(const struct facts *facts)
{
	const struct process_facts *process = facts->dominant;
	uint64_t wanted_ns = 0, while_ns = process->life_ns;

	for (size_t i = 0; i < process->thread_cnt; i++)
		wanted_ns += process->threads[i]->runnable_ns +
			     process->threads[i]->thread->wait_ns[WAIT_GIL];
	if (facts->busy_ns < while_ns)
		while_ns = facts->busy_ns;
	return share_of(wanted_ns, while_ns);
}

static bool threads_for_cpu_work(struct detection *on)
{
	const struct facts *facts = on->facts;
	double threads;

	if (!detection_is_class(on, CLASS_CPU_BOUND) || !on->model->has_threads ||
	    on->model->serves_in_turn || !facts_has_interpreter_lock(facts) ||
	    facts_works_outside_lock(facts) || background_find(facts))
		return false;
	threads = computing_threads(facts);
	on->finding->summary = arena_printf(
		facts->arena,
		"%.1f threads wanted to compute at once, but under the %s they used %.2f CPUs "
		"together.",
		threads, facts_global_lock(facts) == GLOBAL_LOCK_GIL ? "GIL" : "GVL",
		facts->dominant_cpus);
	detection_add_evidence(on, "threads that wanted to compute at once", threads, "threads");
	detection_add_evidence(on, "CPUs used by the process", facts->dominant_cpus, "CPUs");
	detection_add_evidence(on, "computing", facts->cpu_share, "share of busy time");
	return true;
}

/* Who is in the way of workers that queue: each other, or somebody else. */
static const char *behind_whom(const struct facts *facts)
{
	const char *rivals = rivals_phrase(facts);
	double own = rivals_own_share(facts);

	if (own >= RIVALS_ARE_OWN)
		return ", behind each other";
	if (own < 0 || !rivals)
		return "";
	return arena_printf(facts->arena, ", and not only behind each other: %s", rivals);
}

static bool more_workers_than_cores(struct detection *on)
{
	const struct facts *facts = on->facts;
	const struct report_thread_time *time = facts->thread_time;
	uint32_t workers = model_compute_workers(facts, on->model);
	double queued = share_of(time->run_queue_ns + time->throttled_ns,
				 time->on_cpu_ns + time->run_queue_ns + time->throttled_ns);

	if (!detection_is_class(on, CLASS_CPU_BOUND) || workers <= usable_cpus(facts) ||
	    queued < QUEUE_SHARE || facts_workers_wait(facts))
		return false;
	on->finding->summary =
		arena_printf(facts->arena,
			     "%u workers compute on %u usable CPUs: they spent "
			     "%.0f%% of the time they were ready "
			     "queueing for one%s.",
			     workers, usable_cpus(facts), pct(queued), behind_whom(facts));
	detection_add_evidence(on, "workers that compute", workers, "workers");
	detection_add_evidence(on, "usable CPUs", facts->cpus, "CPUs");
	detection_add_evidence(on, "run queue", queued, "share of runnable time");
	return true;
}

static bool is_idle_worker(const struct thread_facts *thread)
{
	return thread->life_ns && thread->thread->tid != thread->thread->pid && thread->process &&
	       !runtime_has_helper_threads(thread->process->runtime) &&
	       share_of(thread->idle_ns, thread->life_ns) >= IDLE_WORKER_SHARE;
}

static bool idle_workers(struct detection *on)
{
	const struct facts *facts = on->facts;
	uint32_t cnt = 0;

	if (detection_is_class(on, CLASS_IDLE) || detection_is_class(on, CLASS_INCONCLUSIVE))
		return false;
	for (size_t i = 0; i < facts->obs->thread_cnt; i++)
		if (is_idle_worker(&facts->threads[i]))
			cnt++;
	if (cnt < IDLE_WORKERS_MIN || facts->cpu_share < LOOP_CPU_SHARE)
		return false;
	on->finding->summary = arena_printf(facts->arena,
					    "%u threads waited for something to do for at least "
					    "%.0f%% of their life while others "
					    "computed.",
					    cnt, pct(IDLE_WORKER_SHARE));
	detection_add_evidence(on, "idle threads", cnt, "threads");
	detection_add_evidence(on, "computing", facts->cpu_share, "share of busy time");
	return true;
}

static bool cpu_throttled(struct detection *on)
{
	const struct facts *facts = on->facts;

	if (facts->throttled_share < THROTTLED_SHARE)
		return false;
	on->finding->summary = arena_printf(
		facts->arena,
		"The cgroup's quota of %.3g CPUs held its threads back for %.0f%% of the time they "
		"were ready to run.",
		facts->cpus, pct(facts->throttled_share));
	detection_add_evidence(on, "throttled", facts->throttled_share, "share of runnable time");
	detection_add_evidence(on, "CPU quota", facts->obs->host.cpu_quota, "CPUs");
	return true;
}

static bool cpu_starved(struct detection *on)
{
	const struct facts *facts = on->facts;
	const char *rivals = rivals_phrase(facts);

	/* What little an idle program does may well have had to wait. */
	if (facts->contended_share < STARVED_FINDING_SHARE || facts->busy_ns < MIN_BUSY_NS ||
	    facts->idle_share >= IDLE_SHARE)
		return false;
	on->finding->summary = arena_printf(
		facts->arena, "For %.0f%% of its busy time it was ready to run and got no CPU%s%s.",
		pct(facts->contended_share), rivals ? ": " : "", rivals ? rivals : "");
	detection_add_evidence(on, "starved", facts->contended_share, "share of busy time");
	if (rivals)
		detection_add_evidence(on,
				       arena_printf(facts->arena, "queued behind %s",
						    facts->thread_time->queue.neighbours[0].name),
				       rivals_largest_share(facts), "share of run-queue time");
	return true;
}

static void add_sampled(struct detection *on, const char *metric, double value, const char *unit)
{
	struct report_finding *finding = on->finding;

	detection_add_evidence(on, metric, value, unit);
	if (finding->evidence_cnt)
		finding->evidence[finding->evidence_cnt - 1].source = "samples of the CPUs";
}

static bool busy_polling(struct detection *on)
{
	struct vain_work polling = polling_find(on->facts);
	bool is_one = polling.thread_cnt == 1;

	if (!polling.thread_cnt)
		return false;
	on->finding->summary = arena_printf(
		on->facts->arena,
		"%u thread%s kept a CPU busy for %.1f s asking again and again for what wasn't "
		"there, without ever sleeping: %.0f%% of the samples of %s were in such calls, "
		"most "
		"in %s. Let it block until there is something: in that call, or in poll or epoll "
		"with a timeout.",
		polling.thread_cnt, is_one ? "" : "s", seconds(polling.on_cpu_ns),
		pct(polling.sample_share), is_one ? "it" : "them", polling.call);
	add_sampled(on, "asking in vain", polling.sample_share, "share of the threads' samples");
	add_sampled(on, "samples", (double)polling.sample_cnt, "samples");
	detection_add_evidence(on, "CPU time of the polling threads", seconds(polling.on_cpu_ns),
			       "s");
	return true;
}

static bool spinning_lock(struct detection *on)
{
	struct vain_work spinning = spinning_find(on->facts);

	if (!spinning.thread_cnt)
		return false;
	on->finding->summary = arena_printf(
		on->facts->arena,
		"%u thread%s spent %.0f%% of %.1f s on CPUs spinning until another thread is done. "
		"That is cheaper than to sleep only where it takes less than a microsecond or so "
		"and the other one is on a CPU: use a lock or a condition that sleeps.",
		spinning.thread_cnt, spinning.thread_cnt == 1 ? "" : "s",
		pct(spinning.sample_share), seconds(spinning.on_cpu_ns));
	add_sampled(on, "spinning", spinning.sample_share, "share of the threads' samples");
	add_sampled(on, "samples", (double)spinning.sample_cnt, "samples");
	detection_add_evidence(on, "threads that spin", spinning.thread_cnt, "threads");
	return true;
}

const struct finding_rule cpu_findings[] = {
	{ "threads-for-cpu-work", SEVERITY_HIGH, threads_for_cpu_work },
	{ "busy-polling", SEVERITY_WARNING, busy_polling },
	{ "spinning-lock", SEVERITY_WARNING, spinning_lock },
	{ "cpu-throttled", SEVERITY_WARNING, cpu_throttled },
	{ "cpu-starved", SEVERITY_WARNING, cpu_starved },
	{ "more-workers-than-cores", SEVERITY_WARNING, more_workers_than_cores },
	{ "idle-workers", SEVERITY_INFO, idle_workers },
	{ NULL, SEVERITY_INFO, NULL },
};
