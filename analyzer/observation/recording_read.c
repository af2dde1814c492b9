/*
 * Reads a recording, trusting nothing in it. The first thing found wrong is remembered together
 * with its place and ends the reading; getters then return zeroes.
 */
#include "observation/recording.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "observation/json_read.h"
#include "observation/names.h"
#include "observation/observation.h"
#include "observation/recording_fields.h"
#include "observation/timestamp.h"

/* cJSON takes 64 bytes for a value of two characters: this keeps a doctored file below some GB. */
#define MAX_FILE_BYTES (128UL << 20)
/* Largest number taken, far above any count of nanoseconds, and exact as a double. */
#define MAX_WHOLE ((double)(1ULL << 63))

struct reader {
	struct json_reader json;
	struct observation *obs;
};

static bool read_bool(struct reader *reader, const struct json_place *place)
{
	if (!cJSON_IsBool(place->value))
		json_fail(&reader->json, place, -EINVAL, "not true or false");
	return cJSON_IsTrue(place->value);
}

static const char *read_text(struct reader *reader, const struct json_place *place)
{
	const char *string = json_string(&reader->json, place);
	const char *text = observation_intern(reader->obs, string, strlen(string));

	if (text)
		return text;
	json_fail(&reader->json, place, -ENOMEM, "out of memory");
	return "";
}

static int64_t read_instant(struct reader *reader, const struct json_place *place)
{
	int64_t unix_ns = 0;

	if (!timestamp_parse(json_string(&reader->json, place), &unix_ns)) {
		json_fail(&reader->json, place, -EINVAL,
			  "not a time like 2000-01-31T23:59:59.000000000Z");
		return 0;
	}
	return unix_ns;
}

static int read_enum(struct reader *reader, const struct json_place *place,
		     const struct name_table *names)
{
	int number = name_table_parse(names, json_string(&reader->json, place));

	if (number >= 0)
		return number;
	json_fail(&reader->json, place, -EINVAL, "not a known name");
	return 0;
}

static void read_texts(struct reader *reader, const struct json_place *place, const char ***texts,
		       size_t *cnt)
{
	struct json_place element = { .parent = place };

	if (!cJSON_IsArray(place->value))
		json_fail(&reader->json, place, -EINVAL, "not an array");
	cJSON_ArrayForEach(element.value, place->value)
	{
		const char *text = json_string(&reader->json, &element);

		if (observation_add_string(reader->obs, texts, cnt, text))
			json_fail(&reader->json, &element, -ENOMEM, "out of memory");
		if (reader->json.error)
			return;
		element.index++;
	}
}

static void read_per_reason(struct reader *reader, const struct json_place *place, uint64_t *values)
{
	struct json_place element = { .parent = place };

	if (!cJSON_IsObject(place->value))
		json_fail(&reader->json, place, -EINVAL, "not an object");
	cJSON_ArrayForEach(element.value, place->value)
	{
		int reason = wait_reason_parse(element.value->string);

		if (reason < 0) {
			json_fail(&reader->json, place, -EINVAL, "holds an unknown wait reason");
			return;
		}
		element.name = wait_reason_name(reason);
		values[reason] = json_whole(&reader->json, &element, MAX_WHOLE);
	}
}

static void read_field(struct reader *reader, const struct json_place *object,
		       const struct field *field, char *base)
{
	struct json_place place = json_member(object, field->name);
	void *at = base + field->offset;

	if (!place.value) {
		if (!field->is_later)
			json_fail(&reader->json, &place, -EINVAL, "missing");
		return;
	}
	switch (field->kind) {
	case FIELD_BOOL:
		*(bool *)at = read_bool(reader, &place);
		break;
	case FIELD_INT:
		*(int *)at = (int)json_whole(&reader->json, &place, INT_MAX);
		break;
	case FIELD_UINT32:
		*(uint32_t *)at = (uint32_t)json_whole(&reader->json, &place, UINT32_MAX);
		break;
	case FIELD_UINT64:
		*(uint64_t *)at = json_whole(&reader->json, &place, MAX_WHOLE);
		break;
	case FIELD_DOUBLE:
		*(double *)at = json_number(&reader->json, &place, 0, MAX_WHOLE);
		break;
	case FIELD_TEXT:
		*(const char **)at = read_text(reader, &place);
		break;
	case FIELD_INSTANT:
		*(int64_t *)at = read_instant(reader, &place);
		break;
	case FIELD_ENUM:
		*(int *)at = read_enum(reader, &place, field->names);
		break;
	case FIELD_TEXTS:
		read_texts(reader, &place, at, (size_t *)(base + field->cnt_offset));
		break;
	case FIELD_PER_REASON:
		read_per_reason(reader, &place, at);
		break;
	}
}

static void read_struct(struct reader *reader, const struct json_place *place,
			const struct section *section, char *base)
{
	if (!cJSON_IsObject(place->value))
		json_fail(&reader->json, place, -EINVAL, "not an object");
	for (size_t i = 0; i < section->field_cnt && !reader->json.error; i++)
		read_field(reader, place, &section->fields[i], base);
}

static void read_rows(struct reader *reader, const struct json_place *place,
		      const struct section *section)
{
	struct json_place row = { .parent = place };

	if (!cJSON_IsArray(place->value))
		json_fail(&reader->json, place, -EINVAL, "not an array");
	cJSON_ArrayForEach(row.value, place->value)
	{
		void *base = section->add(reader->obs);

		if (!base)
			json_fail(&reader->json, &row, -ENOMEM, "out of memory");
		else
			read_struct(reader, &row, section, base);
		if (reader->json.error)
			return;
		row.index++;
	}
}

static void read_section(struct reader *reader, const struct json_place *root,
			 const struct section *section)
{
	struct json_place place = json_member(root, section->name);

	if (!place.value && section->is_later)
		return;
	if (section->add)
		read_rows(reader, &place, section);
	else
		read_struct(reader, &place, section, (char *)reader->obs + section->offset);
}

static void check_span(struct reader *reader, const struct json_place *row, uint64_t start_ns,
		       uint64_t end_ns)
{
	if (end_ns < start_ns)
		json_fail(&reader->json, row, -EINVAL, "ends before it starts");
}

/* What the tables don't say: how values of a row belong together. */
static void check_threads(struct reader *reader)
{
	const struct observation *obs = reader->obs;
	struct json_place root = { 0 };
	struct json_place threads = json_member(&root, "threads");
	struct json_place row = { .parent = &threads };

	for (; row.index < obs->thread_cnt; row.index++)
		check_span(reader, &row, obs->threads[row.index].start_ns,
			   obs->threads[row.index].end_ns);
}

static bool segment_follows(const struct obs_segment *before, const struct obs_segment *segment)
{
	if (segment->thread != before->thread)
		return segment->thread > before->thread;
	return segment->start_ns >= before->end_ns;
}

static void check_segments(struct reader *reader)
{
	const struct observation *obs = reader->obs;
	struct json_place root = { 0 };
	struct json_place segments = json_member(&root, "segments");
	struct json_place row = { .parent = &segments };

	for (; row.index < obs->segment_cnt; row.index++) {
		const struct obs_segment *segment = &obs->segments[row.index];

		check_span(reader, &row, segment->start_ns, segment->end_ns);
		if (segment->thread >= obs->thread_cnt)
			json_fail(&reader->json, &row, -EINVAL, "is of a thread that there isn't");
		if (row.index && !segment_follows(segment - 1, segment))
			json_fail(&reader->json, &row, -EINVAL, "is out of order");
	}
}

static void check_slices(struct reader *reader)
{
	const struct observation *obs = reader->obs;
	struct json_place root = { 0 };
	struct json_place slices = json_member(&root, "slices");
	struct json_place row = { .parent = &slices };

	for (; row.index < obs->slice_cnt; row.index++) {
		const struct obs_slice *slice = &obs->slices[row.index];

		check_span(reader, &row, slice->start_ns, slice->end_ns);
		if (row.index && slice->start_ns < (slice - 1)->end_ns)
			json_fail(&reader->json, &row, -EINVAL, "is out of order");
	}
}

static void check_calls(struct reader *reader)
{
	const struct observation *obs = reader->obs;
	struct json_place root = { 0 };
	struct json_place calls = json_member(&root, "calls");
	struct json_place row = { .parent = &calls };

	for (; row.index < obs->call_cnt; row.index++) {
		const struct obs_call *call = &obs->calls[row.index];

		if (call->frame >= obs->frame_cnt)
			json_fail(&reader->json, &row, -EINVAL, "is of a frame that there isn't");
		if (call->caller != NO_CALLER && call->caller >= row.index)
			json_fail(&reader->json, &row, -EINVAL, "comes before its caller");
	}
}

static void check_stack_times(struct reader *reader)
{
	const struct observation *obs = reader->obs;
	struct json_place root = { 0 };
	struct json_place times = json_member(&root, "stack_times");
	struct json_place row = { .parent = &times };

	for (; row.index < obs->stack_time_cnt; row.index++) {
		const struct obs_stack_time *time = &obs->stack_times[row.index];

		if (time->call >= obs->call_cnt)
			json_fail(&reader->json, &row, -EINVAL, "is of a call that there isn't");
		if (!time->is_on_cpu && time->wait >= obs->wait_cnt)
			json_fail(&reader->json, &row, -EINVAL, "is of a wait that there isn't");
	}
}

static void check_all(struct reader *reader)
{
	check_threads(reader);
	check_segments(reader);
	check_slices(reader);
	check_calls(reader);
	check_stack_times(reader);
}

static void read_root(struct reader *reader, const cJSON *json)
{
	struct json_place root = { .value = json };
	struct json_place schema = json_member(&root, "schema");

	if (!cJSON_IsString(schema.value) ||
	    strcmp(schema.value->valuestring, RECORDING_SCHEMA) != 0)
		json_fail(&reader->json, &schema, -EINVAL, "not " RECORDING_SCHEMA);
	for (size_t i = 0; i < recording_section_cnt && !reader->json.error; i++)
		read_section(reader, &root, &recording_sections[i]);
	if (!reader->json.error)
		check_all(reader);
}

int recording_read(FILE *in, struct observation *obs, char *why, size_t why_size)
{
	struct reader reader = { .json = { .why = why, .why_size = why_size }, .obs = obs };
	cJSON *json;

	observation_init(obs);
	json = json_parse_file(&reader.json, in, MAX_FILE_BYTES);
	if (json)
		read_root(&reader, json);
	cJSON_Delete(json);
	return reader.json.error;
}
