/* The models that a workload is replayed under, and with how many workers. */
#ifndef CLASSIFY_CANDIDATE_H
#define CLASSIFY_CANDIDATE_H

#include "decide/facts.h"
#include "decide/model.h"
#include "predict/workload.h"
#include "replay/replay.h"

/* From the worst to the best that can be expected. */
enum outlook { OUTLOOK_LOW, OUTLOOK_EXPECTED, OUTLOOK_HIGH, OUTLOOK_CNT };

/* How the run that was observed is replayed: as it was, its costs being part of what it did. */
struct replay_setup candidate_current(const struct facts *facts, const struct model *model,
				      const struct workload *workload);

/* How @model with @workers would be, what it costs more included, and in @serial_ns what of that
 * is computed once. */
struct replay_setup candidate_setup(const struct facts *facts, const struct workload *workload,
				    enum concurrency_model model, uint32_t workers,
				    enum outlook outlook, double *serial_ns);

/* The most workers of @model that are worth a thought for @workload. */
uint32_t candidate_workers_max(const struct facts *facts, const struct workload *workload,
			       enum concurrency_model model);

/* The number of workers after @workers in a curve. */
uint32_t candidate_next(uint32_t workers);

/* Memory that @model with @workers takes more than one worker, in bytes. */
uint64_t candidate_memory(const struct facts *facts, const struct workload *workload,
			  enum concurrency_model model, uint32_t workers);

#endif
