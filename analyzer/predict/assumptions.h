/* What a prediction rests on and the run could not show. */
#ifndef CLASSIFY_ASSUMPTIONS_H
#define CLASSIFY_ASSUMPTIONS_H

#include "decide/facts.h"
#include "predict/workload.h"
#include "report.h"

/* Fills the assumptions of @prediction, clauses that "if" can stand before; out of memory is sticky
 * in the arena of @facts. */
void assumptions_list(const struct facts *facts, const struct workload *workload,
		      struct report_prediction *prediction);

#endif
