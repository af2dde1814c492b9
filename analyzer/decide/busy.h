/* What a program does while it is busy, for those that wait for work at times. */
#ifndef CLASSIFY_BUSY_H
#define CLASSIFY_BUSY_H

#include "decide/facts.h"

/*
 * Whether its busy time says anything about how it serves: it was asked MIN_ASKED_CNT times and has
 * been busy for as long as any verdict needs. Else what it computed may have been its start.
 */
bool busy_is_telling(const struct facts *facts);

/* "waited for tcp 10.0.0.5:5432, postgres[812] (81%) and computed (12%)", shares of busy time,
 * largest first, as a string of the report's arena; NULL if it did nothing worth naming. */
const char *busy_phrase(const struct facts *facts);

/* The object that most of the quiet time of @wait went to, as a sentence has it; NULL if none
 * stands for the rest. */
const char *main_object_phrase(const struct facts *facts, const struct report_wait *wait);

#endif
