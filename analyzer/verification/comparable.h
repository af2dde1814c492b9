/* Whether the times of two programs can be set against each other, and why not. */
#ifndef CLASSIFY_COMPARABLE_H
#define CLASSIFY_COMPARABLE_H

#include "verification/verification.h"

/* Fills the obstacles and notes of @result, whose sides are known. */
void find_obstacles(const struct verification_request *request, struct verification *result);

#endif
