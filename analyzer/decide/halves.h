/* Halves that disagree: a run too short to tell what its program does, though it was seen for long
 * enough. */
#ifndef CLASSIFY_HALVES_H
#define CLASSIFY_HALVES_H

#include <stdbool.h>
#include "decide/facts.h"

/*
 * Withdraws the verdict of @report, whose phases are known, if each half of the run would be of
 * another class, both are bound by something, and no phases explain it: then chance decided when
 * the program did what. Returns whether it did; the advice is to be given anew.
 */
bool halves_refute(const struct facts *facts, struct report *report);

#endif
