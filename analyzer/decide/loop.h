/* The event loop that drives the dominant process, if one does, and the calls that hold it up. */
#ifndef CLASSIFY_LOOP_H
#define CLASSIFY_LOOP_H

#include "decide/model.h"

/* Fills the loop's part of @model; facts->dominant has threads. */
void loop_detect(const struct facts *facts, struct model *model);

#endif
