/* The verdict: which rule holds, how surely, and what came next to it. */
#ifndef CLASSIFY_VERDICT_H
#define CLASSIFY_VERDICT_H

#include "decide/facts.h"
#include "decide/model.h"

/* Fills @verdict with strings of the report's arena. */
void verdict_decide(const struct facts *facts, const struct model *model,
		    struct report_verdict *verdict);

#endif
