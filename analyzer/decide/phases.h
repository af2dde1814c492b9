/*
 * Phases: the run cut where its behaviour changes (start-up, load, compute, shut-down), each judged
 * by the rules that judge the run.
 */
#ifndef CLASSIFY_PHASES_H
#define CLASSIFY_PHASES_H

#include "decide/facts.h"

/*
 * Fills report->phases with one phase or more, which follow each other and cover the run. Where the
 * observation has no slices or segments, or a part of it can't be told from the rest, it is one
 * phase with the verdict and the recommendation of @report, which are decided.
 */
void phases_report(const struct facts *facts, struct report *report);

/* The share of @phase in the run of @report, starved time left out: others make a phase longer, but
 * it has no more to do. */
double phase_share(const struct report *report, const struct report_phase *phase);

#endif
