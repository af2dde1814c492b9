/* Frames and stacks for the report, and how much of the run they are known of. */
#include "account/process_index.h"
#include "account/thread_time.h"
#include "arena.h"
#include "explain/explanation.h"

/* Deeper ones are cut at their outer end: nobody reads them, and an observation may be hostile. */
#define STACK_FRAMES_MAX 1024

struct report_frame explain_frame(const struct explanation *on, uint32_t frame)
{
	const struct obs_frame *from = &on->obs->frames[frame];

	return (struct report_frame){
		.function = arena_string(on->arena, from->function),
		.file = arena_string(on->arena, from->file),
		.line = from->line,
		.module = arena_string(on->arena, from->module),
		.address = from->address,
		.language = from->language,
		.is_inlined = from->is_inlined,
		.is_own = on->blame.code[frame].owner == CODE_OWN,
	};
}

static void add_frames(struct explanation *on)
{
	struct report *report = on->report;

	report->frames = arena_array(on->arena, on->obs->frame_cnt, sizeof(*report->frames));
	for (uint32_t i = 0; report->frames && i < on->obs->frame_cnt; i++)
		report->frames[report->frame_cnt++] = explain_frame(on, i);
}

static size_t frame_cnt_of(const struct explanation *on, uint32_t call)
{
	uint32_t depth = on->blame.calls[call].depth;

	return depth < STACK_FRAMES_MAX ? depth : STACK_FRAMES_MAX;
}

static const uint32_t *frames_of(const struct explanation *on, uint32_t call)
{
	size_t cnt = frame_cnt_of(on, call);
	uint32_t *frames = arena_array(on->arena, cnt, sizeof(*frames));

	for (size_t i = 0; frames && i < cnt; i++) {
		frames[i] = on->obs->calls[call].frame;
		call = on->obs->calls[call].caller;
	}
	return frames;
}

/* @known: the frames of each call that has been asked for. */
static struct report_stack new_stack(const struct explanation *on, const struct stack_sum *sum,
				     const struct process_index *processes, const uint32_t **known)
{
	const struct obs_stack_time *time = sum->time;
	const struct obs_process *process = process_index_get(processes, time->pid);
	uint32_t root = on->blame.calls[time->call].root;
	size_t cnt = frame_cnt_of(on, time->call);

	if (!known[time->call])
		known[time->call] = frames_of(on, time->call);
	return (struct report_stack){
		.frames = known[time->call],
		.frame_cnt = known[time->call] ? cnt : 0,
		.is_complete = on->obs->calls[root].is_complete &&
			       cnt == on->blame.calls[time->call].depth,
		.pid = time->pid,
		.tid = time->tid,
		.process = arena_string(on->arena, process ? process->comm : ""),
		.thread = arena_string(on->arena, time->thread),
		.task = arena_string(on->arena, time->task),
		.is_on_cpu = time->is_on_cpu,
		.reason = sum->reason,
		.role = sum->role,
		.object = sum->object == NO_OBJECT ? "" : on->objects[sum->object],
		.time_ns = sum->time_ns,
		.sample_cnt = sum->sample_cnt,
	};
}

static void account_quality(struct explanation *on)
{
	struct report_stack_quality *quality = &on->report->stack_quality;
	uint64_t stack_ns = 0, complete_ns = 0;

	for (size_t i = 0; i < on->report->stack_cnt; i++) {
		const struct report_stack *stack = &on->report->stacks[i];

		if (!sum_has_place(on, &on->sums[i]))
			continue;
		stack_ns += stack->time_ns;
		complete_ns += stack->is_complete ? stack->time_ns : 0;
	}
	quality->complete_share = share_of(complete_ns, stack_ns);
	quality->known_share = share_of(stack_ns, on->known_ns);
	if (quality->known_share > 1)
		quality->known_share = 1;
}

void stacks_report(struct explanation *on)
{
	struct report *report = on->report;
	const uint32_t **known = arena_array(on->scratch, on->obs->call_cnt, sizeof(*known));
	struct process_index processes;

	process_index_init(&processes, on->obs, on->scratch);
	add_frames(on);
	report->stacks = arena_array(on->arena, on->sum_cnt, sizeof(*report->stacks));
	for (size_t i = 0; known && report->stacks && i < on->sum_cnt; i++)
		report->stacks[report->stack_cnt++] =
			new_stack(on, &on->sums[i], &processes, known);
	account_quality(on);
}
