/* From a JSON report to the facts of its run. */
#include "verification/run_facts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "observation/json_read.h"

#define REPORT_SCHEMA "classify-report/1"
/* Reports have some 10 to 100 KB; cJSON takes 64 bytes for a value of two characters. */
#define MAX_FILE_BYTES (16UL << 20)
#define MAX_COUNT      ((double)(1ULL << 53))
#define MAX_SPEEDUP    1e9

/* Zeroed; NULL without an error for no elements. */
static void *new_array(struct json_reader *reader, const struct json_place *place, size_t size,
		       size_t *cnt)
{
	void *array;

	*cnt = cJSON_IsArray(place->value) ? (size_t)cJSON_GetArraySize(place->value) : 0;
	array = *cnt ? calloc(*cnt, size) : NULL;
	if (*cnt && !array) {
		*cnt = 0;
		json_fail(reader, place, -ENOMEM, "out of memory");
	}
	return array;
}

static void read_exit(struct json_reader *reader, const struct json_place *target,
		      struct run_facts *facts)
{
	struct json_place how = json_member(target, "exit");
	struct json_place code = json_member(&how, "code"), number = json_member(&how, "signal");

	facts->has_ended = json_is_there(&how);
	if (number.value)
		facts->exit_code = -(int)json_whole(reader, &number, INT_MAX);
	else if (json_is_there(&code))
		facts->exit_code = (int)json_whole(reader, &code, 255);
	facts->has_failed = facts->exit_code != 0;
}

static void read_target(struct json_reader *reader, const struct json_place *root,
			struct run_facts *facts)
{
	struct json_place target = json_member(root, "target");
	struct json_place mode = json_member(&target, "mode");
	struct json_place command = json_member(&target, "command");
	struct json_place runtime = json_member(&target, "runtime");
	struct json_place name = json_member(&runtime, "name");
	struct json_place word = json_first(reader, &command);

	facts->is_attached = !strcmp(json_string(reader, &mode), "attach");
	facts->command = new_array(reader, &command, sizeof(*facts->command), &facts->command_cnt);
	for (; word.value && facts->command; json_next(&word))
		facts->command[word.index] = json_string(reader, &word);
	facts->runtime = json_string(reader, &name);
	read_exit(reader, &target, facts);
}

static void read_circumstances(struct json_reader *reader, const struct json_place *root,
			       struct run_facts *facts)
{
	struct json_place host = json_member(root, "host");
	struct json_place cpus = json_member(&host, "cpus_usable");
	struct json_place quota = json_member(&host, "cpu_quota");
	struct json_place observation = json_member(root, "observation");
	struct json_place source = json_member(&observation, "source");
	struct json_place lost = json_member(&observation, "lost_events");
	struct json_place duration = json_member(&observation, "duration_s");

	facts->cpus_usable = (uint32_t)json_whole(reader, &cpus, UINT32_MAX);
	if (json_is_there(&quota))
		facts->cpu_quota = json_number(reader, &quota, 0, MAX_COUNT);
	facts->source = json_string(reader, &source);
	facts->lost_events = json_whole(reader, &lost, MAX_COUNT);
	facts->wall_ns = json_seconds(reader, &duration);
}

/* The sums saturate: a doctored report may hold any number. */
static uint64_t add_clamped(uint64_t sum, uint64_t value)
{
	return sum > UINT64_MAX / 2 ? sum : sum + value;
}

static void read_result_waits(struct json_reader *reader, const struct json_place *wait,
			      struct run_facts *facts)
{
	struct json_place objects = json_member(wait, "objects");
	struct json_place object = json_first(reader, &objects);

	for (; object.value && !reader->error; json_next(&object)) {
		struct json_place role = json_member(&object, "role");
		struct json_place seconds = json_member(&object, "seconds");
		struct json_place cnt = json_member(&object, "count");
		const char *name = json_string_or_null(reader, &role);

		if (!name || strcmp(name, "result"))
			continue;
		facts->result_wait_ns =
			add_clamped(facts->result_wait_ns, json_seconds(reader, &seconds));
		facts->result_wait_cnt =
			add_clamped(facts->result_wait_cnt, json_whole(reader, &cnt, MAX_COUNT));
	}
}

static void read_neighbours(struct json_reader *reader, const struct json_place *time,
			    struct run_facts *facts)
{
	struct json_place neighbours = json_member(time, "neighbours");
	struct json_place one = json_first(reader, &neighbours);

	for (; one.value && !reader->error; json_next(&one)) {
		struct json_place seconds = json_member(&one, "seconds");

		facts->neighbour_ns =
			add_clamped(facts->neighbour_ns, json_seconds(reader, &seconds));
	}
}

static void read_thread_time(struct json_reader *reader, const struct json_place *root,
			     struct run_facts *facts)
{
	struct json_place time = json_member(root, "thread_time");
	struct json_place on_cpu = json_member(&time, "on_cpu_s");
	struct json_place waits = json_member(&time, "waits");
	struct json_place wait = json_first(reader, &waits);

	facts->on_cpu_ns = json_seconds(reader, &on_cpu);
	read_neighbours(reader, &time, facts);
	for (; wait.value && !reader->error; json_next(&wait))
		read_result_waits(reader, &wait, facts);
}

static void read_program_time(struct json_reader *reader, const struct json_place *root,
			      struct run_facts *facts)
{
	struct json_place time = json_member(root, "program_time");
	struct json_place computing = json_member(&time, "computing_s");
	struct json_place starved = json_member(&time, "starved_s");
	struct json_place idle = json_member(&time, "idle_s");
	struct json_place waits = json_member(&time, "waits");
	struct json_place wait = json_first(reader, &waits);

	facts->computing_ns = json_seconds(reader, &computing);
	facts->starved_ns = json_seconds(reader, &starved);
	facts->idle_ns = json_seconds(reader, &idle);
	facts->waits = new_array(reader, &waits, sizeof(*facts->waits), &facts->wait_cnt);
	for (; wait.value && facts->waits; json_next(&wait)) {
		struct json_place reason = json_member(&wait, "reason");
		struct json_place seconds = json_member(&wait, "seconds");

		facts->waits[wait.index] = (struct run_wait){ json_string(reader, &reason),
							      json_seconds(reader, &seconds) };
	}
}

static void read_verdict(struct json_reader *reader, const struct json_place *root,
			 struct run_facts *facts)
{
	struct json_place verdict = json_member(root, "verdict");
	struct json_place name = json_member(&verdict, "class");
	struct json_place subclass = json_member(&verdict, "subclass");
	struct json_place concurrency = json_member(root, "concurrency");
	struct json_place model = json_member(&concurrency, "current");
	struct json_place workers = json_member(&concurrency, "workers");
	struct json_place mean = json_member(&concurrency, "in_flight_mean");
	struct json_place peak = json_member(&concurrency, "in_flight_peak");

	facts->verdict_class = json_string(reader, &name);
	facts->subclass = json_string_or_null(reader, &subclass);
	facts->model = json_string(reader, &model);
	facts->workers = (uint32_t)json_whole(reader, &workers, UINT32_MAX);
	facts->in_flight_mean = json_number(reader, &mean, -1, MAX_COUNT);
	facts->in_flight_peak = json_number(reader, &peak, -1, MAX_COUNT);
}

static void read_advice(struct json_reader *reader, const struct json_place *root,
			struct run_facts *facts)
{
	struct json_place advice = json_member(root, "recommendation");
	struct json_place action = json_member(&advice, "action");
	struct json_place model = json_member(&advice, "model");
	struct json_place workers = json_member(&advice, "workers");
	struct json_place summary = json_member(&advice, "summary");

	if (json_is_there(&workers))
		facts->advised_workers = (uint32_t)json_whole(reader, &workers, UINT32_MAX);
	facts->action = json_string(reader, &action);
	facts->advised_model = json_string(reader, &model);
	facts->advice = json_string(reader, &summary);
}

/* Reports made before there were curves have none. */
static void read_curve(struct json_reader *reader, const struct json_place *from,
		       struct run_prediction *prediction)
{
	struct json_place curve = json_member(from, "curve");
	struct json_place point = { 0 };
	double last = 0;

	if (!json_is_there(&curve))
		return;
	point = json_first(reader, &curve);
	prediction->curve =
		new_array(reader, &curve, sizeof(*prediction->curve), &prediction->curve_cnt);
	for (; point.value && prediction->curve; json_next(&point)) {
		struct json_place workers = json_member(&point, "workers");
		struct json_place speedup = json_member(&point, "speedup");
		struct run_curve_point *to = &prediction->curve[point.index];

		to->workers = json_number(reader, &workers, 0, MAX_COUNT);
		to->speedup = json_number(reader, &speedup, 0, MAX_SPEEDUP);
		if (to->workers <= last)
			json_fail(reader, &workers, -EINVAL, "not above the one before it");
		last = to->workers;
	}
}

static void read_prediction(struct json_reader *reader, const struct json_place *from,
			    struct run_prediction *prediction)
{
	struct json_place model = json_member(from, "model");
	struct json_place workers = json_member(from, "workers");
	struct json_place speedup = json_member(from, "speedup");
	struct json_place low = json_member(&speedup, "low");
	struct json_place expected = json_member(&speedup, "expected");
	struct json_place high = json_member(&speedup, "high");

	prediction->model = json_string(reader, &model);
	prediction->workers = json_number(reader, &workers, 0, MAX_COUNT);
	prediction->low = json_number(reader, &low, 0, MAX_SPEEDUP);
	prediction->expected = json_number(reader, &expected, prediction->low, MAX_SPEEDUP);
	prediction->high = json_number(reader, &high, prediction->expected, MAX_SPEEDUP);
	read_curve(reader, from, prediction);
}

static void read_predictions(struct json_reader *reader, const struct json_place *root,
			     struct run_facts *facts)
{
	struct json_place predictions = json_member(root, "predictions");
	struct json_place from = json_first(reader, &predictions);

	facts->predictions = new_array(reader, &predictions, sizeof(*facts->predictions),
				       &facts->prediction_cnt);
	for (; from.value && facts->predictions; json_next(&from))
		read_prediction(reader, &from, &facts->predictions[from.index]);
}

/* The findings are sorted, most severe first. */
static void read_findings(struct json_reader *reader, const struct json_place *root,
			  struct run_facts *facts)
{
	struct json_place findings = json_member(root, "findings");
	struct json_place finding = json_first(reader, &findings);

	for (; finding.value; json_next(&finding)) {
		struct json_place place = json_member(&finding, "id");
		struct json_place severity = json_member(&finding, "severity");
		struct json_place summary = json_member(&finding, "summary");
		const char *id = json_string(reader, &place);

		facts->polls_in_vain |= !strcmp(id, "busy-polling") || !strcmp(id, "spinning-lock");
		if (facts->finding_id || !strcmp(json_string(reader, &severity), "info"))
			continue;
		facts->finding_id = id;
		facts->finding_summary = json_string(reader, &summary);
	}
}

static void read_report(struct json_reader *reader, struct run_facts *facts)
{
	struct json_place root = { .value = facts->tree };
	struct json_place schema = json_member(&root, "schema");

	if (!cJSON_IsString(schema.value) || strcmp(schema.value->valuestring, REPORT_SCHEMA)) {
		json_fail(reader, &schema, -EINVAL, "not \"" REPORT_SCHEMA "\"");
		return;
	}
	read_target(reader, &root, facts);
	read_circumstances(reader, &root, facts);
	read_thread_time(reader, &root, facts);
	read_program_time(reader, &root, facts);
	read_verdict(reader, &root, facts);
	read_advice(reader, &root, facts);
	read_predictions(reader, &root, facts);
	read_findings(reader, &root, facts);
}

int run_facts_read(struct run_facts *facts, FILE *in, char *why, size_t why_size)
{
	struct json_reader reader = { .why = why, .why_size = why_size };

	memset(facts, 0, sizeof(*facts));
	facts->tree = json_parse_file(&reader, in, MAX_FILE_BYTES);
	if (facts->tree)
		read_report(&reader, facts);
	return reader.error;
}

void run_facts_release(struct run_facts *facts)
{
	for (size_t i = 0; i < facts->prediction_cnt; i++)
		free(facts->predictions[i].curve);
	free(facts->predictions);
	free(facts->waits);
	free(facts->command);
	cJSON_Delete(facts->tree);
	memset(facts, 0, sizeof(*facts));
}
