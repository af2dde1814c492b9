/* The table of findings. Each detector fills a summary and its evidence; docs/rules.md lists them.
 */
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/findings.h"
#include "decide/thresholds.h"

#define EVIDENCE_MAX 4

/* What detectors look at, and the finding they fill. */
struct detection {
	const struct facts *facts;
	const struct model *model;
	const struct report_verdict *verdict;
	struct report_finding *finding;
};

static double pct(double share)
{
	return 100 * share;
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void add_evidence(struct detection *on, const char *metric, double value, const char *unit)
{
	struct report_finding *finding = on->finding;

	if (!finding->evidence)
		finding->evidence =
			arena_array(on->facts->arena, EVIDENCE_MAX, sizeof(*finding->evidence));
	if (!finding->evidence || finding->evidence_cnt == EVIDENCE_MAX)
		return;
	finding->evidence[finding->evidence_cnt++] = (struct report_evidence){
		.metric = metric,
		.value = value,
		.unit = unit,
		.source = on->facts->obs->source == SOURCE_EBPF ? "scheduler events"
								: "samples of /proc",
	};
}

static bool is_class(const struct detection *on, enum verdict_class verdict_class)
{
	return on->verdict->verdict_class == verdict_class;
}

static bool threads_for_cpu_work(struct detection *on)
{
	const struct facts *facts = on->facts;

	if (!is_class(on, CLASS_CPU_BOUND) || !on->model->has_threads ||
	    !facts_has_interpreter_lock(facts) || facts_works_outside_lock(facts))
		return false;
	on->finding->summary = arena_printf(
		facts->arena,
		"%.1f threads wanted to compute at once, but under the %s they used %.2f CPUs "
		"together.",
		on->model->active_threads,
		facts_global_lock(facts) == GLOBAL_LOCK_GIL ? "GIL" : "GVL", facts->dominant_cpus);
	add_evidence(on, "threads active at once", on->model->active_threads, "threads");
	add_evidence(on, "CPUs used by the process", facts->dominant_cpus, "CPUs");
	add_evidence(on, "computing", facts->cpu_share, "share of busy time");
	return true;
}

/* Contention that costs nothing is no finding: threads that mostly wait for results meet at the GIL
 * for a moment after each. */
static bool gil_contention(struct detection *on)
{
	const struct gil_facts *gil = &on->facts->gil;

	if (!gil->process || gil->process->gil_waiter_cnt < 2 || gil->wait_share < GIL_WAIT_SHARE ||
	    share_of(gil->process->gil_ns, on->facts->busy_ns) < GIL_FINDING_SHARE ||
	    share_of(gil->process->gil_ns, gil->process->thread_active_ns) < GIL_FINDING_SHARE)
		return false;
	on->finding->summary =
		arena_printf(on->facts->arena,
			     "%u threads of process %d waited %.1f s for the GIL, %.0f%% of the "
			     "time they wanted to compute.",
			     gil->process->gil_waiter_cnt, (int)gil->process->process->pid,
			     seconds(gil->process->gil_ns), pct(gil->wait_share));
	add_evidence(on, "GIL wait", gil->wait_share, "share of on-CPU + GIL wait");
	add_evidence(on, "threads that waited", gil->process->gil_waiter_cnt, "threads");
	add_evidence(on, "CPUs used by the process", gil->cpus, "CPUs");
	return true;
}

static bool is_overlappable_io(const char *subclass)
{
	return !subclass || (strcmp(subclass, "paging") && strcmp(subclass, "disk"));
}

static bool processes_for_io(struct detection *on)
{
	const struct facts *facts = on->facts;

	/* An event loop for each CPU is no process for each wait. */
	if (!is_class(on, CLASS_IO_BOUND) || !on->model->has_processes || on->model->loop_thread ||
	    model_runs_commands(facts) || !is_overlappable_io(on->verdict->subclass))
		return false;
	on->finding->summary = arena_printf(
		facts->arena,
		"%u processes wait at the same time, computing %.0f%% of busy time: threads of one "
		"process would wait as well for less memory.",
		on->model->workers, pct(facts->cpu_share));
	add_evidence(on, "processes active at once", on->model->active_processes, "processes");
	add_evidence(on, "waiting for results", facts->io_share, "share of busy time");
	add_evidence(on, "computing", facts->cpu_share, "share of busy time");
	return true;
}

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
	add_evidence(on, "loop thread in blocking calls", blocked, "share of busy time");
	add_evidence(on, "loop thread in blocking calls", seconds(on->model->loop_blocked_ns), "s");
	add_evidence(on, "loop thread in the loop's own wait",
		     seconds(on->model->loop_thread->thread->event_loop_wait_ns), "s");
	return true;
}

static bool cpu_work_on_event_loop(struct detection *on)
{
	const struct facts *facts = on->facts;
	double on_cpu;

	if (!on->model->loop_thread || !is_class(on, CLASS_CPU_BOUND) ||
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
	add_evidence(on, "loop thread on CPU", on_cpu, "share of busy time");
	add_evidence(on, "loop thread in the loop's own wait",
		     seconds(on->model->loop_thread->thread->event_loop_wait_ns), "s");
	return true;
}

static bool more_workers_than_cores(struct detection *on)
{
	const struct facts *facts = on->facts;
	const struct report_thread_time *time = facts->thread_time;
	uint32_t workers = model_compute_workers(facts, on->model);
	double queued = share_of(time->run_queue_ns + time->throttled_ns,
				 time->on_cpu_ns + time->run_queue_ns + time->throttled_ns);

	if (!is_class(on, CLASS_CPU_BOUND) || workers <= usable_cpus(facts) || queued < QUEUE_SHARE)
		return false;
	on->finding->summary = arena_printf(facts->arena,
					    "%u workers compute on %u usable CPUs: they spent "
					    "%.0f%% of the time they were ready "
					    "queueing for one.",
					    workers, usable_cpus(facts), pct(queued));
	add_evidence(on, "workers that compute", workers, "workers");
	add_evidence(on, "usable CPUs", facts->cpus, "CPUs");
	add_evidence(on, "run queue", queued, "share of runnable time");
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

	if (is_class(on, CLASS_IDLE) || is_class(on, CLASS_INCONCLUSIVE))
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
	add_evidence(on, "idle threads", cnt, "threads");
	add_evidence(on, "computing", facts->cpu_share, "share of busy time");
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
	add_evidence(on, "threads active at once", model->active_threads, "threads");
	add_evidence(on, "waiting for each other", model->turns_share, "share of their life");
	return true;
}

static bool lock_contention(struct detection *on)
{
	const struct lock_facts *lock = &on->facts->lock;

	if (lock->waiter_cnt < 2 || lock->thread_share < LOCK_FINDING_SHARE)
		return false;
	on->finding->summary =
		arena_printf(on->facts->arena,
			     "%u threads waited %.1f s for locks, %.0f%% of their time (rest and "
			     "run queue not counted); most for %s.",
			     lock->waiter_cnt, seconds(lock->wait_ns), pct(lock->thread_share),
			     lock->name[0] ? lock->name : "a lock that is not known");
	on->finding->severity = is_class(on, CLASS_LOCK_BOUND) ? SEVERITY_HIGH : SEVERITY_WARNING;
	add_evidence(on, "lock wait", lock->thread_share, "share of the threads' time");
	add_evidence(on, "threads that waited", lock->waiter_cnt, "threads");
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
	add_evidence(on, "throttled", facts->throttled_share, "share of runnable time");
	add_evidence(on, "CPU quota", facts->obs->host.cpu_quota, "CPUs");
	return true;
}

static bool cpu_starved(struct detection *on)
{
	const struct facts *facts = on->facts;

	/* What little an idle program does may well have had to wait. */
	if (facts->starved_share < STARVED_SHARE || facts->busy_ns < MIN_BUSY_NS ||
	    facts->idle_share >= IDLE_SHARE)
		return false;
	on->finding->summary = arena_printf(
		facts->arena, "For %.0f%% of its busy time it was ready to run and got no CPU.",
		pct(facts->starved_share));
	add_evidence(on, "starved", facts->starved_share, "share of busy time");
	return true;
}

static const char *name_serial_io(uint64_t network_ns, uint64_t disk_ns)
{
	uint64_t both_ns = network_ns + disk_ns;

	if (share_of(disk_ns, both_ns) < IO_NAME_SHARE)
		return "the network";
	if (share_of(network_ns, both_ns) < IO_NAME_SHARE)
		return "the disk";
	return "network and disk";
}

/* A pipe can't be asked for two things at once; sockets and files can. */
static bool serial_io(struct detection *on)
{
	const struct facts *facts = on->facts;
	uint64_t network_ns = facts->io_ns[WAIT_NETWORK] + facts->io_ns[WAIT_POLL];
	uint64_t disk_ns = facts->io_ns[WAIT_DISK];
	double share = share_of(network_ns + disk_ns, facts->busy_ns);

	if (on->model->current != MODEL_SYNC || facts->outside_cnt < SERIAL_WAITS_MIN ||
	    share < SERIAL_SHARE)
		return false;
	on->finding->summary = arena_printf(
		facts->arena,
		"One worker waited for %s for %.0f%% of busy time, in %llu waits one after "
		"another, never for two results at once.",
		name_serial_io(network_ns, disk_ns), pct(share),
		(unsigned long long)facts->outside_cnt);
	add_evidence(on, "waiting for network and disk", share, "share of busy time");
	add_evidence(on, "waits one after another", (double)facts->outside_cnt, "waits");
	return true;
}

struct finding_rule {
	const char *id;
	enum finding_severity severity;
	bool (*detect)(struct detection *on);
};

static const struct finding_rule rules[] = {
	{ "blocking-call-on-event-loop", SEVERITY_HIGH, blocking_call_on_event_loop },
	{ "threads-for-cpu-work", SEVERITY_HIGH, threads_for_cpu_work },
	{ "cpu-work-on-event-loop", SEVERITY_HIGH, cpu_work_on_event_loop },
	{ "cpu-throttled", SEVERITY_WARNING, cpu_throttled },
	{ "cpu-starved", SEVERITY_WARNING, cpu_starved },
	{ "lock-contention", SEVERITY_WARNING, lock_contention },
	{ "gil-contention", SEVERITY_WARNING, gil_contention },
	{ "workers-take-turns", SEVERITY_WARNING, workers_take_turns },
	{ "processes-for-io", SEVERITY_WARNING, processes_for_io },
	{ "more-workers-than-cores", SEVERITY_WARNING, more_workers_than_cores },
	{ "serial-io", SEVERITY_WARNING, serial_io },
	{ "idle-workers", SEVERITY_INFO, idle_workers },
};

#define RULE_CNT (sizeof(rules) / sizeof(rules[0]))

static int by_severity(const void *a, const void *b)
{
	const struct report_finding *left = a, *right = b;

	if (left->severity != right->severity)
		return left->severity < right->severity ? 1 : -1;
	return strcmp(left->id, right->id);
}

void findings_report(const struct facts *facts, const struct model *model, struct report *report)
{
	struct detection on = { facts, model, &report->verdict, NULL };

	report->findings = arena_array(facts->arena, RULE_CNT, sizeof(*report->findings));
	if (!report->findings)
		return;
	for (size_t i = 0; i < RULE_CNT; i++) {
		on.finding = &report->findings[report->finding_cnt];
		on.finding->id = rules[i].id;
		on.finding->severity = rules[i].severity;
		if (rules[i].detect(&on))
			report->finding_cnt++;
	}
	qsort(report->findings, report->finding_cnt, sizeof(*report->findings), by_severity);
}
