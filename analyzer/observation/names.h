/* The enums of an observation as names, for those who handle them by table. */
#ifndef CLASSIFY_NAMES_H
#define CLASSIFY_NAMES_H

struct name_table {
	const char *const *names; /* by the enum's number */
	int cnt;
};

extern const struct name_table wait_reason_names;
extern const struct name_table object_kind_names;
extern const struct name_table wait_direction_names;
extern const struct name_table wait_operation_names;
extern const struct name_table frame_language_names;
extern const struct name_table observation_source_names;
extern const struct name_table target_mode_names;

/* Returns the name of @number; "unknown" when it is out of range. */
const char *name_table_name(const struct name_table *table, int number);

/* Returns the number of @name, or -1. */
int name_table_parse(const struct name_table *table, const char *name);

#endif
