/* Writes a recording: one section, or one row of a section, per line, so that memory stays small
 * with many threads and two recordings can be compared line by line. */
#include "observation/recording.h"

#include <errno.h>

#include "observation/json_build.h"
#include "observation/names.h"
#include "observation/observation.h"
#include "observation/recording_fields.h"
#include "observation/timestamp.h"

static void add_instant(struct json_builder *builder, cJSON *object, const char *name,
			int64_t unix_ns)
{
	char text[TIMESTAMP_BYTES];

	timestamp_format(unix_ns, text);
	json_add_text(builder, object, name, text);
}

static void add_per_reason(struct json_builder *builder, cJSON *object, const char *name,
			   const uint64_t *values)
{
	cJSON *by_reason = json_add_object(builder, object, name);

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		if (values[reason])
			json_add_whole(builder, by_reason, wait_reason_name(reason),
				       values[reason]);
}

static void add_field(struct json_builder *builder, cJSON *object, const struct field *field,
		      const char *base)
{
	const void *at = base + field->offset;

	switch (field->kind) {
	case FIELD_BOOL:
		json_add_bool(builder, object, field->name, *(const bool *)at);
		break;
	case FIELD_INT:
		json_add_whole(builder, object, field->name, (uint64_t) * (const int *)at);
		break;
	case FIELD_UINT32:
		json_add_whole(builder, object, field->name, *(const uint32_t *)at);
		break;
	case FIELD_UINT64:
		json_add_whole(builder, object, field->name, *(const uint64_t *)at);
		break;
	case FIELD_DOUBLE:
		json_add_number(builder, object, field->name, *(const double *)at);
		break;
	case FIELD_TEXT:
		json_add_text(builder, object, field->name, *(const char *const *)at);
		break;
	case FIELD_INSTANT:
		add_instant(builder, object, field->name, *(const int64_t *)at);
		break;
	case FIELD_ENUM:
		json_add_text(builder, object, field->name,
			      name_table_name(field->names, *(const int *)at));
		break;
	case FIELD_TEXTS:
		json_add_texts(builder, object, field->name, *(const char *const *const *)at,
			       *(const size_t *)(base + field->cnt_offset));
		break;
	case FIELD_PER_REASON:
		add_per_reason(builder, object, field->name, at);
		break;
	}
}

/* Whether all @cnt values are zero. */
static bool are_zero(const uint64_t *values, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (values[i])
			return false;
	return true;
}

/* Only of the kinds that sparse rows have. */
static bool is_zero(const struct field *field, const char *base)
{
	const void *at = base + field->offset;

	switch (field->kind) {
	case FIELD_UINT32:
		return !*(const uint32_t *)at;
	case FIELD_UINT64:
		return !*(const uint64_t *)at;
	case FIELD_PER_REASON:
		return are_zero(at, WAIT_REASON_CNT);
	default:
		return false;
	}
}

static int write_struct(const struct section *section, const char *base, FILE *out)
{
	struct json_builder builder = { 0 };
	cJSON *object = json_root(&builder);

	for (size_t i = 0; i < section->field_cnt; i++)
		if (!section->is_sparse || !is_zero(&section->fields[i], base))
			add_field(&builder, object, &section->fields[i], base);
	return json_finish(&builder, object, false, out);
}

static int write_rows(const struct section *section, const char *rows, size_t cnt, FILE *out)
{
	int error = 0;

	fputs("[", out);
	for (size_t i = 0; i < cnt && !error; i++) {
		fputs(i ? ",\n" : "\n", out);
		error = write_struct(section, rows + i * section->row_bytes, out);
	}
	fputs("]", out);
	return error;
}

static int write_section(const struct section *section, const struct observation *obs, FILE *out)
{
	const char *base = (const char *)obs;
	const void *at = base + section->offset;

	fprintf(out, ",\n\"%s\": ", section->name);
	if (!section->add)
		return write_struct(section, at, out);
	return write_rows(section, *(const char *const *)at,
			  *(const size_t *)(base + section->cnt_offset), out);
}

int recording_write(const struct observation *obs, FILE *out)
{
	int error = 0;

	fprintf(out, "{\n\"schema\": \"%s\"", RECORDING_SCHEMA);
	for (size_t i = 0; i < recording_section_cnt && !error; i++)
		error = write_section(&recording_sections[i], obs, out);
	fputs("\n}\n", out);
	if (!error && ferror(out))
		error = -EIO;
	return error;
}
