/* Getters that remember the first error, and reading a file as a whole. */
#include "observation/json_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1e9
/* Far above the length of any observation, and exact as a double when in nanoseconds. */
#define MAX_SECONDS 9e9

static void print_path(const struct json_place *place, FILE *out)
{
	if (!place->parent)
		return;
	print_path(place->parent, out);
	if (place->name)
		fprintf(out, "%s%s", place->parent->parent ? "." : "", place->name);
	else
		fprintf(out, "[%zu]", place->index);
}

void json_fail(struct json_reader *reader, const struct json_place *place, int error,
	       const char *what)
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

struct json_place json_member(const struct json_place *object, const char *name)
{
	return (struct json_place){
		.parent = object,
		.name = name,
		.value = cJSON_GetObjectItemCaseSensitive(object->value, name),
	};
}

struct json_place json_first(struct json_reader *reader, const struct json_place *array)
{
	struct json_place element = { .parent = array };

	if (cJSON_IsArray(array->value))
		element.value = array->value->child;
	else
		json_fail(reader, array, -EINVAL, array->value ? "not an array" : "missing");
	return element;
}

void json_next(struct json_place *element)
{
	element->value = element->value->next;
	element->index++;
}

/* What is wrong with a value that isn't a @wanted. */
static void fail_type(struct json_reader *reader, const struct json_place *place,
		      const char *wanted)
{
	char what[32];

	snprintf(what, sizeof(what), "not %s", wanted);
	json_fail(reader, place, -EINVAL, place->value ? what : "missing");
}

double json_number(struct json_reader *reader, const struct json_place *place, double min,
		   double max)
{
	double value = cJSON_IsNumber(place->value) ? place->value->valuedouble : NAN;

	if (value >= min && value <= max)
		return value;
	if (isnan(value))
		fail_type(reader, place, "a number");
	else
		json_fail(reader, place, -EINVAL, "out of range");
	return 0;
}

uint64_t json_whole(struct json_reader *reader, const struct json_place *place, double max)
{
	double value = json_number(reader, place, 0, max);

	if (value == (double)(uint64_t)value)
		return (uint64_t)value;
	json_fail(reader, place, -EINVAL, "not a whole number");
	return 0;
}

uint64_t json_seconds(struct json_reader *reader, const struct json_place *place)
{
	return (uint64_t)(json_number(reader, place, 0, MAX_SECONDS) * NS_PER_S + 0.5);
}

const char *json_string(struct json_reader *reader, const struct json_place *place)
{
	if (cJSON_IsString(place->value))
		return place->value->valuestring;
	fail_type(reader, place, "a string");
	return "";
}

const char *json_string_or_null(struct json_reader *reader, const struct json_place *place)
{
	return json_is_there(place) ? json_string(reader, place) : NULL;
}

bool json_is_there(const struct json_place *place)
{
	return place->value && !cJSON_IsNull(place->value);
}

/* Returns the rest of @in, NUL-terminated, for the caller to free; NULL with the error set. */
static char *read_all(struct json_reader *reader, FILE *in, size_t max_bytes, size_t *len)
{
	const struct json_place file = { 0 };
	size_t size = 0;
	char *text = NULL, what[96];

	*len = 0;
	do {
		char *larger;

		size = size ? size * 2 : 1 << 16;
		larger = size <= max_bytes ? realloc(text, size) : NULL;
		if (!larger) {
			json_fail(reader, &file, -EFBIG, "too large");
			break;
		}
		text = larger;
		*len += fread(text + *len, 1, size - *len - 1, in);
	} while (*len == size - 1);
	if (ferror(in)) {
		snprintf(what, sizeof(what), "reading failed: %s", strerror(errno));
		json_fail(reader, &file, -EIO, what);
	}
	if (!reader->error) {
		text[*len] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

cJSON *json_parse_file(struct json_reader *reader, FILE *in, size_t max_bytes)
{
	const struct json_place file = { 0 };
	cJSON *tree = NULL;
	const char *end;
	char what[64];
	size_t len;
	char *text = read_all(reader, in, max_bytes, &len);

	if (!text)
		return NULL;
	/* The length includes the NUL, and all up to there must be JSON. */
	end = text + strlen(text);
	if (end == text + len)
		tree = cJSON_ParseWithLengthOpts(text, len + 1, &end, true);
	if (!tree) {
		snprintf(what, sizeof(what), "not JSON, or cut short, at byte %td", end - text);
		json_fail(reader, &file, -EINVAL, what);
	}
	free(text);
	return tree;
}
