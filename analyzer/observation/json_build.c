/* JSON trees with one check at the end. */
#include "observation/json_build.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "observation/utf8.h"

cJSON *json_root(struct json_builder *builder)
{
	cJSON *root = cJSON_CreateObject();

	if (!root)
		builder->is_out_of_memory = true;
	return root;
}

/* Takes over @item, which may be NULL. Returns it, or NULL when it could not be added. */
static cJSON *attach(struct json_builder *builder, cJSON *parent, const char *name, cJSON *item)
{
	bool is_added = parent && item &&
			(name ? cJSON_AddItemToObjectCS(parent, name, item)
			      : cJSON_AddItemToArray(parent, item));

	if (is_added)
		return item;
	cJSON_Delete(item);
	builder->is_out_of_memory = true;
	return NULL;
}

cJSON *json_add_object(struct json_builder *builder, cJSON *parent, const char *name)
{
	return attach(builder, parent, name, cJSON_CreateObject());
}

cJSON *json_add_array(struct json_builder *builder, cJSON *parent, const char *name)
{
	return attach(builder, parent, name, cJSON_CreateArray());
}

void json_add_text(struct json_builder *builder, cJSON *parent, const char *name, const char *bytes)
{
	char *clean;

	if (!bytes) {
		json_add_null(builder, parent, name);
		return;
	}
	clean = utf8_sanitize(bytes);
	attach(builder, parent, name, clean ? cJSON_CreateString(clean) : NULL);
	free(clean);
}

void json_add_number(struct json_builder *builder, cJSON *parent, const char *name, double value)
{
	attach(builder, parent, name, cJSON_CreateNumber(isfinite(value) ? value : 0));
}

void json_add_whole(struct json_builder *builder, cJSON *parent, const char *name, uint64_t value)
{
	char digits[sizeof("18446744073709551615")];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	attach(builder, parent, name, cJSON_CreateRaw(digits));
}

void json_add_bool(struct json_builder *builder, cJSON *parent, const char *name, bool value)
{
	attach(builder, parent, name, cJSON_CreateBool(value));
}

void json_add_null(struct json_builder *builder, cJSON *parent, const char *name)
{
	attach(builder, parent, name, cJSON_CreateNull());
}

int json_finish(struct json_builder *builder, cJSON *root, bool is_indented, FILE *out)
{
	char *text = NULL;
	int error = 0;

	if (!builder->is_out_of_memory)
		text = is_indented ? cJSON_Print(root) : cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	if (!text)
		return -ENOMEM;
	if (fputs(text, out) == EOF)
		error = -EIO;
	cJSON_free(text);
	return error;
}

void json_add_texts(struct json_builder *builder, cJSON *parent, const char *name,
		    const char *const *texts, size_t cnt)
{
	cJSON *array = json_add_array(builder, parent, name);

	for (size_t i = 0; i < cnt; i++)
		json_add_text(builder, array, NULL, texts[i]);
}
