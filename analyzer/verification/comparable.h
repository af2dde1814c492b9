/* Whether the times of two programs can be set against each other, and why not. */
#ifndef CLASSIFY_COMPARABLE_H
#define CLASSIFY_COMPARABLE_H

#include "verification/verification.h"

/* Fills the obstacles and notes of @result, whose sides are known. */
void find_obstacles(const struct verification_request *request, struct verification *result);

/* The part of @run's time that other programs may have taken from it, where that is worth a word:
 * it was ready, and had no CPU. 0 under a quota, which holds it back by itself. */
double neighbours_share(const struct run_facts *run);

#endif
