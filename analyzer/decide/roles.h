/* Roles: what groups of alike threads do. */
#ifndef CLASSIFY_ROLES_H
#define CLASSIFY_ROLES_H

#include "decide/facts.h"

/* Most groups that are kept apart; the others share one. */
#define ROLES_KEPT 8

/* Fills the report's roles: threads grouped by process, name (numbers at its end don't count),
 * being the main thread, and what they do; those who did most first. */
void roles_report(const struct facts *facts, struct report *report);

#endif
