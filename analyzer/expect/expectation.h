/*
 * What somebody expects of a program (--expect): a class, a bound on a number, a finding or none.
 * Read once before anything runs, held against the report at the end. Pure.
 *
 *	io-bound | io-bound/network	the verdict is this class (and subclass)
 *	wait>=0.6			a number of the report keeps to a bound: < <= > >=
 *	finding=ID | no-finding=ID	a finding is there, or isn't; instead of an ID a severity:
 *					any finding that is at least so severe
 *
 * Of several classes one has to be the verdict's; everything else has to hold on its own.
 */
#ifndef CLASSIFY_EXPECTATION_H
#define CLASSIFY_EXPECTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"

enum { EXPECTATION_MAX = 32 };

enum expectation_kind { EXPECT_CLASS, EXPECT_NUMBER, EXPECT_FINDING };
enum comparison { LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL };

/* A number of the report that can be bounded. */
struct expected_number {
	const char *name;			      /* as in the JSON report */
	bool is_share;				      /* 0..1 */
	double (*value)(const struct report *report); /* NAN: not known */
};

struct expectation {
	const char *text; /* as it was written; not terminated */
	size_t len;
	enum expectation_kind kind;

	enum verdict_class verdict_class;
	const char *subclass; /* NULL: any or none */

	const struct expected_number *number;
	enum comparison comparison;
	double bound;

	bool is_absence;	/* the finding must not be there */
	const char *finding_id; /* NULL: any of the severity or above */
	enum finding_severity severity;
};

struct expectations {
	struct expectation list[EXPECTATION_MAX];
	size_t cnt;
};

/*
 * Adds what @text says, which has to outlive @expectations: one expectation, or several with
 * commas between them. Returns 0, or -EINVAL with one line of cause and remedy in @why.
 */
int expectations_add(struct expectations *expectations, const char *text, char *why,
		     size_t why_size);

/*
 * Holds @report against @expectations and fills its list of them. The verdicts of a report whose
 * class is inconclusive count as not met, unless that is what was expected. Returns 0 or -ENOMEM.
 */
int expectations_check(const struct expectations *expectations, struct report *report);

#endif
