/* What a recording holds, as tables: the writer and the reader walk the same ones, so that they
 * can't disagree. A field is stored under the name of its struct member. */
#ifndef CLASSIFY_RECORDING_FIELDS_H
#define CLASSIFY_RECORDING_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

struct observation;
struct name_table;

#define RECORDING_SCHEMA "classify-recording/1"

enum field_kind {
	FIELD_BOOL,
	FIELD_INT, /* never negative */
	FIELD_UINT32,
	FIELD_UINT64,
	FIELD_DOUBLE,	  /* never negative */
	FIELD_TEXT,	  /* const char * */
	FIELD_INSTANT,	  /* int64_t, nanoseconds since 1970; RFC 3339 in the file */
	FIELD_ENUM,	  /* an enum; its name in the file */
	FIELD_TEXTS,	  /* const char ** and a size_t; an array in the file */
	FIELD_PER_REASON, /* uint64_t[WAIT_REASON_CNT]; by name, without zeroes, in the file */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	const struct name_table *names; /* FIELD_ENUM */
	size_t cnt_offset;		/* FIELD_TEXTS */
	bool is_later; /* recordings of earlier versions lack it: it keeps its initial value */
};

/* A part of the observation: a struct, or an array of structs when @add is given. */
struct section {
	const char *name;
	const struct field *fields;
	size_t field_cnt;
	size_t offset; /* in struct observation: of the struct, or of the pointer to the array */
	void *(*add)(struct observation *obs); /* appends a row; NULL: not an array */
	size_t cnt_offset;
	size_t row_bytes;
	bool is_later;	/* as of a field */
	bool is_sparse; /* fields that are zero are not written; all of them are LATER */
};

extern const struct section recording_sections[];
extern const size_t recording_section_cnt;

#endif
