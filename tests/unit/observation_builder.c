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

/* Random, but the same in every run: xorshift64 (Marsaglia, "Xorshift RNGs", 2003). */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint64_t vary(uint64_t ns, uint32_t pct, uint64_t *seed)
{
	uint64_t range_ns = ns * pct / 100;

	return range_ns ? ns - range_ns + next_random(seed) % (2 * range_ns + 1) : ns;
}

static struct obs_wait *find_row(const struct observation *obs, pid_t pid, enum wait_reason reason)
{
	for (size_t i = 0; i < obs->wait_cnt; i++)
		if (obs->waits[i].pid == pid && obs->waits[i].reason == reason)
			return &obs->waits[i];
	fail_msg("no row of %d for %s", (int)pid, wait_reason_name(reason));
	return NULL;
}

/* One round: @run_ns on a CPU, @wait_ns of waiting. */
struct round {
	uint64_t start_ns, run_ns, wait_ns;
	enum wait_reason reason;
	bool is_quiet; /* while it waits */
};

static void add_round(struct observation *obs, pid_t tid, struct round round)
{
	struct obs_thread *thread = find_thread(obs, tid);
	struct obs_segment *segment = observation_add_segment(obs);
	struct obs_wait *row = find_row(obs, thread->pid, round.reason);

	assert_non_null(segment);
	*segment = (struct obs_segment){
		.thread = (uint32_t)(thread - obs->threads),
		.start_ns = round.start_ns,
		.end_ns = round.start_ns + round.run_ns + round.wait_ns,
		.on_cpu_ns = round.run_ns,
	};
	segment->wait_ns[round.reason] = round.wait_ns;
	segment->wait_cnt[round.reason] = 1;
	thread->on_cpu_ns += round.run_ns;
	thread->wait_ns[round.reason] += round.wait_ns;
	thread->wait_cnt[round.reason]++;
	row->wait_ns += round.wait_ns;
	row->wait_cnt++;
	if (!round.is_quiet)
		return;
	row->quiet_ns += round.wait_ns;
	obs->program.computing_ns += round.run_ns;
	obs->program.quiet_ns += round.wait_ns;
}

static uint64_t run_within(const struct obs_segment *segment, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t run_end_ns = segment->start_ns + segment->on_cpu_ns;
	uint64_t from_ns = segment->start_ns > start_ns ? segment->start_ns : start_ns;
	uint64_t to_ns = run_end_ns < end_ns ? run_end_ns : end_ns;

	return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* What the segments from @first on computed is what the program did. */
static void build_slices(struct observation *obs, size_t first)
{
	for (uint64_t at_ns = 0; at_ns < obs->duration_ns; at_ns += 5 * MS) {
		struct obs_slice *slice = observation_add_slice(obs);

		assert_non_null(slice);
		slice->start_ns = at_ns;
		slice->end_ns =
			at_ns + 5 * MS < obs->duration_ns ? at_ns + 5 * MS : obs->duration_ns;
		for (size_t i = first; i < obs->segment_cnt; i++)
			slice->computing_ns +=
				run_within(&obs->segments[i], slice->start_ns, slice->end_ns);
	}
}

void build_timeline(struct observation *obs, pid_t tid, const struct stretch *stretches, size_t cnt,
		    bool makes_program_time, uint64_t *seed)
{
	uint64_t at_ns = 0, end_ns = 0;
	size_t first = obs->segment_cnt;

	if (makes_program_time)
		obs->program = (struct obs_program){ .computing_ns = 0 };
	for (size_t i = 0; i < cnt; i++) {
		const struct stretch *stretch = &stretches[i];

		end_ns += stretch->ms * MS;
		while (at_ns < end_ns) {
			uint64_t round_ns = stretch->round_ms * MS, run_ns;

			run_ns = vary(round_ns * stretch->cpu_pct / 100, stretch->noise_pct, seed);
			round_ns = vary(round_ns, stretch->noise_pct, seed);
			round_ns = round_ns < end_ns - at_ns ? round_ns : end_ns - at_ns;
			run_ns = run_ns < round_ns ? run_ns : round_ns;
			add_round(obs, tid,
				  (struct round){ at_ns, run_ns, round_ns - run_ns, stretch->reason,
						  makes_program_time });
			at_ns += round_ns;
		}
	}
	assert_int_equal(at_ns, obs->duration_ns);
	if (makes_program_time)
		build_slices(obs, first);
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

/* Phases follow each other from the beginning to the end. */
static void assert_phases_tile_the_run(const struct report *report)
{
	uint64_t at_ns = 0;

	assert_in_range(report->phase_cnt, 1, 6);
	for (size_t i = 0; i < report->phase_cnt; i++) {
		const struct report_phase *phase = &report->phases[i];

		assert_int_equal(phase->start_ns, at_ns);
		assert_true(phase->end_ns >= phase->start_ns);
		assert_in_range(phase->verdict_class, 0, CLASS_CNT - 1);
		assert_true(strlen(phase->name) > 0);
		assert_true(strlen(phase->summary) > 0);
		assert_true(strlen(phase->recommendation.summary) > 0);
		assert_in_range(phase->recommendation.model, 0, MODEL_MIXED - 1);
		assert_int_equal(phase->computing_ns + phase->starved_ns + phase->quiet_ns,
				 phase->end_ns - phase->start_ns);
		assert_true(phase->idle_ns <= phase->quiet_ns);
		at_ns = phase->end_ns;
	}
	assert_int_equal(at_ns, report->program_time.wall_ns);
}

static uint64_t assert_stacks_are_sound(const struct report *report)
{
	uint64_t on_cpu_ns = 0, all_ns = 0;

	for (size_t i = 0; i < report->stack_cnt; i++) {
		const struct report_stack *stack = &report->stacks[i];

		if (i)
			assert_true(report->stacks[i - 1].time_ns >= stack->time_ns);
		assert_true(stack->frame_cnt > 0);
		for (size_t k = 0; k < stack->frame_cnt; k++)
			assert_true(stack->frames[k] < report->frame_cnt);
		assert_non_null(stack->process);
		assert_non_null(stack->thread);
		assert_non_null(stack->task);
		assert_non_null(stack->object);
		on_cpu_ns += stack->is_on_cpu ? stack->time_ns : 0;
		all_ns += stack->time_ns;
	}
	assert_true(on_cpu_ns <= report->thread_time.on_cpu_ns);
	assert_share(report->stack_quality.known_share);
	assert_share(report->stack_quality.complete_share);
	return all_ns;
}

/* Lines and functions share out what the stacks have. */
static void assert_lines_are_sound(const struct report *report)
{
	uint64_t stack_ns = assert_stacks_are_sound(report), spot_ns = 0, function_ns = 0;

	for (size_t i = 0; i < report->hot_spot_cnt; i++) {
		const struct report_hot_spot *spot = &report->hot_spots[i];

		assert_share(spot->share);
		assert_true(spot->share_error >= 0);
		assert_non_null(spot->stack);
		assert_non_null(spot->callee);
		assert_true(spot->gil_held_ns <= spot->time_ns);
		assert_true(spot->stack->time_ns <= spot->time_ns);
		spot_ns += spot->time_ns;
	}
	for (size_t i = 0; i < report->function_cnt; i++) {
		const struct report_function *function = &report->functions[i];

		assert_share(function->share);
		assert_true(function->gil_held_ns <= function->on_cpu_ns);
		assert_in_range(function->verdict_class, 0, CLASS_CNT - 1);
		assert_non_null(function->advice);
		function_ns += function->time_ns;
	}
	assert_true(spot_ns <= stack_ns);
	assert_true(function_ns <= stack_ns);
}

void assert_report_is_sound(const struct report *report)
{
	assert_lines_are_sound(report);
	assert_phases_tile_the_run(report);
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
		assert_true(strlen(report->roles[i].kind) > 0);
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
