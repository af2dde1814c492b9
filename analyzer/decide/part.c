/* See part.h. */
#include "decide/part.h"
#include <string.h>
#include "account/excerpt.h"
#include "account/program_time.h"
#include "account/thread_time.h"
#include "arena.h"
#include "decide/recommend.h"
#include "decide/verdict.h"

static void account(struct part *part)
{
	struct report *report = &part->report;

	wait_roles_init(&part->roles, &part->obs, part->arena);
	account_thread_time(&part->obs, &part->roles, part->arena, part->arena,
			    &report->thread_time);
	account_program_time(&part->obs, &part->roles, part->arena, part->arena,
			     &report->program_time);
	account_ratios(&report->program_time, &report->ratios);
}

static void copy_setting(const struct report *whole, struct part *part)
{
	struct report *report = &part->report;

	report->arena = part->arena;
	report->runtime = whole->runtime;
	report->host = whole->host;
	report->source = whole->source;
	report->mode = whole->mode;
	report->duration_ns = part->obs.duration_ns;
}

bool part_judge(const struct facts *facts, const struct report *whole,
		const struct windows *windows, size_t first, size_t last, struct part *part)
{
	memset(part, 0, sizeof(*part));
	part->arena = arena_new();
	if (!part->arena)
		return false;
	excerpt_take(windows, first, last, part->arena, &part->obs);
	if (arena_has_failed(part->arena))
		return false;
	copy_setting(whole, part);
	account(part);
	part->facts = (struct facts){
		.obs = &part->obs,
		.roles = &part->roles,
		.options = facts->options,
		.thread_time = &part->report.thread_time,
		.program_time = &part->report.program_time,
		.arena = part->arena,
		.scratch = part->arena,
	};
	if (facts_gather(&part->facts))
		return false;
	part->model = model_detect(&part->facts);
	verdict_decide(&part->facts, &part->model, &part->report.verdict);
	return !arena_has_failed(part->arena);
}

void part_advise(struct part *part)
{
	struct choice choice;

	model_report(&part->facts, &part->model, &part->report.concurrency);
	choice = predict(&part->facts, &part->model, &part->report);
	recommend(&part->facts, &part->model, &choice, &part->report);
}

static const char *copy_or_null(struct arena *arena, const char *text)
{
	return text ? arena_string(arena, text) : NULL;
}

static void copy_prediction(struct arena *arena, const struct report_prediction *from,
			    struct report_prediction *to)
{
	*to = *from;
	to->assumptions = arena_strings(arena, from->assumptions, from->assumption_cnt);
	to->assumption_cnt = to->assumptions ? from->assumption_cnt : 0;
	to->bottleneck = copy_or_null(arena, from->bottleneck);
	to->curve = arena_array(arena, from->curve_cnt, sizeof(*to->curve));
	to->curve_cnt = to->curve ? from->curve_cnt : 0;
	for (size_t i = 0; i < to->curve_cnt; i++)
		to->curve[i] = from->curve[i];
}

void part_copy_advice(const struct part *part, struct arena *arena, struct report_phase *phase)
{
	const struct report_recommendation *from = &part->report.recommendation;
	struct report_recommendation *to = &phase->recommendation;
	size_t cnt = part->report.prediction_cnt;

	*to = *from;
	to->api = copy_or_null(arena, from->api);
	to->summary = arena_string(arena, from->summary);
	to->avoid = copy_or_null(arena, from->avoid);
	to->scope = copy_or_null(arena, from->scope);
	to->reasons = arena_strings(arena, from->reasons, from->reason_cnt);
	to->reason_cnt = to->reasons ? from->reason_cnt : 0;
	to->notes = arena_strings(arena, from->notes, from->note_cnt);
	to->note_cnt = to->notes ? from->note_cnt : 0;
	phase->operations = part->report.operations;
	phase->predictions = arena_array(arena, cnt, sizeof(*phase->predictions));
	phase->prediction_cnt = phase->predictions ? cnt : 0;
	for (size_t i = 0; i < phase->prediction_cnt; i++)
		copy_prediction(arena, &part->report.predictions[i], &phase->predictions[i]);
}

void part_release(struct part *part)
{
	arena_free(part->arena);
}
