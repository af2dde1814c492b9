/* What was predicted for the way in which the program now runs. */
#ifndef CLASSIFY_PROMISE_H
#define CLASSIFY_PROMISE_H

#include "verification/verification.h"

/* Finds the prediction of @before for @after's model and workers. Returns whether there is one. */
bool find_promise(const struct run_facts *before, const struct run_facts *after,
		  struct verified_prediction *promise);

#endif
