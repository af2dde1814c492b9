/*
 * The rules: one row per class and subclass, in order; the first that holds gives the verdict. What
 * each measures and why its threshold is what it is stands in docs/rules.md.
 */
#ifndef CLASSIFY_RULES_H
#define CLASSIFY_RULES_H

#include "decide/facts.h"
#include "decide/model.h"

/* Why there is not enough evidence for a verdict. */
struct evidence_rule {
	const char *id;
	bool (*is_lacking)(const struct facts *facts);
	const char *(*because)(const struct facts *facts);
};

/* What a score is made of: how far it may be off is told by that (account/spread.h). */
enum score_basis {
	BASIS_UNKNOWN,
	BASIS_IDLE,
	BASIS_STARVED,	 /* a part of starved time */
	BASIS_COMPUTING, /* of what is not starved */
	BASIS_RESULTS,	 /* likewise */
	BASIS_TIME,	 /* likewise */
	BASIS_QUIET,	 /* a part of what of that is not computed */
};

struct class_rule {
	const char *id;
	enum verdict_class verdict_class;
	double (*score)(const struct facts *facts); /* a share, compared with threshold */
	double threshold;
	const char *measure; /* what the score is a share of, for sentences */
	const char *whole;
	const char *(*subclass)(const struct facts *facts, const struct model *model);
	const char *(*summary)(const struct facts *facts, const struct model *model);
	bool (*could_hold)(const struct facts *facts); /* if it doesn't; NULL: always */
	enum score_basis basis;
};

/* Both tables end with a row whose id is NULL. The last class rule always holds. */
extern const struct evidence_rule evidence_rules[];
extern const struct class_rule class_rules[];

/* Whether @rule, which doesn't hold, could come to hold on this host. */
bool class_rule_could_hold(const struct class_rule *rule, const struct facts *facts);

/* How far @rule's score may be off, half of a 95% interval; -1: not known. */
double class_rule_spread(const struct class_rule *rule, const struct facts *facts);

/* Whether @rule's score reaches its threshold. */
bool class_rule_holds(const struct class_rule *rule, const struct facts *facts);

/* The rule that gives the class: the first that holds. */
const struct class_rule *class_rule_first(const struct facts *facts);

#endif
