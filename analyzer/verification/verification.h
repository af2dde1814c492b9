/*
 * Did the advice come true? Compares the runs of a program before a change with those after it:
 * what was gained, whether the prediction held that was made before, what changed, what is next.
 * Pure.
 */
#ifndef CLASSIFY_VERIFICATION_H
#define CLASSIFY_VERIFICATION_H

#include <stdbool.h>
#include <stddef.h>

#include "verification/run_facts.h"
#include "verification/speedup.h"

enum prediction_outcome {
	OUTCOME_HELD,	   /* the median reaches what was predicted */
	OUTCOME_BETTER,	   /* faster than predicted at best */
	OUTCOME_WORSE,	   /* slower than predicted at worst */
	OUTCOME_UNDECIDED, /* the runs vary too much to say whether it held */
	OUTCOME_NO_PREDICTION,
	OUTCOME_NOT_COMPARABLE, /* the times of the two don't tell: see the obstacles */
	OUTCOME_CNT,
};

enum gain { GAIN_FASTER, GAIN_NONE, GAIN_SLOWER, GAIN_CNT };

/* The runs of one program. */
struct verified_side {
	const struct run_facts *runs;
	size_t run_cnt;			 /* 1..VERIFIED_RUN_MAX */
	const struct run_facts *typical; /* the run of middle length: its details stand for all */
	struct run_spread wall;
};

/* The prediction for the model and the number of workers that are in use after the change. */
struct verified_prediction {
	const char *model;
	double workers;	  /* that it was made for */
	double asked_for; /* workers in use; differs where the curve was read or nothing nearer is
			   */
	bool is_from_curve;
	double low, expected, high;
};

struct verified_change {
	const char *what; /* "computing", "starved", "idle", or the reason of a wait */
	uint64_t before_ns, after_ns;
};

struct verification {
	enum prediction_outcome outcome;
	enum gain gain;
	bool is_success; /* it came true, or where nothing was predicted: it is faster */
	struct verified_side before, after;
	struct speedup speedup;
	bool has_prediction;
	struct verified_prediction prediction;
	struct verified_change *changes; /* of program time, largest first */
	size_t change_cnt;
	const char **obstacles; /* why they can't be compared: clauses */
	size_t obstacle_cnt;
	const char **notes; /* what to bear in mind: sentences */
	size_t note_cnt;
	struct arena *arena;
};

struct verification_request {
	const struct run_facts *before, *after; /* in the order in which they ran */
	size_t before_cnt, after_cnt;		/* 1..VERIFIED_RUN_MAX */
	bool is_as_advised; /* after is what was advised, whatever it looks like */
	bool is_same_work;  /* known, so that differences in what they did are no obstacle */
};

/* Fills @result, which points into @request's facts. Returns 0 or -ENOMEM; release it either way.
 */
int verification_make(const struct verification_request *request, struct verification *result);
void verification_release(struct verification *result);

/* "held", "better", "worse", "undecided", "no-prediction", "not-comparable"; "faster", "same",
 * "slower" */
const char *prediction_outcome_name(enum prediction_outcome outcome);
const char *gain_name(enum gain gain);

#endif
