/* The recommendation: the model to use, whether to change to it, how many workers, and why. */
#ifndef CLASSIFY_RECOMMEND_H
#define CLASSIFY_RECOMMEND_H

#include "decide/facts.h"
#include "decide/model.h"
#include "predict/predict.h"

/* Fills the report's recommendation; its verdict, concurrency and predictions are decided already,
 * and what was chosen by these. */
void recommend(const struct facts *facts, const struct model *model, const struct choice *choice,
	       struct report *report);

#endif
