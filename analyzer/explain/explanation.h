/*
 * What the parts of explain/ work on: the times of an observation by thread, stack and what was
 * waited for, scaled and each once.
 */
#ifndef CLASSIFY_EXPLANATION_H
#define CLASSIFY_EXPLANATION_H

#include "decide/facts.h"
#include "decide/model.h"
#include "explain/blame.h"
#include "explain/places.h"

#define NO_OBJECT UINT32_MAX

/* All time of one thread with one stack, task and object. */
struct stack_sum {
	const struct obs_stack_time *time; /* one of those it is the sum of */
	enum wait_reason reason;	   /* not on a CPU */
	enum wait_role role;		   /* likewise */
	uint32_t object;		   /* in explanation.objects; or NO_OBJECT */
	/* What it is blamed on: the frame, and the numbers of its line and function. */
	uint32_t frame, line, function;
	uint64_t time_ns;
	uint64_t sample_cnt;
	uint64_t gil_held_ns;
	uint64_t gil_known_ns;
	uint64_t on_loop_ns; /* of a wait: by a thread that drives an event loop, not through it */
	double variance;     /* of time_ns, in ns^2 */
	double program_ns; /* program time that is charged to it: what of it held the program up */
};

struct explanation {
	const struct facts *facts;
	const struct model *model;
	const struct observation *obs;
	struct report *report;
	struct arena *arena;   /* of the report */
	struct arena *scratch; /* gone when analyze() returns */
	struct blame blame;
	struct places places;
	const char **objects; /* titles, each once; of the report's arena */
	/* Largest first; parallel to the report's stacks. */
	struct stack_sum *sums;
	size_t sum_cnt;
	const struct starter *starters; /* by pid; see starters.h */
	size_t starter_cnt;
	uint64_t busy_ns;  /* see report_hot_spot.share */
	uint64_t known_ns; /* on a CPU and waiting, exact */
};

/* Negative, 0 or positive, as comparisons of qsort() return. */
static inline int order_of(uint64_t left, uint64_t right)
{
	return (left > right) - (left < right);
}

/* Samples in which it isn't known who held the GIL are taken to be like those in which it is; where
 * those are fewer than half, nothing is known. */
static inline bool is_gil_known_of(uint64_t on_cpu_ns, uint64_t gil_known_ns)
{
	return gil_known_ns && gil_known_ns >= on_cpu_ns / 2;
}

static inline uint64_t gil_held_of(uint64_t on_cpu_ns, uint64_t gil_held_ns, uint64_t gil_known_ns)
{
	if (!is_gil_known_of(on_cpu_ns, gil_known_ns))
		return 0;
	return (uint64_t)((double)on_cpu_ns * (double)gil_held_ns / (double)gil_known_ns);
}

/* The call that @sum's time is blamed on, and what is known of it. */
const struct call_blame *sum_blame(const struct explanation *on, const struct stack_sum *sum);

/* A frame as the report has it; strings of the report's arena. */
struct report_frame explain_frame(const struct explanation *on, uint32_t frame);

/* Whether that is a place: in a stack of the kernel's alone, or before main(), there is none. */
bool sum_has_place(const struct explanation *on, const struct stack_sum *sum);

/* The part that @program_ns (see struct stack_sum) is of the program time in which it wasn't idle,
 * 0 to 1; 0 when it was idle all the time. */
double explain_program_share(const struct explanation *on, double program_ns);

/* Whether it counts as busy thread time: see report_hot_spot.share. */
bool sum_is_busy(const struct stack_sum *sum);

/* stack_sums.c: fills objects, sums, busy_ns and known_ns. */
void stack_sums_make(struct explanation *on);

/* stacks.c, hot_spots.c, functions.c: fill these parts of the report. */
void stacks_report(struct explanation *on);
void hot_spots_report(struct explanation *on);
void functions_report(struct explanation *on);

/* finding_lines.c: adds the line that shows it to each finding of which stacks tell. */
void finding_lines_report(struct explanation *on);

#endif
