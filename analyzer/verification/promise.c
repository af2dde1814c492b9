/* Choosing the prediction, and reading its curve where the number of workers is another. */
#include "verification/promise.h"

#include <math.h>
#include <string.h>

/* A prediction without a curve says something about numbers of workers near its own only. */
#define NEAR_FACTOR 1.25

/* An event loop has one worker; what its prediction counts is operations in flight. */
static double workers_in_use(const struct run_facts *after)
{
	if (strcmp(after->model, "async"))
		return after->workers;
	return after->in_flight_peak > 0 ? after->in_flight_peak : 0;
}

static double distance(double workers, double other)
{
	return fabs(log((workers > 0 ? workers : 1) / (other > 0 ? other : 1)));
}

static const struct run_prediction *nearest(const struct run_facts *before, const char *model,
					    double workers)
{
	const struct run_prediction *best = NULL;

	for (size_t i = 0; i < before->prediction_cnt; i++) {
		const struct run_prediction *one = &before->predictions[i];

		if (strcmp(one->model, model))
			continue;
		if (!best || distance(one->workers, workers) < distance(best->workers, workers))
			best = one;
	}
	return best;
}

/* The speedup at @workers, straight between the points and flat beyond them. */
static double read_curve(const struct run_prediction *prediction, double workers)
{
	const struct run_curve_point *points = prediction->curve;
	size_t cnt = prediction->curve_cnt;

	if (workers <= points[0].workers)
		return points[0].speedup;
	for (size_t i = 1; i < cnt; i++) {
		double part = (workers - points[i - 1].workers) /
			      (points[i].workers - points[i - 1].workers);

		if (workers <= points[i].workers)
			return points[i - 1].speedup +
			       part * (points[i].speedup - points[i - 1].speedup);
	}
	return points[cnt - 1].speedup;
}

/* Moves the interval along the curve; it stays as wide as it was in proportion. */
static void follow_curve(const struct run_prediction *prediction,
			 struct verified_prediction *promise)
{
	double there = read_curve(prediction, promise->asked_for);
	double here = read_curve(prediction, prediction->workers);
	double factor = here > 0 ? there / here : 1;

	promise->is_from_curve = true;
	promise->low *= factor;
	promise->expected *= factor;
	promise->high *= factor;
}

bool find_promise(const struct run_facts *before, const struct run_facts *after, bool is_as_advised,
		  struct verified_prediction *promise)
{
	double workers = is_as_advised ? before->advised_workers : workers_in_use(after);
	const char *model = is_as_advised ? before->advised_model : after->model;
	const struct run_prediction *found = nearest(before, model, workers);

	if (!found)
		return false;
	*promise = (struct verified_prediction){
		.model = found->model,
		.workers = found->workers,
		.asked_for = workers > 0 ? workers : found->workers,
		.low = found->low,
		.expected = found->expected,
		.high = found->high,
	};
	if (promise->asked_for == found->workers)
		return true;
	if (found->curve_cnt)
		follow_curve(found, promise);
	else
		return distance(found->workers, promise->asked_for) <= log(NEAR_FACTOR);
	return true;
}
