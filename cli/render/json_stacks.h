/* The parts of the JSON report that stacks are the source of. */
#ifndef CLASSIFY_JSON_STACKS_H
#define CLASSIFY_JSON_STACKS_H

#include "observation/json_build.h"

struct report;

/* observation.stacks: how much of the run stacks are known of. */
void json_add_stack_quality(struct json_builder *builder, cJSON *observation,
			    const struct report *report);

/* hot_spots and functions. */
void json_add_hot_spots(struct json_builder *builder, cJSON *root, const struct report *report);

#endif
