/* The comparison: see verification.h. */
#include "verification/verification.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "verification/comparable.h"
#include "verification/promise.h"

const char *prediction_outcome_name(enum prediction_outcome outcome)
{
	static const char *const names[OUTCOME_CNT] = {
		[OUTCOME_HELD] = "held",
		[OUTCOME_BETTER] = "better",
		[OUTCOME_WORSE] = "worse",
		[OUTCOME_UNDECIDED] = "undecided",
		[OUTCOME_NO_PREDICTION] = "no-prediction",
		[OUTCOME_NOT_COMPARABLE] = "not-comparable",
	};

	return names[outcome];
}

const char *gain_name(enum gain gain)
{
	static const char *const names[GAIN_CNT] = {
		[GAIN_FASTER] = "faster",
		[GAIN_NONE] = "same",
		[GAIN_SLOWER] = "slower",
	};

	return names[gain];
}

/* Of an even number of runs the shorter one in the middle. */
static const struct run_facts *typical_run(const struct run_facts *runs, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		size_t shorter_cnt = 0, equal_cnt = 0;

		for (size_t k = 0; k < cnt; k++) {
			shorter_cnt += runs[k].wall_ns < runs[i].wall_ns;
			equal_cnt += runs[k].wall_ns == runs[i].wall_ns;
		}
		if (shorter_cnt <= (cnt - 1) / 2 && shorter_cnt + equal_cnt > (cnt - 1) / 2)
			return &runs[i];
	}
	return runs;
}

static void wall_times(const struct verified_side *side, uint64_t *wall_ns)
{
	for (size_t i = 0; i < side->run_cnt; i++)
		wall_ns[i] = side->runs[i].wall_ns;
}

static struct verified_side make_side(const struct run_facts *runs, size_t cnt)
{
	struct verified_side side = { .runs = runs,
				      .run_cnt = cnt < VERIFIED_RUN_MAX ? cnt : VERIFIED_RUN_MAX };
	uint64_t wall_ns[VERIFIED_RUN_MAX] = { 0 };

	wall_times(&side, wall_ns);
	side.wall = run_spread_of(wall_ns, side.run_cnt);
	side.typical = typical_run(runs, side.run_cnt);
	return side;
}

static void measure(struct verification *result)
{
	uint64_t before_ns[VERIFIED_RUN_MAX] = { 0 }, after_ns[VERIFIED_RUN_MAX] = { 0 };

	wall_times(&result->before, before_ns);
	wall_times(&result->after, after_ns);
	result->speedup =
		speedup_between(before_ns, result->before.run_cnt, after_ns, result->after.run_cnt);
	if (result->speedup.low > 1)
		result->gain = GAIN_FASTER;
	else
		result->gain = result->speedup.high < 1 ? GAIN_SLOWER : GAIN_NONE;
}

static struct verified_change *change_of(struct verification *result, const char *what)
{
	for (size_t i = 0; i < result->change_cnt; i++)
		if (!strcmp(result->changes[i].what, what))
			return &result->changes[i];
	result->changes[result->change_cnt] = (struct verified_change){ .what = what };
	return &result->changes[result->change_cnt++];
}

static uint64_t size_of(const struct verified_change *change)
{
	return change->before_ns > change->after_ns ? change->before_ns : change->after_ns;
}

static int by_size(const void *a, const void *b)
{
	uint64_t left = size_of(a), right = size_of(b);

	return left > right ? -1 : left < right;
}

/* Program time of the typical runs, side by side. */
static void compare_times(struct verification *result)
{
	const struct run_facts *before = result->before.typical, *after = result->after.typical;
	enum { STATE_CNT = 3 };

	result->changes = arena_array(result->arena, STATE_CNT + before->wait_cnt + after->wait_cnt,
				      sizeof(*result->changes));
	if (!result->changes)
		return;
	*change_of(result, "computing") =
		(struct verified_change){ "computing", before->computing_ns, after->computing_ns };
	*change_of(result, "starved") =
		(struct verified_change){ "starved", before->starved_ns, after->starved_ns };
	*change_of(result, "idle") =
		(struct verified_change){ "idle", before->idle_ns, after->idle_ns };
	for (size_t i = 0; i < before->wait_cnt; i++)
		change_of(result, before->waits[i].reason)->before_ns += before->waits[i].wait_ns;
	for (size_t i = 0; i < after->wait_cnt; i++)
		change_of(result, after->waits[i].reason)->after_ns += after->waits[i].wait_ns;
	qsort(result->changes, result->change_cnt, sizeof(*result->changes), by_size);
	while (result->change_cnt && !size_of(&result->changes[result->change_cnt - 1]))
		result->change_cnt--;
}

static enum prediction_outcome judge(const struct verification *result)
{
	if (result->obstacle_cnt)
		return OUTCOME_NOT_COMPARABLE;
	if (!result->has_prediction)
		return OUTCOME_NO_PREDICTION;
	/* What other programs took may be all that the one or the other lacks. */
	if (result->speedup.low * (1 - neighbours_share(result->before.typical)) >
	    result->prediction.high)
		return OUTCOME_BETTER;
	if (result->speedup.high <
	    result->prediction.low * (1 - neighbours_share(result->after.typical)))
		return OUTCOME_WORSE;
	/* Not refuted is not proved: the median has to reach the promise, and a promised gain to be
	 * one. */
	if (result->speedup.measured < result->prediction.low ||
	    (result->prediction.low > 1 && result->gain == GAIN_NONE))
		return OUTCOME_UNDECIDED;
	return OUTCOME_HELD;
}

/* Of the typical run if it has one, else of any: a busy machine can keep a run from having one. */
static bool find_any_promise(const struct verification_request *request,
			     struct verification *result)
{
	const struct verified_side *before = &result->before;
	const struct run_facts *after = result->after.typical;
	bool is_as_advised = request->is_as_advised;

	if (find_promise(before->typical, after, is_as_advised, &result->prediction))
		return true;
	for (size_t i = 0; i < before->run_cnt; i++)
		if (find_promise(&before->runs[i], after, is_as_advised, &result->prediction))
			return true;
	return false;
}

static bool came_true(const struct verification *result)
{
	switch (result->outcome) {
	case OUTCOME_HELD:
	case OUTCOME_BETTER:
		return result->gain != GAIN_SLOWER;
	case OUTCOME_NO_PREDICTION:
		return result->gain == GAIN_FASTER;
	default:
		return false;
	}
}

int verification_make(const struct verification_request *request, struct verification *result)
{
	memset(result, 0, sizeof(*result));
	result->arena = arena_new();
	if (!result->arena)
		return -ENOMEM;
	result->before = make_side(request->before, request->before_cnt);
	result->after = make_side(request->after, request->after_cnt);
	find_obstacles(request, result);
	/* No time can't be divided by. */
	if (result->before.wall.min_ns && result->after.wall.min_ns)
		measure(result);
	else
		result->gain = GAIN_NONE;
	result->has_prediction = find_any_promise(request, result);
	compare_times(result);
	result->outcome = judge(result);
	result->is_success = came_true(result);
	return arena_has_failed(result->arena) ? -ENOMEM : 0;
}

void verification_release(struct verification *result)
{
	arena_free(result->arena);
	memset(result, 0, sizeof(*result));
}
