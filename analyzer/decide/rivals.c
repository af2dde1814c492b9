/* Puts the neighbours of the observation into words; see rivals.h. */
#include "decide/rivals.h"
#include "account/thread_time.h"
#include "arena.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

static double share_at(const struct facts *facts, size_t index)
{
	const struct report_queue *queue = &facts->thread_time->queue;

	if (index >= queue->neighbour_cnt)
		return 0;
	return share_of(queue->neighbours[index].queue_ns, facts->thread_time->run_queue_ns);
}

double rivals_largest_share(const struct facts *facts)
{
	return share_at(facts, 0);
}

const char *rivals_phrase(const struct facts *facts)
{
	const struct report_neighbour *rows = facts->thread_time->queue.neighbours;

	if (share_at(facts, 0) < RIVAL_SHARE)
		return NULL;
	if (share_at(facts, 1) < RIVAL_SHARE)
		return arena_printf(facts->arena, "%s had them for %.0f%% of the time it queued",
				    rows[0].name, pct(share_at(facts, 0)));
	return arena_printf(
		facts->arena, "%s had them for %.0f%% of the time it queued, %s for %.0f%%",
		rows[0].name, pct(share_at(facts, 0)), rows[1].name, pct(share_at(facts, 1)));
}

double rivals_own_share(const struct facts *facts)
{
	const struct report_queue *queue = &facts->thread_time->queue;
	uint64_t known_ns = queue->own_ns;

	for (size_t i = 0; i < queue->neighbour_cnt; i++)
		known_ns += queue->neighbours[i].queue_ns;
	return known_ns ? share_of(queue->own_ns, known_ns) : -1;
}
