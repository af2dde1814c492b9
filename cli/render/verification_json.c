/* A verification as JSON, "classify-verification/1" (docs/verify.md). */
#include "render/render.h"

#include <errno.h>

#include "observation/json_build.h"
#include "render/report_schema.h"
#include "verification/verification.h"

#define NS_PER_S 1e9

static void add_seconds(struct json_builder *b, cJSON *object, const char *name, uint64_t ns)
{
	json_add_number(b, object, name, (double)ns / NS_PER_S);
}

static void add_side(struct json_builder *b, cJSON *root, const char *name,
		     const struct verified_side *side)
{
	const struct run_facts *typical = side->typical;
	cJSON *object = json_add_object(b, root, name);
	cJSON *runs;

	json_add_texts(b, object, "command", typical->command, typical->command_cnt);
	runs = json_add_array(b, object, "runs_s");
	for (size_t i = 0; i < side->run_cnt; i++)
		add_seconds(b, runs, NULL, side->runs[i].wall_ns);
	add_seconds(b, object, "wall_s", side->wall.median_ns);
	add_seconds(b, object, "on_cpu_s", typical->on_cpu_ns);
	add_seconds(b, object, "result_wait_s", typical->result_wait_ns);
	json_add_whole(b, object, "result_waits", typical->result_wait_cnt);
	json_add_text(b, object, "model", typical->model);
	json_add_whole(b, object, "workers", typical->workers);
	json_add_number(b, object, "in_flight_mean", typical->in_flight_mean);
	json_add_text(b, object, "class", typical->verdict_class);
	json_add_text(b, object, "subclass", typical->subclass);
}

static void add_interval(struct json_builder *b, cJSON *object, double low, const char *middle_name,
			 double middle, double high)
{
	json_add_number(b, object, "low", low);
	json_add_number(b, object, middle_name, middle);
	json_add_number(b, object, "high", high);
}

static void add_speedup(struct json_builder *b, cJSON *root, const struct speedup *speedup)
{
	cJSON *object = json_add_object(b, root, "speedup");

	add_interval(b, object, speedup->low, "measured", speedup->measured, speedup->high);
	if (speedup->confidence > 0)
		json_add_number(b, object, "confidence", speedup->confidence);
	else
		json_add_null(b, object, "confidence");
}

static void add_prediction(struct json_builder *b, cJSON *root, const struct verification *result)
{
	const struct verified_prediction *prediction = &result->prediction;
	cJSON *object;

	if (!result->has_prediction) {
		json_add_null(b, root, "prediction");
		return;
	}
	object = json_add_object(b, root, "prediction");
	json_add_text(b, object, "model", prediction->model);
	json_add_number(b, object, "workers", prediction->workers);
	json_add_number(b, object, "asked_for", prediction->asked_for);
	json_add_bool(b, object, "from_curve", prediction->is_from_curve);
	add_interval(b, json_add_object(b, object, "speedup"), prediction->low, "expected",
		     prediction->expected, prediction->high);
	if (result->speedup.measured > 0 && prediction->expected > 0)
		json_add_number(b, object, "error",
				prediction->expected / result->speedup.measured - 1);
	else
		json_add_null(b, object, "error");
}

static void add_changes(struct json_builder *b, cJSON *root, const struct verification *result)
{
	cJSON *array = json_add_array(b, root, "changes");

	for (size_t i = 0; i < result->change_cnt; i++) {
		cJSON *object = json_add_object(b, array, NULL);

		json_add_text(b, object, "what", result->changes[i].what);
		add_seconds(b, object, "before_s", result->changes[i].before_ns);
		add_seconds(b, object, "after_s", result->changes[i].after_ns);
	}
}

static void add_next(struct json_builder *b, cJSON *root, const struct run_facts *after)
{
	cJSON *object = json_add_object(b, root, "next");
	cJSON *finding;

	json_add_text(b, object, "class", after->verdict_class);
	json_add_text(b, object, "subclass", after->subclass);
	if (after->finding_id) {
		finding = json_add_object(b, object, "finding");
		json_add_text(b, finding, "id", after->finding_id);
		json_add_text(b, finding, "summary", after->finding_summary);
	} else {
		json_add_null(b, object, "finding");
	}
	json_add_text(b, object, "action", after->action);
	json_add_text(b, object, "model", after->advised_model);
	json_add_text(b, object, "summary", after->advice);
}

int render_verification_json(const struct verification *result, FILE *out)
{
	struct json_builder b = { 0 };
	cJSON *root = json_root(&b);
	cJSON *tool;
	int error;

	json_add_text(&b, root, "schema", "classify-verification/1");
	tool = json_add_object(&b, root, "tool");
	json_add_text(&b, tool, "name", "classify");
	json_add_text(&b, tool, "version", CLASSIFY_VERSION);
	json_add_text(&b, root, "verdict", prediction_outcome_name(result->outcome));
	json_add_text(&b, root, "gain", gain_name(result->gain));
	json_add_bool(&b, root, "success", result->is_success);
	add_side(&b, root, "before", &result->before);
	add_side(&b, root, "after", &result->after);
	add_speedup(&b, root, &result->speedup);
	add_prediction(&b, root, result);
	json_add_texts(&b, root, "obstacles", result->obstacles, result->obstacle_cnt);
	json_add_texts(&b, root, "notes", result->notes, result->note_cnt);
	add_changes(&b, root, result);
	add_next(&b, root, result->after.typical);
	error = json_finish(&b, root, true, out);
	if (!error && (fputc('\n', out) == EOF || fflush(out) == EOF))
		error = -EIO;
	return error;
}

int render_verification_schema(FILE *out)
{
	return fputs(verification_schema, out) == EOF || fflush(out) == EOF ? -EIO : 0;
}
