/* The recommendation: the model to use, whether to change to it, how many workers, and why. */
#ifndef CLASSIFY_RECOMMEND_H
#define CLASSIFY_RECOMMEND_H

#include "decide/facts.h"
#include "decide/model.h"

/* Fills the report's recommendation; its verdict and concurrency are decided already. */
void recommend(const struct facts *facts, const struct model *model, struct report *report);

#endif
