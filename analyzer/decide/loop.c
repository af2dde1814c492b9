/* See loop.h. */
#include <string.h>
#include "account/thread_time.h"
#include "account/wait_objects.h"
#include "account/wait_role.h"
#include "arena.h"
#include "decide/loop.h"
#include "decide/thresholds.h"

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t thread_work_ns(const struct thread_facts *thread)
{
	return thread->thread->on_cpu_ns + thread->outside_ns;
}

/* Whether @thread could be the one that runs the loop of @process. A loop that is never empty, or
 * is blocked, never waits; if any thread waited in one, it is one of those. */
static bool may_run_loop(const struct process_facts *process, const struct thread_facts *thread)
{
	if (process->runtime == RUNTIME_NODE) /* its helper threads have loops of their own */
		return thread->thread->tid == thread->thread->pid;
	return !process->loop_cnt || thread->thread->event_loop_wait_cnt;
}

/* The one of these that works most; NULL: none. */
static const struct thread_facts *loop_candidate(const struct process_facts *process)
{
	const struct thread_facts *best = NULL;

	for (size_t i = 0; i < process->thread_cnt; i++) {
		const struct thread_facts *thread = process->threads[i];

		if (may_run_loop(process, thread) &&
		    (!best || thread_work_ns(thread) > thread_work_ns(best)))
			best = thread;
	}
	return best;
}

static bool opens_epoll_only_for_loops(enum runtime_id runtime)
{
	return runtime == RUNTIME_CPYTHON || runtime == RUNTIME_PYPY || runtime == RUNTIME_PHP ||
	       runtime == RUNTIME_PERL || runtime == RUNTIME_LUA;
}

/* Whether @process waits in a loop for one who asks it, and who was handed to it: a backend of
 * PostgreSQL. A loop that serves many accepts them itself. */
static bool serves_one_client(const struct process_facts *process)
{
	return !process->process->listening_cnt &&
	       process->work_wait_ns[WAIT_ACCEPT] > process->loop_ns / 2;
}

static bool rests_in_loop(const struct thread_facts *loop_thread)
{
	const struct obs_thread *thread = loop_thread->thread;

	return (double)thread->event_loop_wait_ns >= LOOP_PART * (double)obs_thread_wait_ns(thread);
}

/*
 * These interpreters open an epoll descriptor for nothing but a loop, and its thread does the
 * program's work. Others hold one for many ends: they must wait through it, or serve.
 */
static bool is_driven_by_loop(const struct process_facts *process,
			      const struct thread_facts *loop_thread)
{
	if (!loop_thread)
		return false;
	if (process->runtime == RUNTIME_NODE)
		return true;
	if (!process->process->has_event_loop && !process->loop_cnt)
		return false;
	/* The executor of a server's loop may do most of the work; the loop is what serves. */
	if (opens_epoll_only_for_loops(process->runtime) && process->process->listening_cnt &&
	    rests_in_loop(loop_thread))
		return true;
	if ((double)thread_work_ns(loop_thread) < LOOP_PART * (double)process->work_ns)
		return false;
	if (opens_epoll_only_for_loops(process->runtime) || process->process->listening_cnt)
		return true;
	return process->loop_cnt && !serves_one_client(process) &&
	       (double)process->loop_ns >=
		       LOOP_PART * (double)(process->loop_ns + process->own_wait_ns);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* A shared object's name goes on with its version: ".so.6", ".so.1.2.3". */
static bool is_versioned_library(const char *name)
{
	const char *end = strstr(name, ".so.");

	return end && !end[4 + strspn(end + 4, "0123456789.")];
}

/* Program text read while starting up blocks every loop once; that is no fault of the design. What
 * is not known by its name to be text is data: a loop should not wait for it. */
static bool is_program_text(const char *name)
{
	static const char *const ends[] = { ".py",  ".pyc", ".so",   ".js",
					    ".mjs", ".cjs", ".node", "/package.json" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(name, ends[i]))
			return true;
	return is_versioned_library(name);
}

/* What holds a loop up: waits for results and time, and for others of the tree. Of the last what is
 * no call of its own (a page fault, the GIL) was not marked by the observer. */
static bool holds_up(const struct facts *facts, const struct obs_wait *row)
{
	switch (wait_role(facts->roles, row)) {
	case WAITS_FOR_RESULT:
	case WAITS_FOR_TIME:
		break;
	case WAITS_FOR_TREE:
		if (!row->on_loop)
			return false;
		break;
	default:
		return false;
	}
	return row->reason != WAIT_PAGING &&
	       !(row->reason == WAIT_DISK && is_program_text(row->name));
}

/* Whether the observer tells which waits were the loop's thread's. */
static bool knows_waits_on_loop(const struct facts *facts)
{
	for (size_t i = 0; i < facts->obs->wait_cnt; i++)
		if (facts->obs->waits[i].pid == facts->dominant->process->pid &&
		    facts->obs->waits[i].on_loop)
			return true;
	return false;
}

/* As a sentence has it: "recvfrom on tcp 10.0.0.5:443", "clock_nanosleep". */
static const char *call_title(const struct facts *facts, const struct obs_wait *row)
{
	const char *on = row->name[0] ? wait_object_title(facts->arena, row) : "";

	if (row->call[0])
		return arena_printf(facts->arena, "%s%s%s", row->call, on[0] ? " on " : "", on);
	return arena_printf(facts->arena, "%s%s%s", wait_reason_name(row->reason),
			    row->name[0] ? " " : "", row->name);
}

/*
 * A loop of an interpreter that has no other use for one is held up by any call that blocks. Others
 * wait by epoll for one thing at a time too (PostgreSQL, Java): there something else must have been
 * late.
 */
static bool must_be_late(const struct facts *facts)
{
	enum runtime_id runtime = facts->dominant->runtime;

	return runtime != RUNTIME_NODE && !opens_epoll_only_for_loops(runtime);
}

bool loop_is_held_up_by(const struct facts *facts, const struct model *model,
			const struct obs_wait *row)
{
	return model->loop_thread && row->pid == model->loop_thread->thread->pid &&
	       !row->via_event_loop && (!model->knows_loop_waits || row->on_loop) &&
	       holds_up(facts, row);
}

/* The loop's thread in waits of its own: no more than the thread had, nor than the rows tell. */
static void find_blocking(const struct facts *facts, struct model *model)
{
	const struct obs_thread *loop = model->loop_thread->thread;
	uint64_t rows_ns = 0, waits_ns = obs_thread_wait_ns(loop);
	const struct obs_wait *top = NULL;

	if (model->knows_loop_waits && must_be_late(facts) && !loop->loop_late_cnt)
		return;
	for (size_t i = 0; i < facts->obs->wait_cnt; i++) {
		const struct obs_wait *row = &facts->obs->waits[i];

		if (!loop_is_held_up_by(facts, model, row))
			continue;
		rows_ns += row->wait_ns;
		if (!top || row->wait_ns > top->wait_ns)
			top = row;
	}
	waits_ns -= min_ns(waits_ns, loop->event_loop_wait_ns);
	model->loop_blocked_ns = min_ns(rows_ns, waits_ns);
	if (!top)
		return;
	model->blocking.call = call_title(facts, top);
	model->blocking.cnt = top->wait_cnt;
	model->blocking.max_ns = top->max_ns;
}

void loop_detect(const struct facts *facts, struct model *model)
{
	const struct thread_facts *thread = loop_candidate(facts->dominant);

	if (!is_driven_by_loop(facts->dominant, thread))
		return;
	model->loop_thread = thread;
	model->knows_loop_waits = knows_waits_on_loop(facts);
	find_blocking(facts, model);
}
