/* See predict.h; docs/rules.md, "Prediction", has method and reasons. */
#include "predict/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/convoy.h"
#include "decide/thresholds.h"
#include "decide/vocabulary.h"
#include "predict/assumptions.h"
#include "predict/candidate.h"
#include "predict/limits.h"
#include "predict/operations.h"
#include "predict/sample.h"
#include "predict/workload.h"
#include "replay/replay.h"

#define SEED 1

struct predictor {
	const struct facts *facts;
	const struct model *model;
	struct workload workload;
	struct sample seen; /* the operations as they were */
	struct sample samples[OUTLOOK_CNT];
	struct replay_operation *resampled;   /* room for one sample's operations */
	double as_it_is_ns;		      /* what the expected sample takes as the program is */
	enum concurrency_model command_model; /* in which commands are run at once */
};

/* What @sample takes under @setup, in the time of the sample: only ratios mean something. */
static double replayed_ns(const struct predictor *predictor, const struct sample *sample,
			  struct replay_setup setup, double serial_ns, struct replay_result *result)
{
	struct replay_work work = sample->work;
	double part = fmin(sample->part, 1); /* what is done once isn't done more often */

	work.cpus = predictor->facts->cpus;
	work.serial_ns = part * (predictor->workload.start_ns + serial_ns);
	setup.start_ns *= part;
	if (replay(&work, &setup, SEED, result))
		return 0;
	return result->wall_ns;
}

static double current_ns(const struct predictor *predictor, const struct sample *sample)
{
	struct replay_result result;
	struct replay_setup setup =
		candidate_current(predictor->facts, predictor->model, &predictor->workload);

	return replayed_ns(predictor, sample, setup, 0, &result);
}

/* How many times as fast as it is, which takes @as_it_is_ns, @sample would be. */
static double speedup(const struct predictor *predictor, const struct sample *sample,
		      double as_it_is_ns, const struct report_prediction *to, uint32_t workers,
		      enum outlook outlook, struct replay_result *result)
{
	double serial_ns, changed_ns;
	struct replay_setup setup = candidate_setup(predictor->facts, &predictor->workload,
						    to->model, workers, outlook, &serial_ns);

	changed_ns = replayed_ns(predictor, sample, setup, serial_ns, result);
	return changed_ns > 0 ? as_it_is_ns / changed_ns : 0;
}

/* The same of the operations that were seen, or a good or bad turn of them: the run was seen at its
 * own waits, whatever they may be tomorrow. */
static double speedup_of_seen(const struct predictor *predictor, const struct report_prediction *to,
			      uint32_t workers, enum outlook outlook, struct replay_result *result)
{
	const struct sample *sample = &predictor->samples[outlook];

	/* A few go as one does. */
	if (workers < WARM_WORKERS && outlook == OUTLOOK_EXPECTED)
		sample = &predictor->seen;
	return speedup(predictor, sample, predictor->as_it_is_ns, to, workers, outlook, result);
}

static const char *bottleneck(const struct predictor *predictor, enum concurrency_model model,
			      uint32_t workers, const struct replay_result *result)
{
	double wall_ns = result->wall_ns;
	const struct replay_work *work = &predictor->samples[OUTLOOK_EXPECTED].work;

	if (result->locked_ns >= FULL_USE * wall_ns)
		return "lock";
	if (result->cpu_ns >= FULL_USE * wall_ns * predictor->facts->cpus)
		return "cpu";
	if (model != MODEL_MULTIPROCESSING && result->gil_ns >= FULL_USE * wall_ns)
		return "gil";
	if (work->disk_slots &&
	    result->busy_ns[PLACE_DISK] >= FULL_USE * wall_ns * work->disk_slots)
		return "disk";
	if (predictor->workload.start_ns >= FULL_USE / 2 * wall_ns)
		return "start";
	return workers >= work->operation_cnt ? "operations" : "workers";
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/*
 * What chance had in the operations that were seen: 90% of bootstrap samples (Efron, 1979) of them
 * gain between these factors of what the operations themselves do.
 */
static void chance(const struct predictor *predictor, const struct report_prediction *prediction,
		   double *low, double *high)
{
	const struct sample *seen = &predictor->seen;
	struct replay_result whole;
	double gain = speedup(predictor, seen, predictor->as_it_is_ns, prediction,
			      prediction->workers, OUTLOOK_EXPECTED, &whole);
	double gains[RESAMPLES];

	for (int i = 0; i < RESAMPLES; i++) {
		struct replay_result result;
		struct sample again;

		sample_resample(seen, (uint64_t)i + 1, predictor->resampled, &again);
		gains[i] = speedup(predictor, &again, current_ns(predictor, &again), prediction,
				   prediction->workers, OUTLOOK_EXPECTED, &result) /
			   gain;
	}
	qsort(gains, RESAMPLES, sizeof(gains[0]), by_value);
	*low = fmin(gains[RESAMPLE_TAILS], 1);
	*high = fmax(gains[RESAMPLES - 1 - RESAMPLE_TAILS], 1);
}

/* Where several ask at once, what they ask may give all that it can already. */
static bool may_be_exhausted(const struct predictor *predictor, uint32_t workers)
{
	const struct stretch *sum = &predictor->workload.sum;

	return predictor->model->workers > 1 && workers > predictor->model->workers &&
	       sum->delay_ns >= OVERLAP_SHARE * stretch_own_ns(sum);
}

static void fill_interval(const struct predictor *predictor, struct report_prediction *to)
{
	struct replay_result result;
	double low, high;

	chance(predictor, to, &low, &high);
	to->speedup_low =
		low * fmin(to->speedup_expected,
			   speedup_of_seen(predictor, to, to->workers, OUTLOOK_LOW, &result));
	if (may_be_exhausted(predictor, to->workers))
		to->speedup_low = fmin(to->speedup_low, 1);
	to->speedup_high =
		high * fmax(to->speedup_expected,
			    speedup_of_seen(predictor, to, to->workers, OUTLOOK_HIGH, &result));
}

/* The curve up to what is worth a thought; room for it is made generously. */
static void fill_curve(const struct predictor *predictor, struct report_prediction *to)
{
	uint32_t most = candidate_workers_max(predictor->facts, &predictor->workload, to->model);
	size_t cnt = 0;

	for (uint32_t n = 1; n < most; n = candidate_next(n))
		cnt++;
	to->curve = arena_array(predictor->facts->arena, cnt + 1, sizeof(*to->curve));
	for (uint32_t n = 1; to->curve && to->curve_cnt <= cnt; n = candidate_next(n)) {
		struct replay_result result;

		n = n < most ? n : most;
		to->curve[to->curve_cnt++] = (struct report_curve_point){
			n, speedup_of_seen(predictor, to, n, OUTLOOK_EXPECTED, &result)
		};
	}
}

/* The fewest workers that get as good as all of what more would; what the user plans, if it is no
 * worse. */
static void find_knee(const struct predictor *predictor, struct report_prediction *to)
{
	uint32_t planned = predictor->facts->options->planned_concurrency;
	double best = 0;
	size_t at = 0;

	for (size_t i = 0; i < to->curve_cnt; i++)
		best = fmax(best, to->curve[i].speedup);
	while (at + 1 < to->curve_cnt && to->curve[at].speedup < KNEE_REACH * best)
		at++;
	if (planned && to->curve[to->curve_cnt - 1].speedup >= KNEE_REACH * best)
		at = to->curve_cnt - 1;
	/* A disk's queue is worth filling. */
	while (!strcmp(to->bottleneck, "disk") && at + 1 < to->curve_cnt &&
	       to->curve[at].workers < MIN_DISK_WORKERS)
		at++;
	to->workers = to->curve[at].workers;
	to->speedup_expected = to->curve[at].speedup;
}

static void fill_prediction(const struct predictor *predictor, enum concurrency_model model,
			    struct report_prediction *to)
{
	struct replay_result result;

	*to = (struct report_prediction){ .model = model, .bottleneck = "" };
	fill_curve(predictor, to);
	if (!to->curve_cnt)
		return;
	speedup_of_seen(predictor, to, to->curve[to->curve_cnt - 1].workers, OUTLOOK_EXPECTED,
			&result);
	to->bottleneck =
		bottleneck(predictor, model, to->curve[to->curve_cnt - 1].workers, &result);
	find_knee(predictor, to);
	speedup_of_seen(predictor, to, to->workers, OUTLOOK_EXPECTED, &result);
	to->bottleneck = bottleneck(predictor, model, to->workers, &result);
	fill_interval(predictor, to);
	to->extra_memory_bytes =
		candidate_memory(predictor->facts, &predictor->workload, model, to->workers);
	assumptions_list(predictor->facts, &predictor->workload, to);
}

/* Whether what it does can be told from how its operations follow each other. */
static bool can_be_replayed(const struct facts *facts, const struct model *model,
			    const struct report *report)
{
	struct convoy convoy;

	switch (report->verdict.verdict_class) {
	case CLASS_CPU_BOUND:
	case CLASS_IO_BOUND:
	case CLASS_LOCK_BOUND:
	case CLASS_MIXED:
		break;
	default:
		return false;
	}
	if (facts->idle_share >= NOTABLE_IDLE || !facts->dominant || model->workers > WORKERS_MAX)
		return false;
	if (!model->has_threads && !model->has_processes && in_flight_overlaps(model))
		return false;
	if (in_flight_is_stream(facts))
		return false;
	/* Whoever asks a server decides what of its work overlaps. */
	if (facts->asked_cnt >= MIN_ASKED_CNT)
		return false;
	/* How much such a thread computes is no amount of work. */
	if (background_find(facts) || convoy_find(facts, &convoy))
		return false;
	/* Operations that a loop has in flight together can't be told apart by its waits. */
	return !model->loop_thread || in_flight_is_serial(facts, model) ||
	       share_of(model->loop_blocked_ns, facts->busy_ns) >= BLOCKING_SHARE;
}

/* Whether the run comes out as it was when it is replayed as it was. */
static bool is_faithful(const struct predictor *predictor)
{
	const struct facts *facts = predictor->facts;
	double part = predictor->seen.part;
	double seen_ns = (double)(facts->busy_ns - facts->program_time->starved_ns);
	double replayed = predictor->as_it_is_ns / part;

	return replayed > 0 && replayed <= FIDELITY * seen_ns && seen_ns <= FIDELITY * replayed;
}

/* No thread waits more often; a recording may say so. */
static double most_operations(const struct facts *facts)
{
	double life_ns = 0;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++)
		life_ns += (double)facts->threads[i].life_ns;
	return 1 + life_ns / LEAST_OPERATION_NS;
}

static bool prepare(struct predictor *predictor)
{
	static const struct turn seen = { .wait_factor = 1, .disk_factor = 1 };
	static const double wait_factors[OUTLOOK_CNT] = { WAIT_FACTOR };
	static const double disk_factors[OUTLOOK_CNT] = { DISK_FACTOR };
	static const double slot_factors[OUTLOOK_CNT] = { SLOT_FACTOR };
	static const double warm_ns[OUTLOOK_CNT] = { WARM_NS };
	const struct facts *facts = predictor->facts;
	size_t cnt_min = 0;

	workload_build(facts, predictor->model, &predictor->workload);
	if (facts->options->planned_concurrency)
		cnt_min = (size_t)OPERATIONS_PER_WORKER *
			  candidate_workers_max(facts, &predictor->workload, MODEL_THREADS);
	if (predictor->workload.operation_cnt < 1 || predictor->workload.is_of_one_stream ||
	    predictor->workload.operation_cnt > most_operations(facts))
		return false;
	if (sample_draw(&predictor->workload, cnt_min, &seen, facts->scratch, &predictor->seen))
		return false;
	for (int outlook = 0; outlook < OUTLOOK_CNT; outlook++) {
		struct sample *sample = &predictor->samples[outlook];
		struct turn turn = { wait_factors[outlook], disk_factors[outlook],
				     warm_ns[outlook] };

		if (sample_draw(&predictor->workload, cnt_min, &turn, facts->scratch, sample))
			return false;
		sample->work.disk_slots =
			(uint32_t)(slot_factors[outlook] * predictor->workload.disk_slots);
	}
	predictor->resampled = arena_array(facts->scratch, predictor->seen.work.operation_cnt,
					   sizeof(*predictor->resampled));
	predictor->as_it_is_ns = current_ns(predictor, &predictor->seen);
	return predictor->resampled && is_faithful(predictor);
}

/* Whether the runtime has such a thing, and it fits what an operation is. */
static bool is_candidate(const struct predictor *predictor, enum concurrency_model model)
{
	enum runtime_id runtime = predictor->facts->dominant->runtime;

	if (model == MODEL_SYNC)
		return predictor->model->primary != MODEL_SYNC && runtime != RUNTIME_NODE;
	if (predictor->workload.is_commands)
		return model == predictor->command_model;
	/* JavaScript's threads share nothing: they are as good as processes. */
	if (model == MODEL_THREADS && runtime == RUNTIME_NODE)
		return false;
	return vocabulary_api(runtime, model, 0, predictor->facts->scratch);
}

static struct choice describe(const struct predictor *predictor)
{
	const struct workload *workload = &predictor->workload;

	return (struct choice){
		.made = true,
		.model = predictor->model->primary,
		.workers = predictor->model->workers,
		.is_of_one_file = workload->is_of_one_file,
		.computed_ns = workload->sum.computed_ns / workload->operation_cnt,
	};
}

/* Whether @prediction, of a model less simple, is surely better than what gains @expected. */
static bool is_worth_more(const struct report_prediction *prediction, double expected)
{
	return prediction->speedup_low > expected &&
	       prediction->speedup_expected * SIMPLER_REACH > expected;
}

/* From so many in flight on, a thread or process for each is no choice where a loop gains too: its
 * memory, and what else the machine is for, are worth more than the CPU that it doesn't use. */
static bool is_too_many(const struct report_prediction *prediction, const struct report *report,
			uint32_t planned)
{
	if (prediction->model == MODEL_ASYNC ||
	    fmax(planned, report->concurrency.in_flight_mean) < HIGH_CONCURRENCY)
		return false;
	for (size_t i = 0; i < report->prediction_cnt; i++)
		if (report->predictions[i].model == MODEL_ASYNC)
			return is_worth_more(&report->predictions[i], 1);
	return false;
}

/* From the simplest model on, as the enum has them, to each that is surely better. */
static struct choice choose(const struct predictor *predictor, const struct report *report)
{
	struct choice choice = describe(predictor);
	uint32_t planned = predictor->facts->options->planned_concurrency;
	double chosen = 1, best = 1;

	for (size_t i = 0; i < report->prediction_cnt; i++) {
		const struct report_prediction *prediction = &report->predictions[i];

		if (is_too_many(prediction, report, planned))
			continue;
		if (prediction->speedup_expected > best) {
			best = prediction->speedup_expected;
			choice.best = prediction;
		}
		if (!is_worth_more(prediction, chosen))
			continue;
		chosen = prediction->speedup_expected;
		choice.prediction = prediction;
	}
	if (!choice.prediction)
		return choice;
	choice.is_change = choice.prediction->model != predictor->model->primary;
	choice.model = choice.prediction->model;
	choice.workers = choice.prediction->workers;
	return choice;
}

struct choice predict(const struct facts *facts, const struct model *model, struct report *report)
{
	struct predictor predictor = {
		.facts = facts,
		.model = model,
		.command_model = model_for_commands(facts, report->verdict.verdict_class),
	};

	if (!can_be_replayed(facts, model, report) || !prepare(&predictor))
		return (struct choice){ .made = false };
	operations_describe(&predictor.workload, facts->scratch, &report->operations);
	report->predictions = arena_array(facts->arena, MODEL_CNT, sizeof(*report->predictions));
	if (!report->predictions)
		return (struct choice){ .made = false };
	for (int candidate = MODEL_SYNC; candidate <= MODEL_MULTIPROCESSING; candidate++)
		if (is_candidate(&predictor, candidate))
			fill_prediction(&predictor, candidate,
					&report->predictions[report->prediction_cnt++]);
	return choose(&predictor, report);
}
