/*
 * What holds for every observation, however strange: sums are exact, shares stay within 0..1, enums
 * are valid, nothing crashes, and running out of memory anywhere is -ENOMEM. The observations are
 * random but the same in every run.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define ROUNDS 3000

/* The linker sends the analyzer's calls of calloc() here. */
void *__real_calloc(size_t cnt, size_t size);
void *__wrap_calloc(size_t cnt, size_t size);

static long allocations_left = -1; /* -1: as many as wanted */

void *__wrap_calloc(size_t cnt, size_t size)
{
	if (!allocations_left)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	return __real_calloc(cnt, size);
}

static uint64_t next_random(uint64_t *seed)
{
	/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003) */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint64_t below(uint64_t *seed, uint64_t limit)
{
	return next_random(seed) % limit;
}

/* Often nothing, sometimes a little, sometimes as much as @limit. */
static uint64_t some_ns(uint64_t *seed, uint64_t limit)
{
	switch (below(seed, 3)) {
	case 0:
		return 0;
	case 1:
		return below(seed, limit < 1000 ? limit + 1 : 1000);
	default:
		return below(seed, limit + 1);
	}
}

static void randomize_process(struct observation *obs, pid_t pid, uint64_t *seed)
{
	static const char *const exes[] = { PYTHON,   "/bin/sh", "/usr/bin/node",
					    "/bin/a", "",	 "/usr/bin/java" };
	struct obs_process *process =
		build_process(obs, pid, exes[below(seed, sizeof(exes) / sizeof(exes[0]))]);

	process->start_ns = some_ns(seed, obs->duration_ns);
	process->end_ns = some_ns(seed, obs->duration_ns);
	process->is_exec = below(seed, 2);
	process->has_event_loop = below(seed, 2);
	process->listening_cnt = (uint32_t)below(seed, 2);
	process->is_free_threaded = below(seed, 5) == 0;
}

static void randomize_thread(struct observation *obs, pid_t tid, uint64_t *seed)
{
	pid_t pid = 10 + (pid_t)below(seed, 6); /* maybe of a process nobody saw */
	struct obs_thread *thread = build_thread(obs, pid, tid, 0);

	thread->start_ns = some_ns(seed, obs->duration_ns);
	thread->end_ns = some_ns(seed, obs->duration_ns);
	thread->on_cpu_ns = some_ns(seed, obs->duration_ns);
	thread->run_queue_ns = some_ns(seed, obs->duration_ns);
	thread->preempted_ns = some_ns(seed, obs->duration_ns);
	thread->throttled_ns = some_ns(seed, obs->duration_ns);
	thread->event_loop_wait_ns = some_ns(seed, obs->duration_ns);
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		thread->wait_ns[reason] = some_ns(seed, obs->duration_ns);
		thread->wait_cnt[reason] = below(seed, 100);
	}
}

/* Most waits of one observation have the @favourite reason, so that it can win. */
static void randomize_row(struct observation *obs, enum wait_reason favourite, uint64_t *seed)
{
	static const char *const names[] = { "", "10.0.0.5:443", "/data/x", "0x7f00" };
	struct obs_wait *row = observation_add_wait(obs);

	assert_non_null(row);
	row->pid = 10 + (pid_t)below(seed, 6);
	row->reason = below(seed, 4) ? favourite : (enum wait_reason)below(seed, WAIT_REASON_CNT);
	row->kind = (enum object_kind)below(seed, OBJECT_KIND_CNT);
	row->direction = (enum wait_direction)below(seed, DIRECTION_CNT);
	row->name = names[below(seed, 4)];
	row->via_event_loop = below(seed, 2);
	row->timed_out = below(seed, 2);
	row->wait_ns = some_ns(seed, obs->duration_ns);
	row->wait_cnt = below(seed, 100);
	row->quiet_ns = some_ns(seed, obs->duration_ns);
	row->woken_by_tree_cnt = below(seed, 100);
	row->woken_by_other_cnt = below(seed, 100);
}

static void randomize_segment(struct observation *obs, uint64_t *seed)
{
	struct obs_segment *segment = observation_add_segment(obs);

	assert_non_null(segment);
	segment->thread = (uint32_t)below(seed, obs->thread_cnt + 2); /* maybe of none */
	segment->start_ns = some_ns(seed, obs->duration_ns);
	segment->end_ns = some_ns(seed, obs->duration_ns);
	segment->on_cpu_ns = some_ns(seed, obs->duration_ns);
	segment->queue_ns = some_ns(seed, obs->duration_ns);
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		segment->wait_ns[reason] = some_ns(seed, obs->duration_ns);
		segment->wait_cnt[reason] = below(seed, 3);
	}
}

/* They follow each other, as they must, but some stretches of the run are nothing but computing. */
static void randomize_slices(struct observation *obs, uint64_t *seed)
{
	uint64_t at_ns = 0, kind = 0;

	while (at_ns < obs->duration_ns) {
		struct obs_slice *slice = observation_add_slice(obs);
		uint64_t length_ns = 1 + below(seed, obs->duration_ns / 20 + 1);

		assert_non_null(slice);
		kind = below(seed, 6) ? kind : below(seed, 3);
		slice->start_ns = at_ns;
		at_ns += length_ns;
		slice->end_ns = at_ns < obs->duration_ns ? at_ns : obs->duration_ns;
		slice->computing_ns = kind == 1 ? length_ns : some_ns(seed, length_ns);
		slice->starved_ns = kind == 2 ? length_ns : some_ns(seed, length_ns);
	}
}

static void randomize_frame(struct observation *obs, uint64_t *seed)
{
	static const char *const functions[] = {
		"",  "f",  "<module>", "std::sort<int>(int*)", "<T as core::x>::y", "runtime.park",
		"<", "::("
	};
	static const char *const files[] = { "",
					     "/srv/a.py",
					     "/v/bin/tool",
					     "<string>",
					     "/v/lib/python3.11/site-packages/tool/x.py",
					     "/",
					     "/usr/lib/python3.11/json/__init__.py",
					     "node:fs" };
	static const char *const modules[] = { "",	    "/bin/a",	      PYTHON,
					       "libc.so.6", "/lib/libc.so.6", "/bin/a (deleted)",
					       "/srv/x.so", "[vdso]" };
	struct obs_frame *frame = observation_add_frame(obs);

	assert_non_null(frame);
	frame->function = functions[below(seed, 8)];
	frame->file = files[below(seed, 8)];
	frame->line = (uint32_t)below(seed, 3);
	frame->first_line = (uint32_t)below(seed, 2);
	frame->module = modules[below(seed, 8)];
	frame->address = below(seed, 3);
	frame->language = (enum frame_language)below(seed, LANGUAGE_CNT);
	frame->is_inlined = below(seed, 2);
}

static void randomize_call(struct observation *obs, uint64_t *seed)
{
	struct obs_call *call = observation_add_call(obs);
	uint32_t number = (uint32_t)obs->call_cnt - 1;

	assert_non_null(call);
	call->frame = (uint32_t)below(seed, obs->frame_cnt);
	call->caller = number && below(seed, 5) ? (uint32_t)below(seed, number) : NO_CALLER;
	call->is_complete = below(seed, 2);
}

static void randomize_stack_time(struct observation *obs, uint64_t *seed)
{
	struct obs_stack_time *time = observation_add_stack_time(obs);

	assert_non_null(time);
	time->call = (uint32_t)below(seed, obs->call_cnt);
	time->pid = 10 + (pid_t)below(seed, 6);
	time->tid = 10 + (pid_t)below(seed, 30);
	time->task = below(seed, 3) ? "" : "Task-1";
	time->is_on_cpu = !obs->wait_cnt || below(seed, 2);
	time->wait = time->is_on_cpu ? 0 : (uint32_t)below(seed, obs->wait_cnt);
	time->time_ns = some_ns(seed, obs->duration_ns);
	time->sample_cnt = below(seed, 100);
	time->gil_known_ns = time->is_on_cpu ? some_ns(seed, time->time_ns) : 0;
	time->gil_held_ns = some_ns(seed, time->gil_known_ns);
}

static void randomize_stacks(struct observation *obs, uint64_t *seed)
{
	obs->stack_quality.are_taken = true;
	for (uint64_t frames = 1 + below(seed, 40); frames; frames--)
		randomize_frame(obs, seed);
	for (uint64_t calls = 1 + below(seed, 100); calls; calls--)
		randomize_call(obs, seed);
	for (uint64_t times = below(seed, 200); times; times--)
		randomize_stack_time(obs, seed);
}

static void randomize(struct observation *obs, uint64_t *seed)
{
	enum wait_reason favourite = (enum wait_reason)below(seed, WAIT_REASON_CNT);

	observation_init(obs);
	obs->source = (enum observation_source)below(seed, 2);
	obs->duration_ns = some_ns(seed, 5000 * MS);
	obs->program.computing_ns = some_ns(seed, obs->duration_ns);
	obs->program.starved_ns = some_ns(seed, obs->duration_ns - obs->program.computing_ns);
	obs->program.quiet_ns =
		obs->duration_ns - obs->program.computing_ns - obs->program.starved_ns;
	obs->host.cpus_usable = (uint32_t)below(seed, 9);
	obs->host.cpu_quota = below(seed, 3) ? 0 : (double)below(seed, 400) / 100;
	obs->quality.lost_events = below(seed, 4) ? 0 : below(seed, 100);
	obs->quality.sample_cnt = below(seed, 1000);
	for (pid_t pid = 10; pid < 10 + (pid_t)below(seed, 5); pid++)
		randomize_process(obs, pid, seed);
	for (pid_t tid = 10; tid < 10 + (pid_t)below(seed, 30); tid++)
		randomize_thread(obs, tid, seed);
	for (uint64_t rows = below(seed, 60); rows; rows--)
		randomize_row(obs, favourite, seed);
	if (below(seed, 3))
		randomize_stacks(obs, seed);
	if (below(seed, 2))
		return; /* as older recordings are */
	randomize_slices(obs, seed);
	for (uint64_t segments = below(seed, 100); segments; segments--)
		randomize_segment(obs, seed);
}

static void every_report_is_sound(void **state)
{
	uint64_t seed = 20240607;
	bool was_class[CLASS_CNT] = { false }, was_cut = false, has_lines = false;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct observation obs;
		struct report report;

		randomize(&obs, &seed);
		build_report_for(&obs, (uint32_t)below(&seed, 300), &report);
		was_class[report.verdict.verdict_class] = true;
		was_cut = was_cut || report.phase_cnt > 1;
		has_lines = has_lines || report.hot_spot_cnt;
		report_release(&report);
	}
	/* A generator that reaches only some of the rules would prove little. */
	for (int i = 0; i < CLASS_CNT; i++)
		assert_true(was_class[i]);
	assert_true(was_cut);
	assert_true(has_lines);
}

static void same_observation_same_report(void **state)
{
	uint64_t seed = 7, again = 7;
	struct observation obs;
	struct report first, second;

	(void)state;
	randomize(&obs, &seed);
	build_report(&obs, &first);
	randomize(&obs, &again);
	build_report(&obs, &second);
	assert_int_equal(first.verdict.verdict_class, second.verdict.verdict_class);
	assert_string_equal(first.verdict.summary, second.verdict.summary);
	assert_true(first.verdict.confidence == second.verdict.confidence);
	report_release(&first);
	report_release(&second);
}

static void running_out_of_memory_is_an_error(void **state)
{
	const struct analyze_options options = { .planned_concurrency = 0 };
	uint64_t seed = 99;
	struct observation obs;
	int error = -ENOMEM;

	(void)state;
	randomize(&obs, &seed);
	if (!obs.stack_time_cnt)
		randomize_stacks(&obs, &seed);
	for (pid_t tid = 1000; tid < 3000; tid++) /* enough for several chunks */
		build_thread(&obs, 10, tid, 1);
	for (long allowed = 0; error; allowed++) {
		struct report report;

		allocations_left = allowed;
		error = analyze(&obs, &options, &report);
		allocations_left = -1;
		assert_true(error == 0 || error == -ENOMEM);
		assert_true(allowed < 100);
		if (!error)
			assert_true(allowed > 3);
		report_release(&report);
	}
	observation_release(&obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_report_is_sound),
		cmocka_unit_test(same_observation_same_report),
		cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
