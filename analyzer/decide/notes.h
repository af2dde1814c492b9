/*
 * What the recommended change costs and what it has to heed: at most three sentences, those that
 * matter most first. The table of them is in docs/rules.md, "Notes".
 */
#ifndef CLASSIFY_NOTES_H
#define CLASSIFY_NOTES_H

#include "decide/facts.h"
#include "decide/model.h"

/* Fills notes and note_cnt of the recommendation of @report, which is complete but for them. Out of
 * memory is sticky in the arena of @facts. */
void notes_report(const struct facts *facts, const struct model *model, struct report *report);

#endif
