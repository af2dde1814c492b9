/* See stack_builder.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "stack_builder.h"

struct obs_frame python_at(const char *file, uint32_t line, const char *function)
{
	return source_at("", file, line, function, LANGUAGE_PYTHON);
}

struct obs_frame native_at(const char *module, const char *function)
{
	return source_at(module, "", 0, function, LANGUAGE_C);
}

struct obs_frame source_at(const char *module, const char *file, uint32_t line,
			   const char *function, enum frame_language language)
{
	return (struct obs_frame){ .function = function,
				   .file = file,
				   .line = line,
				   .module = module,
				   .address = 0x1000,
				   .language = language };
}

static bool is_same(const struct obs_frame *a, const struct obs_frame *b)
{
	return a->line == b->line && a->language == b->language &&
	       !strcmp(a->function, b->function) && !strcmp(a->file, b->file) &&
	       !strcmp(a->module, b->module);
}

static uint32_t find_frame(struct observation *obs, const struct obs_frame *frame)
{
	struct obs_frame *to;

	for (uint32_t i = 0; i < obs->frame_cnt; i++)
		if (is_same(&obs->frames[i], frame))
			return i;
	to = observation_add_frame(obs);
	assert_non_null(to);
	*to = *frame;
	return (uint32_t)obs->frame_cnt - 1;
}

static uint32_t find_call(struct observation *obs, uint32_t frame, uint32_t caller)
{
	struct obs_call *call;

	for (uint32_t i = 0; i < obs->call_cnt; i++)
		if (obs->calls[i].frame == frame && obs->calls[i].caller == caller)
			return i;
	call = observation_add_call(obs);
	assert_non_null(call);
	*call = (struct obs_call){ .frame = frame,
				   .caller = caller,
				   .is_complete = caller == NO_CALLER };
	return (uint32_t)obs->call_cnt - 1;
}

uint32_t build_stack(struct observation *obs, const struct obs_frame *frames, size_t cnt)
{
	uint32_t call = NO_CALLER;

	obs->stack_quality.are_taken = true;
	while (cnt--)
		call = find_call(obs, find_frame(obs, &frames[cnt]), call);
	return call;
}

static struct obs_stack_time *build_time(struct observation *obs, pid_t tid, uint32_t call,
					 uint64_t ms, uint64_t sample_cnt)
{
	struct obs_stack_time *time = observation_add_stack_time(obs);

	assert_non_null(time);
	for (size_t i = 0; i < obs->thread_cnt; i++)
		if (obs->threads[i].tid == tid)
			time->pid = obs->threads[i].pid;
	time->tid = tid;
	time->call = call;
	time->time_ns = ms * MS;
	time->sample_cnt = sample_cnt;
	time->thread = "";
	time->task = "";
	return time;
}

struct obs_stack_time *build_computing(struct observation *obs, pid_t tid, uint32_t call,
				       uint64_t ms, uint64_t sample_cnt)
{
	struct obs_stack_time *time = build_time(obs, tid, call, ms, sample_cnt);

	time->is_on_cpu = true;
	obs->stack_quality.sample_cnt += sample_cnt;
	return time;
}

struct obs_stack_time *build_waiting(struct observation *obs, pid_t tid, uint32_t call,
				     uint32_t wait, uint64_t ms, uint64_t sample_cnt)
{
	struct obs_stack_time *time = build_time(obs, tid, call, ms, sample_cnt);

	time->wait = wait;
	obs->stack_quality.wait_cnt += sample_cnt;
	return time;
}
