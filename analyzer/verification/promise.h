/* What was predicted for the way in which the program now runs. */
#ifndef CLASSIFY_PROMISE_H
#define CLASSIFY_PROMISE_H

#include "verification/verification.h"

/* Finds the prediction of @before for @after's model and workers, or with @is_as_advised for those
 * that @before advises. Returns whether there is one. */
bool find_promise(const struct run_facts *before, const struct run_facts *after, bool is_as_advised,
		  struct verified_prediction *promise);

#endif
