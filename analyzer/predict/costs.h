/*
 * What a concurrency model costs beside the work itself, by runtime: measured by
 * bench/proving/costs, and listed with that in docs/rules.md ("Prediction").
 */
#ifndef CLASSIFY_COSTS_H
#define CLASSIFY_COSTS_H

#include <stdint.h>
#include "decide/runtime.h"
#include "report.h"

struct model_costs {
	double load_ns;	       /* once: libraries that it needs, computed by one thread */
	double worker_ns;      /* to start a worker, computed by the one that starts them */
	double operation_ns;   /* for each operation, computed by its worker or loop */
	double dispatch_ns;    /* the same, by the one that hands them out */
	uint64_t worker_bytes; /* memory of a worker or operation in flight; of a process what
				* it can't share, beside what the program fills itself */
};

/* The costs of @model in runtime @id; zeroes for sync code. */
const struct model_costs *costs_of(enum runtime_id id, enum concurrency_model model);

/* What the runtime computes before the program's first line. */
double costs_of_start(enum runtime_id id);

#endif
