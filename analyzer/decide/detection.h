/* What the detectors of findings look at and fill, and the tables that they stand in. */
#ifndef CLASSIFY_DETECTION_H
#define CLASSIFY_DETECTION_H

#include "decide/facts.h"
#include "decide/model.h"

struct detection {
	const struct facts *facts;
	const struct model *model;
	const struct report_verdict *verdict;
	struct report_finding *finding; /* to be filled: summary and evidence, and the severity
					   where it is not the rule's */
};

/* One row per finding. @detect returns whether it is there; what it has filled counts only then. */
struct finding_rule {
	const char *id;
	enum finding_severity severity;
	bool (*detect)(struct detection *on);
};

/* By what they are about. Each ends with a row whose id is NULL. */
extern const struct finding_rule cpu_findings[];
extern const struct finding_rule lock_findings[];
extern const struct finding_rule loop_findings[];
extern const struct finding_rule io_findings[];

/* Adds a number that shows the finding; the strings are kept as they are. Those beyond the eighth
 * are dropped. */
void detection_add_evidence(struct detection *on, const char *metric, double value,
			    const char *unit);

/* Whether the verdict is @verdict_class. */
bool detection_is_class(const struct detection *on, enum verdict_class verdict_class);

#endif
