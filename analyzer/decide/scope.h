/* Scope: which part of the run, or which of its threads, the recommendation is for. */
#ifndef CLASSIFY_SCOPE_H
#define CLASSIFY_SCOPE_H

#include "decide/facts.h"

/*
 * @report is complete but for the scope of its recommendation; its phases and roles are known.
 * Where phases do clearly different things (docs/rules.md, "Scope"), the recommendation becomes
 * that of the phase that gains most by it, its predictions those of that phase as the run gains by
 * them, and a mixed verdict says what comes after what. Else, if one role alone does what the
 * verdict is about, beside others that do something else, the recommendation is for that role.
 */
void scope_report(const struct facts *facts, struct report *report);

#endif
