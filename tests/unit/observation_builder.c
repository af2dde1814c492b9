/* See observation_builder.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

static const char *text(struct observation *obs, const char *bytes)
{
	const char *interned = observation_intern(obs, bytes, strlen(bytes));

	assert_non_null(interned);
	return interned;
}

void build_observation(struct observation *obs, uint64_t ms, uint64_t computing_ms,
		       uint64_t starved_ms, uint32_t cpus)
{
	observation_init(obs);
	obs->duration_ns = ms * MS;
	obs->program.computing_ns = computing_ms * MS;
	obs->program.starved_ns = starved_ms * MS;
	obs->program.quiet_ns = (ms - computing_ms - starved_ms) * MS;
	obs->host.cpus_online = cpus;
	obs->host.cpus_usable = cpus;
}

struct obs_process *build_process(struct observation *obs, pid_t pid, const char *exe)
{
	struct obs_process *process = observation_add_process(obs);
	const char *slash = strrchr(exe, '/');

	assert_non_null(process);
	process->pid = pid;
	process->exe = text(obs, exe);
	process->comm = text(obs, slash ? slash + 1 : exe);
	process->end_ns = obs->duration_ns;
	if (!strcmp(exe, PYTHON)) {
		process->python_hexversion = 0x030b0000;
		process->gil_is_known = true;
	}
	return process;
}

struct obs_thread *build_thread(struct observation *obs, pid_t pid, pid_t tid, uint64_t on_cpu_ms)
{
	struct obs_thread *thread = observation_add_thread(obs);
	struct obs_process *process = observation_find_process(obs, pid);

	assert_non_null(thread);
	thread->pid = pid;
	thread->tid = tid;
	thread->comm = process ? process->comm : "";
	thread->end_ns = obs->duration_ns;
	thread->on_cpu_ns = on_cpu_ms * MS;
	thread->switch_cnt = 1000;
	return thread;
}

static struct obs_thread *find_thread(const struct observation *obs, pid_t tid)
{
	for (size_t i = 0; i < obs->thread_cnt; i++)
		if (obs->threads[i].tid == tid)
			return &obs->threads[i];
	fail_msg("no thread %d", (int)tid);
	return NULL;
}

void build_wait(struct observation *obs, pid_t tid, struct wait_spec spec)
{
	struct obs_thread *thread = find_thread(obs, tid);
	struct obs_wait *row = observation_add_wait(obs);
	uint64_t cnt = spec.cnt ? spec.cnt : 1;

	assert_non_null(row);
	thread->wait_ns[spec.reason] += spec.ms * MS;
	thread->wait_cnt[spec.reason] += cnt;
	if (spec.via_event_loop) {
		thread->event_loop_wait_ns += spec.ms * MS;
		thread->event_loop_wait_cnt += cnt;
	}
	row->pid = thread->pid;
	row->reason = spec.reason;
	row->kind = spec.kind;
	row->direction = spec.direction;
	row->name = text(obs, spec.name ? spec.name : "");
	row->via_event_loop = spec.via_event_loop;
	row->timed_out = spec.timed_out;
	row->wait_ns = spec.ms * MS;
	row->wait_cnt = cnt;
	row->quiet_ns = spec.quiet_ms * MS;
	row->call = spec.call ? spec.call : "";
	row->device = spec.device ? spec.device : "";
	row->far_end = spec.far_end ? spec.far_end : "";
	row->operation = spec.operation;
	row->woken_by_tree_cnt = spec.by_tree ? cnt : 0;
	row->woken_by_other_cnt = spec.by_tree || spec.by_unknown ? 0 : cnt;
}

static void assert_share(double share)
{
	assert_true(share >= 0 && share <= 1.0 + 1e-9);
}

static uint64_t sum_of_waits(const struct report_wait *waits, size_t cnt)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < cnt; i++) {
		assert_in_range(waits[i].reason, 0, WAIT_REASON_CNT - 1);
		assert_int_not_equal(waits[i].reason, WAIT_STOPPED);
		assert_share(waits[i].share);
		if (i)
			assert_true(waits[i - 1].wait_ns >= waits[i].wait_ns);
		sum_ns += waits[i].wait_ns;
	}
	return sum_ns;
}

static void assert_objects_sum(const struct report_object *objects, size_t cnt, uint64_t whole_ns)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < cnt; i++) {
		assert_non_null(objects[i].name);
		assert_in_range(objects[i].direction, 0, DIRECTION_CNT - 1);
		assert_in_range(objects[i].kind, 0, OBJECT_KIND_CNT - 1);
		assert_in_range(objects[i].role, 0, WAIT_ROLE_CNT - 1);
		assert_in_range(objects[i].operation, 0, OPERATION_CNT - 1);
		assert_int_equal(objects[i].is_rest, !strcmp(objects[i].name, "(others)"));
		if (i && !objects[i].is_rest)
			assert_true(objects[i - 1].wait_ns >= objects[i].wait_ns);
		sum_ns += objects[i].wait_ns;
	}
	if (cnt)
		assert_int_equal(sum_ns, whole_ns);
}

static void assert_all_objects_sum(const struct report_wait *waits, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		assert_objects_sum(waits[i].objects, waits[i].object_cnt, waits[i].wait_ns);
}

static void assert_times_sum(const struct report *report)
{
	const struct report_thread_time *threads = &report->thread_time;
	const struct report_program_time *program = &report->program_time;

	assert_int_equal(threads->wall_ns, threads->on_cpu_ns + threads->run_queue_ns +
						   threads->throttled_ns + threads->stopped_ns +
						   sum_of_waits(threads->waits, threads->wait_cnt));
	assert_all_objects_sum(threads->waits, threads->wait_cnt);
	assert_all_objects_sum(program->waits, program->wait_cnt);
	assert_objects_sum(program->idle_objects, program->idle_object_cnt, program->idle_ns);
	assert_int_equal(program->wall_ns,
			 program->computing_ns + program->starved_ns + program->quiet_ns);
	assert_int_equal(program->quiet_ns,
			 program->idle_ns + sum_of_waits(program->waits, program->wait_cnt));
	assert_true(program->parallelism >= 0);
	assert_share(report->ratios.cpu);
	assert_share(report->ratios.wait);
	assert_share(report->ratios.run_queue);
}

static void assert_verdict_is_sound(const struct report_verdict *verdict)
{
	assert_in_range(verdict->verdict_class, 0, CLASS_CNT - 1);
	assert_share(verdict->confidence);
	assert_non_null(verdict->summary);
	assert_true(strlen(verdict->summary) > 0);
	assert_true(verdict->utilisation == -1 ||
		    (verdict->utilisation >= 0 && verdict->utilisation <= 1));
	if (!verdict->has_runner_up)
		return;
	assert_in_range(verdict->runner_up, 0, CLASS_CNT - 1);
	assert_int_not_equal(verdict->runner_up, verdict->verdict_class);
	assert_non_null(verdict->would_win_if);
}

/* "or else io-bound, if ...": with one "if". */
static void assert_runner_up_is_sound(const struct report_verdict *verdict)
{
	if (!verdict->has_runner_up)
		return;
	assert_memory_equal(verdict->would_win_if, "if ", 3);
	assert_null(strstr(verdict->would_win_if + 3, "if "));
}

static void assert_recommendation_is_sound(const struct report *report)
{
	const struct report_recommendation *to = &report->recommendation;

	assert_in_range(to->model, 0, MODEL_MIXED - 1);
	assert_in_range(to->action, 0, ACTION_CNT - 1);
	assert_non_null(to->summary);
	/* Reasons are sentences, and none says what the verdict's summary says already. */
	for (size_t i = 0; i < to->reason_cnt; i++) {
		assert_in_range(to->reasons[i][0], 'A', 'Z');
		assert_string_not_equal(to->reasons[i], report->verdict.summary);
	}
	if (to->action == ACTION_CHANGE)
		assert_true(to->reason_cnt > 0);
	assert_in_range(report->concurrency.current, 0, MODEL_CNT - 1);
	assert_true(report->concurrency.workers >= 1);
}

static void assert_findings_are_sound(const struct report *report)
{
	for (size_t i = 0; i < report->finding_cnt; i++) {
		const struct report_finding *finding = &report->findings[i];

		assert_true(strlen(finding->summary) > 0);
		assert_true(finding->evidence_cnt > 0);
		assert_in_range(finding->severity, 0, SEVERITY_CNT - 1);
		if (i)
			assert_true(report->findings[i - 1].severity >= finding->severity);
	}
}

void assert_report_is_sound(const struct report *report)
{
	assert_times_sum(report);
	assert_verdict_is_sound(&report->verdict);
	assert_runner_up_is_sound(&report->verdict);
	assert_recommendation_is_sound(report);
	assert_findings_are_sound(report);
	assert_non_null(report->runtime.name);
	assert_non_null(report->runtime.version);
	assert_true(report->role_cnt <= 8);
	for (size_t i = 0; i < report->role_cnt; i++) {
		assert_in_range(report->roles[i].verdict_class, 0, CLASS_CNT - 1);
		sum_of_waits(report->roles[i].waits, report->roles[i].wait_cnt);
	}
}

void build_report_for(struct observation *obs, uint32_t planned_concurrency, struct report *report)
{
	const struct analyze_options options = { .planned_concurrency = planned_concurrency };

	assert_int_equal(analyze(obs, &options, report), 0);
	observation_release(obs);
	assert_report_is_sound(report);
}

void build_report(struct observation *obs, struct report *report)
{
	build_report_for(obs, 0, report);
}

bool has_finding(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->finding_cnt; i++)
		if (!strcmp(report->findings[i].id, id))
			return true;
	return false;
}
