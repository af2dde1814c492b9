/*
 * Reading JSON that nobody vouches for: the first thing found wrong is remembered together with its
 * place, and getters return zeroes from then on, so that one look at the end is enough.
 */
#ifndef CLASSIFY_JSON_READ_H
#define CLASSIFY_JSON_READ_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_reader {
	int error; /* the first one, -errno */
	char *why; /* "<place>: <what>" */
	size_t why_size;
};

/* A value and how it was reached, innermost last. Places live on the stack of those who read. */
struct json_place {
	const struct json_place *parent; /* NULL: the root */
	const char *name;		 /* NULL: an element of an array */
	size_t index;
	const cJSON *value; /* NULL: missing */
};

/* Remembers @what at @place, unless there was an error before. */
void json_fail(struct json_reader *reader, const struct json_place *place, int error,
	       const char *what);

struct json_place json_member(const struct json_place *object, const char *name);

/* Steps through an array: begin with the first, go on while its value is there. What is no array
 * is an error and has no elements. */
struct json_place json_first(struct json_reader *reader, const struct json_place *array);
void json_next(struct json_place *element);

/* A number within @min and @max. */
double json_number(struct json_reader *reader, const struct json_place *place, double min,
		   double max);
uint64_t json_whole(struct json_reader *reader, const struct json_place *place, double max);

/* Seconds, as nanoseconds. */
uint64_t json_seconds(struct json_reader *reader, const struct json_place *place);

/* A string of the tree, "" when it is none. */
const char *json_string(struct json_reader *reader, const struct json_place *place);

/* The same, and NULL for null or nothing. */
const char *json_string_or_null(struct json_reader *reader, const struct json_place *place);

/* Whether there is something, and it is not null. */
bool json_is_there(const struct json_place *place);

/*
 * Parses all of @in, at most @max_bytes. Returns the tree, to be freed with cJSON_Delete(), or NULL
 * with the error remembered.
 */
cJSON *json_parse_file(struct json_reader *reader, FILE *in, size_t max_bytes);

#endif
