/* The order of the analysis: copy what passes through, account, gather facts, decide,
 * explain. */
#include <errno.h>
#include <string.h>
#include "account/lock_holders.h"
#include "account/program_time.h"
#include "account/spread.h"
#include "account/thread_time.h"
#include "account/wait_role.h"
#include "account/windows.h"
#include "analyze.h"
#include "arena.h"
#include "decide/facts.h"
#include "decide/findings.h"
#include "decide/halves.h"
#include "decide/model.h"
#include "decide/notes.h"
#include "decide/phases.h"
#include "decide/recommend.h"
#include "decide/roles.h"
#include "decide/scope.h"
#include "decide/verdict.h"
#include "explain/explain.h"
#include "report.h"

static void copy_target(const struct observation *obs, struct report *report)
{
	const struct obs_target *target = &obs->target;

	report->started_at_unix_ns = obs->started_at_unix_ns;
	report->mode = target->mode;
	report->command = arena_strings(report->arena, target->argv, target->argc);
	report->command_cnt = report->command ? target->argc : 0;
	report->pid = target->pid;
	report->pid_in_container = target->pid_in_container;
	report->cgroup = arena_string(report->arena, target->cgroup);
	report->has_exited = target->has_exited;
	report->was_signaled = target->was_signaled;
	report->exit_code = target->exit_code;
	report->processes_peak = obs->processes_peak;
	report->threads_peak = obs->threads_peak;
}

static void copy_far_ends(const struct observation *obs, struct report *report)
{
	report->far_ends = arena_array(report->arena, obs->far_end_cnt, sizeof(*report->far_ends));
	for (size_t i = 0; report->far_ends && i < obs->far_end_cnt; i++) {
		struct obs_far_end *to = &report->far_ends[report->far_end_cnt++];

		*to = obs->far_ends[i];
		to->name = arena_string(report->arena, to->name);
	}
}

static void copy_observation(const struct observation *obs, struct report *report)
{
	const struct obs_quality *quality = &obs->quality;

	report->host = obs->host;
	report->host.kernel = arena_string(report->arena, obs->host.kernel);
	copy_far_ends(obs, report);
	report->source = obs->source;
	report->duration_ns = obs->duration_ns;
	report->lost_events = quality->lost_events;
	report->is_until_settled = quality->is_until_settled;
	report->has_settled = quality->has_settled;
	report->missing_probes =
		arena_strings(report->arena, quality->missing_probes, quality->missing_probe_cnt);
	report->missing_probe_cnt = report->missing_probes ? quality->missing_probe_cnt : 0;
	report->source_note = arena_string(report->arena, quality->source_note);
	for (size_t i = 0; i < obs->thread_cnt; i++)
		report->switch_cnt += obs->threads[i].switch_cnt;
}

static void account(const struct observation *obs, const struct wait_roles *roles,
		    struct arena *scratch, struct report *report)
{
	account_thread_time(obs, roles, report->arena, scratch, &report->thread_time);
	account_program_time(obs, roles, report->arena, scratch, &report->program_time);
	account_lock_holders(obs, report);
	account_ratios(&report->program_time, &report->ratios);
}

static int decide(struct facts *facts, struct report *report)
{
	struct choice choice;
	struct model model;
	int error = facts_gather(facts);

	if (error)
		return error;
	account_intervals(&facts->spread, &report->ratios);
	report->runtime =
		runtime_describe(facts->dominant ? facts->dominant->runtime : RUNTIME_NATIVE,
				 facts->dominant ? facts->dominant->process : NULL, report->arena);
	model = model_detect(facts);
	model_report(facts, &model, &report->concurrency);
	verdict_decide(facts, &model, &report->verdict);
	findings_report(facts, &model, report);
	choice = predict(facts, &model, report);
	recommend(facts, &model, &choice, report);
	roles_report(facts, report);
	phases_report(facts, report);
	if (halves_refute(facts, report)) {
		report->prediction_cnt = 0;
		report->operations = (struct report_operations){ 0 };
		report->recommendation = (struct report_recommendation){ 0 };
		recommend(facts, &model, &choice, report);
		phases_report(facts, report);
	}
	scope_report(facts, report);
	notes_report(facts, &model, report);
	explain(facts, &model, report);
	return 0;
}

int analyze(const struct observation *obs, const struct analyze_options *options,
	    struct report *report)
{
	struct arena *scratch = arena_new();
	struct wait_roles roles;
	struct windows windows;
	struct facts facts = { .obs = obs,
			       .roles = &roles,
			       .windows = &windows,
			       .options = options,
			       .scratch = scratch };
	int error;

	memset(report, 0, sizeof(*report));
	report->arena = arena_new();
	if (!scratch || !report->arena) {
		arena_free(scratch);
		return -ENOMEM;
	}
	report->is_replay = options->is_replay;
	copy_target(obs, report);
	copy_observation(obs, report);
	wait_roles_init(&roles, obs, scratch);
	account(obs, &roles, scratch, report);
	windows_account(obs, &roles, scratch, &windows);
	facts.thread_time = &report->thread_time;
	facts.program_time = &report->program_time;
	facts.arena = report->arena;
	error = decide(&facts, report);
	if (arena_has_failed(report->arena) || arena_has_failed(scratch))
		error = -ENOMEM;
	arena_free(scratch);
	return error;
}
