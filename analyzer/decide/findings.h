/* Findings: the anti-patterns that the observation shows, each with the numbers that show it. */
#ifndef CLASSIFY_FINDINGS_H
#define CLASSIFY_FINDINGS_H

#include "decide/facts.h"
#include "decide/model.h"

/* Fills the report's findings, most severe first; its verdict is decided already. */
void findings_report(const struct facts *facts, const struct model *model, struct report *report);

/* The id of the @index-th finding that there can be, in the order of the tables; NULL: no more. */
const char *findings_id(size_t index);

#endif
