/* The report as JSON, "classify-report/1" (docs/report.md). Every name of the contract is always
 * there; what is not known is null, an empty array, or -1 where the contract has a number. */
#include "render/render.h"

#include <errno.h>
#include <math.h>

#include "observation/json_build.h"
#include "observation/timestamp.h"
#include "render/json_stacks.h"
#include "report.h"

#define NS_PER_S 1e9

static void add_seconds(struct json_builder *b, cJSON *object, const char *name, uint64_t ns)
{
	json_add_number(b, object, name, (double)ns / NS_PER_S);
}

static void add_head(struct json_builder *b, cJSON *root, const struct report *report)
{
	char started_at[TIMESTAMP_BYTES];
	cJSON *tool;

	json_add_text(b, root, "schema", "classify-report/1");
	tool = json_add_object(b, root, "tool");
	json_add_text(b, tool, "name", "classify");
	json_add_text(b, tool, "version", CLASSIFY_VERSION);
	timestamp_format(report->started_at_unix_ns, started_at);
	json_add_text(b, root, "started_at", started_at);
}

static const char *mode_name(const struct report *report)
{
	if (report->is_replay)
		return "replay";
	return report->mode == TARGET_WRAP ? "wrap" : "attach";
}

static void add_exit(struct json_builder *b, cJSON *target, const struct report *report)
{
	cJSON *how;

	if (!report->has_exited) {
		json_add_null(b, target, "exit");
		return;
	}
	how = json_add_object(b, target, "exit");
	if (report->exit_code < 0)
		json_add_null(b, how, "code");
	else
		json_add_number(b, how, report->was_signaled ? "signal" : "code",
				report->exit_code);
}

static void add_target(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *target = json_add_object(b, root, "target");
	cJSON *runtime;

	json_add_text(b, target, "mode", mode_name(report));
	json_add_texts(b, target, "command", report->command, report->command_cnt);
	json_add_number(b, target, "pid", report->pid);
	if (report->pid_in_container)
		json_add_number(b, target, "pid_in_container", report->pid_in_container);
	else
		json_add_null(b, target, "pid_in_container");
	if (*report->cgroup)
		json_add_text(b, target, "cgroup", report->cgroup);
	else
		json_add_null(b, target, "cgroup");
	add_exit(b, target, report);
	runtime = json_add_object(b, target, "runtime");
	json_add_text(b, runtime, "name", report->runtime.name);
	json_add_text(b, runtime, "version", report->runtime.version);
	json_add_text(b, runtime, "global_lock", global_lock_name(report->runtime.global_lock));
	json_add_whole(b, target, "processes_peak", report->processes_peak);
	json_add_whole(b, target, "threads_peak", report->threads_peak);
}

static void add_far_ends(struct json_builder *b, cJSON *parent, const struct report *report)
{
	cJSON *array = json_add_array(b, parent, "far_ends");

	for (size_t i = 0; i < report->far_end_cnt; i++) {
		const struct obs_far_end *from = &report->far_ends[i];
		cJSON *object = json_add_object(b, array, NULL);

		json_add_text(b, object, "name", from->name);
		add_seconds(b, object, "cpu_s", from->cpu_ns);
		add_seconds(b, object, "since_s", from->since_ns);
		json_add_whole(b, object, "threads", from->thread_cnt);
		json_add_bool(b, object, "serves_alone", from->is_one_thread);
	}
}

static void add_host(struct json_builder *b, cJSON *root, const struct report *report)
{
	const struct obs_host *host = &report->host;
	cJSON *object = json_add_object(b, root, "host");

	json_add_text(b, object, "kernel", host->kernel);
	json_add_whole(b, object, "cpus_online", host->cpus_online);
	json_add_whole(b, object, "cpus_usable", host->cpus_usable);
	if (host->cpu_quota > 0)
		json_add_number(b, object, "cpu_quota", host->cpu_quota);
	else
		json_add_null(b, object, "cpu_quota");
	if (host->threads_per_core)
		json_add_whole(b, object, "threads_per_core", host->threads_per_core);
	else
		json_add_null(b, object, "threads_per_core");
	add_seconds(b, object, "others_cpu_s", host->others_cpu_ns);
	add_far_ends(b, object, report);
}

static void add_observation(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *object = json_add_object(b, root, "observation");

	json_add_text(b, object, "source", report->source == SOURCE_EBPF ? "ebpf" : "procfs");
	json_add_text(b, object, "source_note", report->source_note);
	add_seconds(b, object, "duration_s", report->duration_ns);
	json_add_whole(b, object, "switches", report->switch_cnt);
	json_add_whole(b, object, "lost_events", report->lost_events);
	json_add_texts(b, object, "missing_probes", report->missing_probes,
		       report->missing_probe_cnt);
	if (report->is_until_settled)
		json_add_bool(b, object, "settled", report->has_settled);
	else
		json_add_null(b, object, "settled");
	json_add_stack_quality(b, object, report);
}

/* The part of a wait that both views and the roles have. */
static cJSON *add_wait(struct json_builder *b, cJSON *waits, const struct report_wait *wait)
{
	cJSON *object = json_add_object(b, waits, NULL);

	json_add_text(b, object, "reason", wait_reason_name(wait->reason));
	add_seconds(b, object, "seconds", wait->wait_ns);
	json_add_number(b, object, "share", wait->share);
	return object;
}

static void add_object(struct json_builder *b, cJSON *array, const struct report_object *from)
{
	cJSON *object = json_add_object(b, array, NULL);

	json_add_text(b, object, "name", from->name);
	json_add_text(b, object, "kind", from->is_rest ? NULL : object_kind_name(from->kind));
	json_add_text(b, object, "direction", wait_direction_name(from->direction));
	json_add_text(b, object, "role", from->is_rest ? NULL : wait_role_name(from->role));
	json_add_text(b, object, "call", from->call);
	json_add_text(b, object, "operation",
		      from->operation ? wait_operation_name(from->operation) : NULL);
	json_add_text(b, object, "device", from->device);
	json_add_text(b, object, "far_end", from->far_end);
	add_seconds(b, object, "seconds", from->wait_ns);
	json_add_whole(b, object, "count", from->wait_cnt);
}

static void add_objects(struct json_builder *b, cJSON *parent, const char *name,
			const struct report_object *objects, size_t cnt)
{
	cJSON *array = json_add_array(b, parent, name);

	for (size_t i = 0; i < cnt; i++)
		add_object(b, array, &objects[i]);
}

static void add_seconds_if(struct json_builder *b, cJSON *object, const char *name, uint64_t ns,
			   bool is_known)
{
	if (is_known)
		add_seconds(b, object, name, ns);
	else
		json_add_null(b, object, name);
}

static void add_queue(struct json_builder *b, cJSON *object, const struct report_queue *queue)
{
	cJSON *array;

	add_seconds_if(b, object, "wakeup_wait_s", queue->wakeup_ns, queue->is_known);
	add_seconds_if(b, object, "preempted_s", queue->preempted_ns, queue->is_known);
	add_seconds_if(b, object, "queued_for_own_s", queue->own_ns, queue->is_known);
	array = json_add_array(b, object, "neighbours");
	for (size_t i = 0; i < queue->neighbour_cnt; i++) {
		cJSON *row = json_add_object(b, array, NULL);

		json_add_text(b, row, "name", queue->neighbours[i].name);
		add_seconds(b, row, "seconds", queue->neighbours[i].queue_ns);
		json_add_whole(b, row, "count", queue->neighbours[i].cnt);
	}
}

static void add_thread_time(struct json_builder *b, cJSON *root,
			    const struct report_thread_time *time)
{
	cJSON *object = json_add_object(b, root, "thread_time");
	cJSON *waits;

	add_seconds(b, object, "wall_s", time->wall_ns);
	add_seconds(b, object, "on_cpu_s", time->on_cpu_ns);
	add_seconds(b, object, "run_queue_s", time->run_queue_ns);
	add_queue(b, object, &time->queue);
	add_seconds(b, object, "throttled_s", time->throttled_ns);
	add_seconds(b, object, "stopped_s", time->stopped_ns);
	add_seconds(b, object, "unexplained_s", time->unexplained_ns);
	waits = json_add_array(b, object, "waits");
	for (size_t i = 0; i < time->wait_cnt; i++) {
		cJSON *wait = add_wait(b, waits, &time->waits[i]);

		json_add_whole(b, wait, "count", time->waits[i].wait_cnt);
		add_objects(b, wait, "objects", time->waits[i].objects, time->waits[i].object_cnt);
	}
}

static void add_program_time(struct json_builder *b, cJSON *root,
			     const struct report_program_time *time)
{
	cJSON *object = json_add_object(b, root, "program_time");
	cJSON *waits;

	add_seconds(b, object, "wall_s", time->wall_ns);
	add_seconds(b, object, "computing_s", time->computing_ns);
	add_seconds(b, object, "starved_s", time->starved_ns);
	add_seconds(b, object, "quiet_s", time->quiet_ns);
	add_seconds(b, object, "idle_s", time->idle_ns);
	add_seconds(b, object, "stopped_s", time->stopped_ns);
	add_seconds(b, object, "unexplained_s", time->unexplained_ns);
	waits = json_add_array(b, object, "waits");
	for (size_t i = 0; i < time->wait_cnt; i++)
		add_objects(b, add_wait(b, waits, &time->waits[i]), "objects",
			    time->waits[i].objects, time->waits[i].object_cnt);
	add_objects(b, object, "idle_objects", time->idle_objects, time->idle_object_cnt);
	json_add_number(b, object, "parallelism", time->parallelism);
}

/* @low below 0: not known. */
static void add_interval(struct json_builder *b, cJSON *object, const char *name, double low,
			 double high)
{
	cJSON *array;

	if (low < 0) {
		json_add_null(b, object, name);
		return;
	}
	array = json_add_array(b, object, name);
	json_add_number(b, array, NULL, low);
	json_add_number(b, array, NULL, high);
}

static void add_ratios(struct json_builder *b, cJSON *root, const struct report_ratios *ratios)
{
	cJSON *object = json_add_object(b, root, "ratios");

	json_add_number(b, object, "cpu", ratios->cpu);
	json_add_number(b, object, "wait", ratios->wait);
	json_add_number(b, object, "run_queue", ratios->run_queue);
	json_add_number(b, object, "wait_to_compute", ratios->wait_to_compute);
	add_interval(b, object, "cpu_interval", ratios->cpu_low, ratios->cpu_high);
	add_interval(b, object, "wait_interval", ratios->wait_low, ratios->wait_high);
}

static void add_verdict(struct json_builder *b, cJSON *root, const struct report_verdict *verdict)
{
	cJSON *object = json_add_object(b, root, "verdict");
	cJSON *runner_up;

	json_add_text(b, object, "class", verdict_class_name(verdict->verdict_class));
	json_add_text(b, object, "subclass", verdict->subclass);
	json_add_number(b, object, "confidence", verdict->confidence);
	json_add_text(b, object, "summary", verdict->summary);
	if (verdict->utilisation < 0)
		json_add_null(b, object, "utilisation");
	else
		json_add_number(b, object, "utilisation", verdict->utilisation);
	if (!verdict->has_runner_up) {
		json_add_null(b, object, "runner_up");
		return;
	}
	runner_up = json_add_object(b, object, "runner_up");
	json_add_text(b, runner_up, "class", verdict_class_name(verdict->runner_up));
	json_add_text(b, runner_up, "would_win_if", verdict->would_win_if);
}

/* What to use, whether that is a change, and how many. */
static void add_model(struct json_builder *b, cJSON *object,
		      const struct report_recommendation *advice)
{
	json_add_text(b, object, "model", concurrency_model_name(advice->model));
	json_add_text(b, object, "action", recommended_action_name(advice->action));
	if (advice->workers)
		json_add_whole(b, object, "workers", advice->workers);
	else
		json_add_null(b, object, "workers");
}

static void add_phase_advice(struct json_builder *b, cJSON *parent,
			     const struct report_recommendation *advice)
{
	cJSON *object = json_add_object(b, parent, "recommendation");

	add_model(b, object, advice);
	json_add_text(b, object, "summary", advice->summary);
}

static void add_phases(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *array = json_add_array(b, root, "phases");

	for (size_t i = 0; i < report->phase_cnt; i++) {
		const struct report_phase *phase = &report->phases[i];
		cJSON *object = json_add_object(b, array, NULL);

		json_add_text(b, object, "name", phase->name);
		add_seconds(b, object, "start_s", phase->start_ns);
		add_seconds(b, object, "end_s", phase->end_ns);
		json_add_text(b, object, "class", verdict_class_name(phase->verdict_class));
		json_add_text(b, object, "subclass", phase->subclass);
		add_seconds(b, object, "computing_s", phase->computing_ns);
		add_seconds(b, object, "starved_s", phase->starved_ns);
		add_seconds(b, object, "quiet_s", phase->quiet_ns);
		add_seconds(b, object, "idle_s", phase->idle_ns);
		json_add_text(b, object, "summary", phase->summary);
		add_phase_advice(b, object, &phase->recommendation);
	}
}

static void add_roles(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *array = json_add_array(b, root, "roles");

	for (size_t i = 0; i < report->role_cnt; i++) {
		const struct report_role *role = &report->roles[i];
		cJSON *object = json_add_object(b, array, NULL);
		cJSON *waits;

		json_add_text(b, object, "name", role->name);
		json_add_text(b, object, "kind", role->kind);
		json_add_whole(b, object, "threads", role->thread_cnt);
		json_add_text(b, object, "class", verdict_class_name(role->verdict_class));
		add_seconds(b, object, "life_s", role->life_ns);
		add_seconds(b, object, "on_cpu_s", role->on_cpu_ns);
		waits = json_add_array(b, object, "waits");
		for (size_t k = 0; k < role->wait_cnt; k++)
			add_wait(b, waits, &role->waits[k]);
	}
}

static void add_concurrency(struct json_builder *b, cJSON *root,
			    const struct report_concurrency *concurrency)
{
	cJSON *object = json_add_object(b, root, "concurrency");

	json_add_text(b, object, "current", concurrency_model_name(concurrency->current));
	json_add_whole(b, object, "workers", concurrency->workers);
	json_add_number(b, object, "in_flight_mean", concurrency->in_flight_mean);
	json_add_number(b, object, "in_flight_peak", concurrency->in_flight_peak);
}

static void add_recommendation(struct json_builder *b, cJSON *root,
			       const struct report_recommendation *advice)
{
	cJSON *object = json_add_object(b, root, "recommendation");

	add_model(b, object, advice);
	json_add_text(b, object, "api", advice->api);
	json_add_text(b, object, "summary", advice->summary);
	json_add_text(b, object, "avoid", advice->avoid);
	json_add_text(b, object, "scope", advice->scope);
	json_add_texts(b, object, "reasons", advice->reasons, advice->reason_cnt);
	json_add_texts(b, object, "notes", advice->notes, advice->note_cnt);
}

static void add_spread(struct json_builder *b, cJSON *parent, const char *name,
		       const struct report_spread *spread)
{
	cJSON *object = json_add_object(b, parent, name);

	json_add_number(b, object, "mean_s", spread->mean_ns / NS_PER_S);
	json_add_number(b, object, "median_s", spread->median_ns / NS_PER_S);
	json_add_number(b, object, "p95_s", spread->p95_ns / NS_PER_S);
}

static void add_operations(struct json_builder *b, cJSON *root,
			   const struct report_operations *operations)
{
	cJSON *object;

	if (operations->cnt <= 0) {
		json_add_null(b, root, "operations");
		return;
	}
	object = json_add_object(b, root, "operations");
	json_add_number(b, object, "count", operations->cnt);
	add_spread(b, object, "computed", &operations->computed);
	add_spread(b, object, "waited", &operations->waited);
	json_add_number(b, object, "computed_locked_s", operations->computed_locked_ns / NS_PER_S);
	json_add_number(b, object, "far_end_s", operations->far_end_ns / NS_PER_S);
	json_add_number(b, object, "neighbour_s", operations->neighbour_ns / NS_PER_S);
	json_add_number(b, object, "disk_s", operations->disk_ns / NS_PER_S);
	json_add_number(b, object, "lock_part", operations->lock_part);
	json_add_number(b, object, "start_s", operations->start_ns / NS_PER_S);
}

static void add_curve(struct json_builder *b, cJSON *parent, const struct report_prediction *from)
{
	cJSON *array = json_add_array(b, parent, "curve");

	for (size_t i = 0; i < from->curve_cnt; i++) {
		cJSON *object = json_add_object(b, array, NULL);

		json_add_whole(b, object, "workers", from->curve[i].workers);
		json_add_number(b, object, "speedup", from->curve[i].speedup);
	}
}

static void add_predictions(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *array = json_add_array(b, root, "predictions");

	for (size_t i = 0; i < report->prediction_cnt; i++) {
		const struct report_prediction *from = &report->predictions[i];
		cJSON *object = json_add_object(b, array, NULL);
		cJSON *speedup;

		json_add_text(b, object, "model", concurrency_model_name(from->model));
		json_add_whole(b, object, "workers", from->workers);
		speedup = json_add_object(b, object, "speedup");
		json_add_number(b, speedup, "low", from->speedup_low);
		json_add_number(b, speedup, "expected", from->speedup_expected);
		json_add_number(b, speedup, "high", from->speedup_high);
		json_add_whole(b, object, "extra_memory_bytes", from->extra_memory_bytes);
		json_add_texts(b, object, "assumptions", from->assumptions, from->assumption_cnt);
		json_add_text(b, object, "bottleneck", from->bottleneck);
		add_curve(b, object, from);
	}
}

static void add_evidence(struct json_builder *b, cJSON *parent,
			 const struct report_finding *finding)
{
	cJSON *array = json_add_array(b, parent, "evidence");

	for (size_t i = 0; i < finding->evidence_cnt; i++) {
		const struct report_evidence *from = &finding->evidence[i];
		cJSON *object = json_add_object(b, array, NULL);

		json_add_text(b, object, "metric", from->metric);
		json_add_number(b, object, "value", from->value);
		json_add_text(b, object, "unit", from->unit);
		json_add_text(b, object, "source", from->source);
	}
}

static void add_findings(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *array = json_add_array(b, root, "findings");

	for (size_t i = 0; i < report->finding_cnt; i++) {
		const struct report_finding *finding = &report->findings[i];
		cJSON *object = json_add_object(b, array, NULL);

		json_add_text(b, object, "id", finding->id);
		json_add_text(b, object, "severity", finding_severity_name(finding->severity));
		json_add_text(b, object, "summary", finding->summary);
		add_evidence(b, object, finding);
	}
}

static void add_lock_holders(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *array = json_add_array(b, root, "lock_holders");

	for (size_t i = 0; i < report->lock_holder_cnt; i++) {
		const struct report_lock_holder *holder = &report->lock_holders[i];
		cJSON *object = json_add_object(b, array, NULL);

		json_add_text(b, object, "lock", holder->lock);
		json_add_number(b, object, "pid", holder->pid);
		if (holder->tid)
			json_add_number(b, object, "tid", holder->tid);
		else
			json_add_null(b, object, "tid");
		json_add_text(b, object, "thread", holder->thread);
		add_seconds(b, object, "seconds", holder->wait_ns);
		json_add_number(b, object, "share", holder->share);
		json_add_number(b, object, "handovers", (double)holder->handover_cnt);
	}
}

static void add_expectations(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *array = json_add_array(b, root, "expectations");

	for (size_t i = 0; i < report->expectation_cnt; i++) {
		const struct report_expectation *from = &report->expectations[i];
		cJSON *object = json_add_object(b, array, NULL);

		json_add_text(b, object, "text", from->text);
		json_add_bool(b, object, "met", from->is_met);
		if (from->seen || isnan(from->seen_number))
			json_add_text(b, object, "seen", from->seen);
		else
			json_add_number(b, object, "seen", from->seen_number);
	}
}

int render_json(const struct report *report, FILE *out)
{
	struct json_builder b = { 0 };
	cJSON *root = json_root(&b);
	int error;

	add_head(&b, root, report);
	add_target(&b, root, report);
	add_host(&b, root, report);
	add_observation(&b, root, report);
	add_thread_time(&b, root, &report->thread_time);
	add_program_time(&b, root, &report->program_time);
	add_ratios(&b, root, &report->ratios);
	add_verdict(&b, root, &report->verdict);
	add_phases(&b, root, report);
	add_roles(&b, root, report);
	add_concurrency(&b, root, &report->concurrency);
	add_recommendation(&b, root, &report->recommendation);
	add_operations(&b, root, &report->operations);
	add_predictions(&b, root, report);
	add_findings(&b, root, report);
	add_lock_holders(&b, root, report);
	json_add_hot_spots(&b, root, report);
	add_expectations(&b, root, report);
	error = json_finish(&b, root, true, out);
	if (!error && (fputc('\n', out) == EOF || fflush(out) == EOF))
		error = -EIO;
	return error;
}
