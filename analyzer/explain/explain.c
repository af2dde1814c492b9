/* The order of the explanation; see explain.h. */
#include "explain/explain.h"
#include <math.h>
#include "arena.h"
#include "explain/explanation.h"
#include "explain/starters.h"

const struct call_blame *sum_blame(const struct explanation *on, const struct stack_sum *sum)
{
	return &on->blame.calls[sum->time->call];
}

bool sum_has_place(const struct explanation *on, const struct stack_sum *sum)
{
	const struct code_facts *code = &on->blame.code[sum->frame];

	return code->owner != CODE_KERNEL && !code->is_entry;
}

bool sum_is_busy(const struct stack_sum *sum)
{
	return sum->time->is_on_cpu || sum->reason == WAIT_LOCK || sum->reason == WAIT_GIL ||
	       (sum->role != WAITS_FOR_WORK && sum->role != WAITS_FOR_TREE &&
		sum->reason != WAIT_STOPPED);
}

double explain_program_share(const struct explanation *on, double program_ns)
{
	const struct report_program_time *program = on->facts->program_time;

	if (program->wall_ns <= program->idle_ns)
		return 0;
	return fmin(program_ns / (double)(program->wall_ns - program->idle_ns), 1);
}

static void copy_quality(const struct explanation *on)
{
	const struct obs_stack_quality *from = &on->obs->stack_quality;
	struct report_stack_quality *to = &on->report->stack_quality;

	to->are_taken = from->are_taken;
	to->sample_cnt = from->sample_cnt;
	to->wait_cnt = from->wait_cnt;
	to->lost_cnt = from->lost_cnt;
	to->notes = arena_strings(on->arena, from->notes, from->note_cnt);
	to->note_cnt = to->notes ? from->note_cnt : 0;
}

void explain(const struct facts *facts, const struct model *model, struct report *report)
{
	struct explanation on = {
		.facts = facts,
		.model = model,
		.obs = facts->obs,
		.report = report,
		.arena = facts->arena,
		.scratch = facts->scratch,
	};

	copy_quality(&on);
	if (!on.obs->stack_quality.are_taken)
		return;
	on.blame = blame_calls(on.obs, on.scratch);
	on.places = places_of(on.obs, on.scratch);
	if (on.blame.calls && on.places.lines)
		stack_sums_make(&on);
	if (on.sum_cnt) {
		starters_find(&on);
		stacks_report(&on);
	}
	hot_spots_report(&on);
	if (on.sum_cnt) {
		functions_report(&on);
		finding_lines_report(&on);
	}
}
