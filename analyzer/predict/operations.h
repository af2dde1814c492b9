/* A workload's operations as the report has them: how many, how long, and how much that varies. */
#ifndef CLASSIFY_OPERATIONS_H
#define CLASSIFY_OPERATIONS_H

#include "predict/workload.h"
#include "report.h"

struct arena;

/* Fills @operations from @workload, which has some; @scratch for what is needed meanwhile, where
 * out of memory is sticky. */
void operations_describe(const struct workload *workload, struct arena *scratch,
			 struct report_operations *operations);

#endif
