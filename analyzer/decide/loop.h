/* The event loop that drives the dominant process, if one does, and the calls that hold it up. */
#ifndef CLASSIFY_LOOP_H
#define CLASSIFY_LOOP_H

#include "decide/model.h"

/* Fills the loop's part of @model; facts->dominant has threads. */
void loop_detect(const struct facts *facts, struct model *model);

/* Whether waits of @row hold up that loop, if it was its thread that waited. */
bool loop_is_held_up_by(const struct facts *facts, const struct model *model,
			const struct obs_wait *row);

#endif
