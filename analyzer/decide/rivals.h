/* Who had the CPUs that the program's threads queued for: other programs, or it itself. */
#ifndef CLASSIFY_RIVALS_H
#define CLASSIFY_RIVALS_H

#include "decide/facts.h"

/* The largest neighbour's part of the time in run queues; 0 if none is known. Its name is that of
 * the first neighbour in the report's queue. */
double rivals_largest_share(const struct facts *facts);

/* "stress-ng had them for 61% of the time it queued, cc1 for 12%", the two largest that matter;
 * NULL if there is none, or who it was isn't known. */
const char *rivals_phrase(const struct facts *facts);

/* Of the time in run queues that somebody is known for, the part in which the program's own threads
 * had the CPU; -1: not known. */
double rivals_own_share(const struct facts *facts);

#endif
