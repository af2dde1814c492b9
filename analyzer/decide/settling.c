/* Compares each look with those before; see settling.h. */
#include "decide/settling.h"
#include <stdio.h>
#include <string.h>
#include "decide/thresholds.h"

static bool agrees(const struct settling *settling, const struct report *report)
{
	const char *subclass = report->verdict.subclass ? report->verdict.subclass : "";

	return settling->look_cnt && settling->verdict_class == report->verdict.verdict_class &&
	       !strncmp(settling->subclass, subclass, sizeof(settling->subclass) - 1) &&
	       settling->current == report->concurrency.current &&
	       settling->advised == report->recommendation.model &&
	       settling->action == report->recommendation.action;
}

static void begin_anew(struct settling *settling, const struct report *report)
{
	const char *subclass = report->verdict.subclass ? report->verdict.subclass : "";

	settling->verdict_class = report->verdict.verdict_class;
	snprintf(settling->subclass, sizeof(settling->subclass), "%s", subclass);
	settling->current = report->concurrency.current;
	settling->advised = report->recommendation.model;
	settling->action = report->recommendation.action;
	settling->since_ns = report->duration_ns;
	settling->look_cnt = 0;
}

void settling_look(struct settling *settling, const struct report *report)
{
	if (!agrees(settling, report))
		begin_anew(settling, report);
	settling->look_cnt++;
	settling->last_ns = report->duration_ns;
	settling->has_evidence = report->verdict.verdict_class != CLASS_INCONCLUSIVE;
	settling->is_clear = report->verdict.is_clear;
	settling->is_lossy = report->lost_events > 0;
}

const char *settling_lacks(const struct settling *settling)
{
	if (!settling->has_evidence)
		return "not enough evidence";
	if (settling->is_lossy)
		return "events were lost";
	if (!settling->is_clear)
		return "near a border to another class, or too unsteady to tell";
	if (settling->look_cnt < SETTLED_LOOK_CNT ||
	    settling->last_ns - settling->since_ns < SETTLED_SPAN_NS)
		return "class or advice have changed of late";
	if (settling->verdict_class == CLASS_IDLE && settling->last_ns < SETTLED_IDLE_NS)
		return "idle, but work may come";
	return NULL;
}
