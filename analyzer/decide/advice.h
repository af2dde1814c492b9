/* The recommendation while it is put together: what every adviser fills it with. */
#ifndef CLASSIFY_ADVICE_H
#define CLASSIFY_ADVICE_H

#include "decide/facts.h"
#include "decide/model.h"
#include "predict/predict.h"

struct advice {
	const struct facts *facts;
	const struct model *model;
	const struct choice *choice;
	const struct report *report; /* verdict and concurrency are decided */
	struct report_recommendation *to;
};

/* Adds a reason, a sentence that lives as long as the report. Those beyond the sixth are dropped.
 */
void advice_because(struct advice *advice, const char *reason);

/* Whether the runtime has such a thing at all: Perl, PHP and Lua have no threads to speak of. */
bool advice_has_api(const struct advice *advice, enum concurrency_model model);

/* What to do, in one sentence that lives as long as the report. @workers: 0 if any number will do.
 */
void advice_keep(struct advice *advice, const char *summary);
void advice_change(struct advice *advice, enum concurrency_model model, uint32_t workers,
		   const char *summary);
void advice_measure_again(struct advice *advice, const char *summary);

/* No other model gains enough: keep it, and say what the best of them would. */
void advice_keep_as_replayed(struct advice *advice);

/* What stands in the way of the dominant process's threads, as a sentence has it. */
const char *advice_lock_title(const struct facts *facts);

/* For what the runtime's lack of threads led to. */
void advice_because_no_threads(struct advice *advice);

/* Commands run one after another: run @workers of them at once, in @model or in what the runtime
 * has for it. */
void advice_run_commands(struct advice *advice, enum concurrency_model model, uint32_t workers);

#endif
