/*
 * What the program would gain under each concurrency model: its operations replayed as it is and as
 * it could be. And which of them to choose.
 */
#ifndef CLASSIFY_PREDICT_H
#define CLASSIFY_PREDICT_H

#include "decide/facts.h"
#include "decide/model.h"
#include "report.h"

/* What the predictions speak for; of no prediction at all: made is false. */
struct choice {
	bool made;
	bool is_change; /* from the current model, and its gain is worth that */
	enum concurrency_model model;
	uint32_t workers;
	const struct report_prediction *prediction; /* of the report; NULL: to keep what is */
	const struct report_prediction *best;	    /* the fastest of all; NULL: none is faster */
	bool is_of_one_file; /* as in struct workload: nothing else is faster for that */
	double computed_ns;  /* mean, of an operation */
};

/*
 * Fills the predictions of @report, whose verdict and concurrency are decided, and returns the
 * choice. Programs that are idle at times, starve, or whose operations overlap on an event loop
 * already have none: what limits them isn't how their operations follow each other. Out of memory
 * is sticky in the arenas of @facts.
 */
struct choice predict(const struct facts *facts, const struct model *model, struct report *report);

#endif
