/* Roles: what groups of alike threads do. */
#ifndef CLASSIFY_ROLES_H
#define CLASSIFY_ROLES_H

#include "decide/facts.h"

/* Most groups that are kept apart; the others share one. */
#define ROLES_KEPT 8

/* Fills the report's roles: threads grouped by process and thread name and by being the main
 * thread, those with the longest lives together first. */
void roles_report(const struct facts *facts, struct report *report);

#endif
