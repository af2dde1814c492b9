/*
 * Evidence that names the line: what each line and function of the program's own code spends its
 * time on. Made from samples of stacks, scaled to the exact times (docs/rules.md, "Lines").
 */
#ifndef CLASSIFY_EXPLAIN_H
#define CLASSIFY_EXPLAIN_H

#include "decide/facts.h"
#include "decide/model.h"

/* Fills frames, stacks, hot_spots, functions and stack_quality of @report, which is complete but
 * for them, and adds lines to its findings and functions to its notes. Out of memory is sticky in
 * the arenas of @facts. */
void explain(const struct facts *facts, const struct model *model, struct report *report);

#endif
