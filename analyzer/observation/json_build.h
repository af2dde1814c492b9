/*
 * Building JSON with cJSON without a check after each value: a builder remembers that memory ran
 * out, and the one who prints asks once. @parent is an object when @name is given (a literal, or
 * something that outlives the tree) and an array when it is NULL; a NULL @parent, left by an
 * earlier failure, is accepted.
 */
#ifndef CLASSIFY_JSON_BUILD_H
#define CLASSIFY_JSON_BUILD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_builder {
	bool is_out_of_memory;
};

/* Returns a new object without a parent, to be freed by json_finish() or cJSON_Delete(). */
cJSON *json_root(struct json_builder *builder);

/* Return the new container, owned by @parent. */
cJSON *json_add_object(struct json_builder *builder, cJSON *parent, const char *name);
cJSON *json_add_array(struct json_builder *builder, cJSON *parent, const char *name);

/* @bytes may be anything (see utf8_sanitize()); NULL adds null. */
void json_add_text(struct json_builder *builder, cJSON *parent, const char *name,
		   const char *bytes);

/* JSON has no infinity and no NaN: they become 0. */
void json_add_number(struct json_builder *builder, cJSON *parent, const char *name, double value);

/* Prints all digits, where cJSON's own numbers keep 15. */
void json_add_whole(struct json_builder *builder, cJSON *parent, const char *name, uint64_t value);
void json_add_bool(struct json_builder *builder, cJSON *parent, const char *name, bool value);
void json_add_null(struct json_builder *builder, cJSON *parent, const char *name);

/* Prints @root to @out, indented or on one line, and frees it. Returns 0, -ENOMEM or -EIO. */
int json_finish(struct json_builder *builder, cJSON *root, bool is_indented, FILE *out);

/* An array of the @cnt strings at @texts, escaped as by json_add_text(). */
void json_add_texts(struct json_builder *builder, cJSON *parent, const char *name,
		    const char *const *texts, size_t cnt);

#endif
