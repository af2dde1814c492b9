/* Runs the tables of findings (findings_*.c; docs/rules.md lists them). */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "decide/detection.h"
#include "decide/findings.h"

#define EVIDENCE_MAX 8

void detection_add_evidence(struct detection *on, const char *metric, double value,
			    const char *unit)
{
	struct report_finding *finding = on->finding;

	if (!finding->evidence)
		finding->evidence =
			arena_array(on->facts->arena, EVIDENCE_MAX, sizeof(*finding->evidence));
	if (!finding->evidence || finding->evidence_cnt == EVIDENCE_MAX)
		return;
	finding->evidence[finding->evidence_cnt++] = (struct report_evidence){
		.metric = metric,
		.value = value,
		.unit = unit,
		.source = on->facts->obs->source == SOURCE_EBPF ? "scheduler events"
								: "samples of /proc",
	};
}

bool detection_is_class(const struct detection *on, enum verdict_class verdict_class)
{
	return on->verdict->verdict_class == verdict_class;
}

static const struct finding_rule *const tables[] = {
	cpu_findings,
	lock_findings,
	loop_findings,
	io_findings,
};

#define TABLE_CNT (sizeof(tables) / sizeof(tables[0]))

static size_t rule_cnt(void)
{
	size_t cnt = 0;

	for (size_t i = 0; i < TABLE_CNT; i++)
		for (const struct finding_rule *rule = tables[i]; rule->id; rule++)
			cnt++;
	return cnt;
}

const char *findings_id(size_t index)
{
	for (size_t i = 0; i < TABLE_CNT; i++)
		for (const struct finding_rule *rule = tables[i]; rule->id; rule++)
			if (index-- == 0)
				return rule->id;
	return NULL;
}

static int by_severity(const void *a, const void *b)
{
	const struct report_finding *left = a, *right = b;

	if (left->severity != right->severity)
		return left->severity < right->severity ? 1 : -1;
	return strcmp(left->id, right->id);
}

static void run_table(const struct finding_rule *table, struct detection *on, struct report *report)
{
	for (const struct finding_rule *rule = table; rule->id; rule++) {
		on->finding = &report->findings[report->finding_cnt];
		*on->finding =
			(struct report_finding){ .id = rule->id, .severity = rule->severity };
		if (rule->detect(on))
			report->finding_cnt++;
	}
}

void findings_report(const struct facts *facts, const struct model *model, struct report *report)
{
	struct detection on = { facts, model, &report->verdict, NULL };

	/* One more than there are rules: the one being tried. */
	report->findings = arena_array(facts->arena, rule_cnt() + 1, sizeof(*report->findings));
	if (!report->findings)
		return;
	for (size_t i = 0; i < TABLE_CNT; i++)
		run_table(tables[i], &on, report);
	qsort(report->findings, report->finding_cnt, sizeof(*report->findings), by_severity);
}
