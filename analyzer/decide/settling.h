/*
 * Whether a verdict would stay as it is if a program that goes on were observed for longer: told by
 * looks at it while it is observed. Rules and sources: docs/rules.md, "Settled".
 */
#ifndef CLASSIFY_SETTLING_H
#define CLASSIFY_SETTLING_H

#include <stdbool.h>
#include <stdint.h>
#include "report.h"

/* All zero: nobody has looked. */
struct settling {
	enum verdict_class verdict_class;
	char subclass[24];
	enum concurrency_model current, advised;
	enum recommended_action action;
	uint64_t since_ns; /* of the observation: the first look that agrees with all after it */
	uint64_t last_ns;  /* the last one */
	uint32_t look_cnt; /* how many agree */
	bool has_evidence, is_clear, is_lossy; /* as of the last one */
};

/* Takes in the report on all that has been observed so far. */
void settling_look(struct settling *settling, const struct report *report);

/* Returns NULL when the verdict is settled, else what is missing: part of a sentence, static. */
const char *settling_lacks(const struct settling *settling);

#endif
