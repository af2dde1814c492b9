/*
 * Reads a recording, trusting nothing in it. The first thing found wrong is remembered together
 * with its place and ends the reading; getters then return zeroes.
 */
#include "observation/recording.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "observation/names.h"
#include "observation/observation.h"
#include "observation/recording_fields.h"
#include "observation/timestamp.h"

/* cJSON takes 64 bytes for a value of two characters: this keeps a doctored file below some GB. */
#define MAX_FILE_BYTES (128UL << 20)
#define NOT_AN_ELEMENT SIZE_MAX
/* Largest number taken, far above any count of nanoseconds, and exact as a double. */
#define MAX_WHOLE ((double)(1ULL << 63))

struct reader {
	struct observation *obs;
	int error; /* the first one */
	char *why;
	size_t why_size;
};

/* A value and how it was reached, innermost last. */
struct place {
	const struct place *parent; /* NULL: the file's root */
	const char *name;
	size_t index; /* in an array, or NOT_AN_ELEMENT */
	const cJSON *value;
};

static void print_path(const struct place *place, FILE *out)
{
	if (!place->parent)
		return;
	print_path(place->parent, out);
	if (place->index != NOT_AN_ELEMENT)
		fprintf(out, "[%zu]", place->index);
	else
		fprintf(out, "%s%s", place->parent->parent ? "." : "", place->name);
}

/* Remembers the first error as "<path>: <what>". */
static void fail(struct reader *reader, const struct place *place, int error, const char *what)
{
	FILE *out;

	if (reader->error)
		return;
	reader->error = error;
	out = fmemopen(reader->why, reader->why_size, "w");
	if (!out)
		return;
	print_path(place, out);
	fprintf(out, "%s%s", place->parent ? ": " : "", what);
	fclose(out);
	reader->why[reader->why_size - 1] = '\0';
}

static struct place member_of(const struct place *object, const char *name)
{
	return (struct place){
		.parent = object,
		.name = name,
		.index = NOT_AN_ELEMENT,
		.value = cJSON_GetObjectItemCaseSensitive(object->value, name),
	};
}

static bool read_bool(struct reader *reader, const struct place *place)
{
	if (!cJSON_IsBool(place->value))
		fail(reader, place, -EINVAL, "not true or false");
	return cJSON_IsTrue(place->value);
}

static double read_number(struct reader *reader, const struct place *place, double max)
{
	double value = cJSON_IsNumber(place->value) ? place->value->valuedouble : NAN;

	if (!isnan(value) && value >= 0 && value <= max)
		return value;
	fail(reader, place, -EINVAL, isnan(value) ? "not a number" : "out of range");
	return 0;
}

static uint64_t read_whole(struct reader *reader, const struct place *place, double max)
{
	double value = read_number(reader, place, max);

	if (value == (double)(uint64_t)value)
		return (uint64_t)value;
	fail(reader, place, -EINVAL, "not a whole number");
	return 0;
}

/* Returns a string of the file, "" when it is none. */
static const char *read_string(struct reader *reader, const struct place *place)
{
	if (cJSON_IsString(place->value))
		return place->value->valuestring;
	fail(reader, place, -EINVAL, "not a string");
	return "";
}

static const char *read_text(struct reader *reader, const struct place *place)
{
	const char *string = read_string(reader, place);
	const char *text = observation_intern(reader->obs, string, strlen(string));

	if (text)
		return text;
	fail(reader, place, -ENOMEM, "out of memory");
	return "";
}

static int64_t read_instant(struct reader *reader, const struct place *place)
{
	int64_t unix_ns = 0;

	if (!timestamp_parse(read_string(reader, place), &unix_ns)) {
		fail(reader, place, -EINVAL, "not a time like 2000-01-31T23:59:59.000000000Z");
		return 0;
	}
	return unix_ns;
}

static int read_enum(struct reader *reader, const struct place *place,
		     const struct name_table *names)
{
	int number = name_table_parse(names, read_string(reader, place));

	if (number >= 0)
		return number;
	fail(reader, place, -EINVAL, "not a known name");
	return 0;
}

static void read_texts(struct reader *reader, const struct place *place, const char ***texts,
		       size_t *cnt)
{
	struct place element = { .parent = place };

	if (!cJSON_IsArray(place->value))
		fail(reader, place, -EINVAL, "not an array");
	cJSON_ArrayForEach(element.value, place->value)
	{
		const char *text = read_string(reader, &element);

		if (observation_add_string(reader->obs, texts, cnt, text))
			fail(reader, &element, -ENOMEM, "out of memory");
		if (reader->error)
			return;
		element.index++;
	}
}

static void read_per_reason(struct reader *reader, const struct place *place, uint64_t *values)
{
	struct place element = { .parent = place, .index = NOT_AN_ELEMENT };

	if (!cJSON_IsObject(place->value))
		fail(reader, place, -EINVAL, "not an object");
	cJSON_ArrayForEach(element.value, place->value)
	{
		int reason = wait_reason_parse(element.value->string);

		if (reason < 0) {
			fail(reader, place, -EINVAL, "holds an unknown wait reason");
			return;
		}
		element.name = wait_reason_name(reason);
		values[reason] = read_whole(reader, &element, MAX_WHOLE);
	}
}

static void read_field(struct reader *reader, const struct place *object, const struct field *field,
		       char *base)
{
	struct place place = member_of(object, field->name);
	void *at = base + field->offset;

	if (!place.value) {
		if (!field->is_later)
			fail(reader, &place, -EINVAL, "missing");
		return;
	}
	switch (field->kind) {
	case FIELD_BOOL:
		*(bool *)at = read_bool(reader, &place);
		break;
	case FIELD_INT:
		*(int *)at = (int)read_whole(reader, &place, INT_MAX);
		break;
	case FIELD_UINT32:
		*(uint32_t *)at = (uint32_t)read_whole(reader, &place, UINT32_MAX);
		break;
	case FIELD_UINT64:
		*(uint64_t *)at = read_whole(reader, &place, MAX_WHOLE);
		break;
	case FIELD_DOUBLE:
		*(double *)at = read_number(reader, &place, MAX_WHOLE);
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

static void read_struct(struct reader *reader, const struct place *place,
			const struct section *section, char *base)
{
	if (!cJSON_IsObject(place->value))
		fail(reader, place, -EINVAL, "not an object");
	for (size_t i = 0; i < section->field_cnt && !reader->error; i++)
		read_field(reader, place, &section->fields[i], base);
}

static void read_rows(struct reader *reader, const struct place *place,
		      const struct section *section)
{
	struct place row = { .parent = place };

	if (!cJSON_IsArray(place->value))
		fail(reader, place, -EINVAL, "not an array");
	cJSON_ArrayForEach(row.value, place->value)
	{
		void *base = section->add(reader->obs);

		if (!base)
			fail(reader, &row, -ENOMEM, "out of memory");
		else
			read_struct(reader, &row, section, base);
		if (reader->error)
			return;
		row.index++;
	}
}

static void read_section(struct reader *reader, const struct place *root,
			 const struct section *section)
{
	struct place place = member_of(root, section->name);

	if (!place.value && section->is_later)
		return;
	if (section->add)
		read_rows(reader, &place, section);
	else
		read_struct(reader, &place, section, (char *)reader->obs + section->offset);
}

static void check_span(struct reader *reader, const struct place *row, uint64_t start_ns,
		       uint64_t end_ns)
{
	if (end_ns < start_ns)
		fail(reader, row, -EINVAL, "ends before it starts");
}

/* What the tables don't say: how values of a row belong together. */
static void check_threads(struct reader *reader)
{
	const struct observation *obs = reader->obs;
	struct place root = { 0 };
	struct place threads = member_of(&root, "threads");
	struct place row = { .parent = &threads };

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
	struct place root = { 0 };
	struct place segments = member_of(&root, "segments");
	struct place row = { .parent = &segments };

	for (; row.index < obs->segment_cnt; row.index++) {
		const struct obs_segment *segment = &obs->segments[row.index];

		check_span(reader, &row, segment->start_ns, segment->end_ns);
		if (segment->thread >= obs->thread_cnt)
			fail(reader, &row, -EINVAL, "is of a thread that there isn't");
		if (row.index && !segment_follows(segment - 1, segment))
			fail(reader, &row, -EINVAL, "is out of order");
	}
}

static void check_slices(struct reader *reader)
{
	const struct observation *obs = reader->obs;
	struct place root = { 0 };
	struct place slices = member_of(&root, "slices");
	struct place row = { .parent = &slices };

	for (; row.index < obs->slice_cnt; row.index++) {
		const struct obs_slice *slice = &obs->slices[row.index];

		check_span(reader, &row, slice->start_ns, slice->end_ns);
		if (row.index && slice->start_ns < (slice - 1)->end_ns)
			fail(reader, &row, -EINVAL, "is out of order");
	}
}

static void check_all(struct reader *reader)
{
	check_threads(reader);
	check_segments(reader);
	check_slices(reader);
}

static void read_root(struct reader *reader, const cJSON *json)
{
	struct place root = { .value = json };
	struct place schema = member_of(&root, "schema");

	if (!cJSON_IsString(schema.value) ||
	    strcmp(schema.value->valuestring, RECORDING_SCHEMA) != 0)
		fail(reader, &schema, -EINVAL, "not " RECORDING_SCHEMA);
	for (size_t i = 0; i < recording_section_cnt && !reader->error; i++)
		read_section(reader, &root, &recording_sections[i]);
	if (!reader->error)
		check_all(reader);
}

/* Returns the rest of @in, NUL-terminated, for the caller to free; NULL with the error set. */
static char *read_all(struct reader *reader, FILE *in, size_t *len)
{
	const struct place file = { 0 };
	size_t size = 0;
	char *text = NULL;

	*len = 0;
	do {
		char *larger;

		size = size ? size * 2 : 1 << 16;
		larger = size <= MAX_FILE_BYTES ? realloc(text, size) : NULL;
		if (!larger) {
			fail(reader, &file, -EFBIG, "too large for a recording");
			break;
		}
		text = larger;
		*len += fread(text + *len, 1, size - *len - 1, in);
	} while (*len == size - 1);
	if (ferror(in))
		fail(reader, &file, -EIO, "reading failed");
	if (!reader->error) {
		text[*len] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

static void parse_text(struct reader *reader, const char *text, size_t len)
{
	const struct place file = { 0 };
	const char *end = text + strlen(text);
	char what[64];
	cJSON *json;

	/* The length includes the NUL, and all up to there must be JSON. */
	json = end == text + len ? cJSON_ParseWithLengthOpts(text, len + 1, &end, true) : NULL;
	if (json) {
		read_root(reader, json);
	} else {
		snprintf(what, sizeof(what), "not JSON, or cut short, at byte %td", end - text);
		fail(reader, &file, -EINVAL, what);
	}
	cJSON_Delete(json);
}

int recording_read(FILE *in, struct observation *obs, char *why, size_t why_size)
{
	struct reader reader = { .obs = obs, .why = why, .why_size = why_size };
	char *text;
	size_t len;

	observation_init(obs);
	text = read_all(&reader, in, &len);
	if (text)
		parse_text(&reader, text, len);
	free(text);
	return reader.error;
}
