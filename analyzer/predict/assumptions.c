/* See assumptions.h. */
#include "predict/assumptions.h"

#include "account/thread_time.h"
#include "arena.h"
#include "predict/candidate.h"
#include "predict/limits.h"

#define ASSUMPTIONS_MAX 6

static void assume(struct report_prediction *prediction, const char *clause)
{
	if (prediction->assumptions && prediction->assumption_cnt < ASSUMPTIONS_MAX)
		prediction->assumptions[prediction->assumption_cnt++] = clause;
}

/* The far end that most is waited for, by name. */
static const char *far_end_name(const struct facts *facts)
{
	for (size_t i = 0; i < facts->thread_time->wait_cnt; i++) {
		const struct report_wait *wait = &facts->thread_time->waits[i];

		if (wait->reason == WAIT_NETWORK && wait->object_cnt && !wait->objects[0].is_rest)
			return wait->objects[0].name;
	}
	return "what it asks";
}

static void assume_far_end(const struct facts *facts, const struct workload *workload,
			   struct report_prediction *prediction)
{
	double delay_ns = workload->sum.delay_ns + workload->sum.neighbour_ns;

	if (workload->is_commands || prediction->workers < 2 ||
	    delay_ns < OVERLAP_SHARE * stretch_own_ns(&workload->sum))
		return;
	assume(prediction, arena_printf(facts->arena, "%s serves %u at once as fast as one",
					far_end_name(facts), prediction->workers));
}

/* Of what it waits for outside, how much is sleep. */
static double sleep_share(const struct facts *facts)
{
	uint64_t slept_ns = 0;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++)
		slept_ns += facts->threads[i].timer_ns;
	return share_of(slept_ns, slept_ns + facts->outside_ns);
}

/* A plan for more at once than there was to do is one for more to do. */
static void assume_amount(const struct facts *facts, const struct workload *workload,
			  struct report_prediction *prediction)
{
	uint32_t planned = facts->options->planned_concurrency;
	double needed =
		(double)OPERATIONS_PER_WORKER * (planned < WORKERS_MAX ? planned : WORKERS_MAX);

	if (planned && workload->operation_cnt < needed && prediction->workers > 1)
		assume(prediction,
		       arena_printf(facts->arena, "it has %.0f operations to do, not %.0f", needed,
				    workload->operation_cnt));
}

void assumptions_list(const struct facts *facts, const struct workload *workload,
		      struct report_prediction *prediction)
{
	prediction->assumptions =
		arena_array(facts->arena, ASSUMPTIONS_MAX, sizeof(*prediction->assumptions));
	if (prediction->workers > 1)
		assume(prediction, workload->is_commands
					   ? "its commands don't depend on each other"
					   : "its operations don't depend on each other");
	assume_far_end(facts, workload, prediction);
	if (prediction->workers > 1 && sleep_share(facts) >= SLEEP_SHARE)
		assume(prediction, "its sleeps keep no pace");
	if (prediction->model == MODEL_MULTIPROCESSING && !workload->is_commands)
		assume(prediction,
		       stretch_own_ns(&workload->sum) < SMALL_OPERATION_NS * workload->operation_cnt
			       ? "its operations are handed out in chunks"
			       : "little has to be passed between the processes");
	if (prediction->model == MODEL_ASYNC)
		assume(prediction, "an async client computes no more than this one");
	if (workload->sum.disk_ns >= OVERLAP_SHARE * stretch_own_ns(&workload->sum) &&
	    prediction->workers > 1)
		assume(prediction, arena_printf(facts->arena, "the disk serves %u at a time",
						workload->disk_slots));
	assume_amount(facts, workload, prediction);
	if (!facts->obs->segment_cnt)
		assume(prediction, "all operations are alike");
}
