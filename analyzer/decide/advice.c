/* See advice.h. */
#include "arena.h"
#include "decide/advice.h"
#include "decide/vocabulary.h"

#define REASONS_MAX 6

void advice_because(struct advice *advice, const char *reason)
{
	struct report_recommendation *to = advice->to;

	if (!to->reasons)
		to->reasons = arena_array(advice->facts->arena, REASONS_MAX, sizeof(*to->reasons));
	if (to->reasons && to->reason_cnt < REASONS_MAX)
		to->reasons[to->reason_cnt++] = reason;
}

void advice_keep(struct advice *advice, const char *summary)
{
	advice->to->action = ACTION_KEEP;
	advice->to->model = advice->model->primary;
	advice->to->summary = summary;
}

static enum runtime_id runtime_for_words(const struct advice *advice)
{
	if (advice->model->is_command_sequence)
		return model_starter(advice->facts);
	return advice->facts->dominant ? advice->facts->dominant->runtime : RUNTIME_NATIVE;
}

bool advice_has_api(const struct advice *advice, enum concurrency_model model)
{
	return vocabulary_api(runtime_for_words(advice), model, 0, advice->facts->scratch);
}

void advice_change(struct advice *advice, enum concurrency_model model, uint32_t workers,
		   const char *summary)
{
	advice->to->action = ACTION_CHANGE;
	advice->to->model = model;
	advice->to->workers = workers;
	advice->to->summary = summary;
	advice->to->api =
		vocabulary_api(runtime_for_words(advice), model, workers, advice->facts->arena);
}

void advice_measure_again(struct advice *advice, const char *summary)
{
	advice->to->action = ACTION_MEASURE_AGAIN;
	advice->to->model = advice->model->primary;
	advice->to->summary = summary;
}

static void because_of_best(struct advice *advice)
{
	const struct report_prediction *best = advice->choice->best;
	struct arena *arena = advice->facts->arena;

	if (!advice->choice->made)
		advice_because(advice, "Its run could not be replayed, so what another model would "
				       "gain isn't known.");
	else if (advice->choice->is_of_one_file)
		advice_because(advice, "It syncs the same few files again and again: more workers "
				       "would wait for each other there.");
	else if (!best)
		advice_because(advice, "Replayed under the other models, it is no faster.");
	else
		advice_because(advice,
			       arena_printf(arena,
					    "The best that replaying it under the other models "
					    "gives is %.3g times the speed (%s), and it may be "
					    "%.3g.",
					    best->speedup_expected,
					    concurrency_model_name(best->model),
					    best->speedup_low));
}

void advice_keep_as_replayed(struct advice *advice)
{
	advice_keep(advice, advice->model->primary == MODEL_SYNC
				    ? "Keep it as it is: no other model is sure to gain anything."
				    : "Keep the model: no other is sure to gain anything.");
	because_of_best(advice);
}

const char *advice_lock_title(const struct facts *facts)
{
	switch (facts_global_lock(facts)) {
	case GLOBAL_LOCK_GIL:
		return "the GIL";
	case GLOBAL_LOCK_GVL:
		return "Ruby's GVL";
	case GLOBAL_LOCK_EVENT_LOOP:
		return "the one JavaScript thread";
	default:
		return "no global lock";
	}
}

void advice_because_no_threads(struct advice *advice)
{
	advice_because(advice,
		       arena_printf(advice->facts->arena, "%s has no threads to do it with.",
				    advice->report->runtime.name));
}

void advice_run_commands(struct advice *advice, enum concurrency_model model, uint32_t workers)
{
	if (!advice_has_api(advice, model))
		model = MODEL_MULTIPROCESSING;
	advice_change(advice, model, workers,
		      arena_printf(advice->facts->arena,
				   "Run up to %u of its commands at once instead of "
				   "one after another.",
				   workers));
	advice_because(advice,
		       "Each step is a process of its own already; they run one after another.");
}
