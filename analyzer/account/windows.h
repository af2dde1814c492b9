/*
 * The run in windows of equal length: program time in each, with its quiet part split by what it
 * was for. What phases are cut from.
 */
#ifndef CLASSIFY_WINDOWS_H
#define CLASSIFY_WINDOWS_H

#include "account/wait_role.h"
#include "observation/observation.h"

struct arena;

/* What quiet time is for, as far as phases tell it apart. */
enum quiet_cause {
	QUIET_FILE,   /* results: of disks and paging */
	QUIET_RESULT, /* other results from outside */
	QUIET_TIME,
	QUIET_WORK, /* idle */
	QUIET_TREE, /* each other, and what isn't known */
	QUIET_CAUSE_CNT,
};

struct window {
	uint64_t start_ns, end_ns;
	uint64_t computing_ns;
	uint64_t starved_ns;
	double runnable_ns;		  /* of all threads: on a CPU or wanting one */
	double quiet_ns[QUIET_CAUSE_CNT]; /* sums to the rest of the window */
	/* Of a cause: quiet time for each nanosecond of what its waits weigh here (wait_weight). */
	double quiet_rate[QUIET_CAUSE_CNT];
};

/* The waits of a process for one reason, over the whole run; and how they count as quiet. */
struct wait_weight {
	uint64_t wait_ns;
	uint64_t quiet_ns;
	uint64_t top_ns; /* of the row that decides the cause */
	enum quiet_cause cause;
};

struct windows {
	const struct observation *obs;
	const struct wait_roles *roles;
	struct window *windows; /* follow each other from 0 to the end of the run */
	size_t cnt;		/* 0: the observation doesn't tell */
	struct wait_weight (*weights)[WAIT_REASON_CNT]; /* parallel to obs->processes */
	uint32_t *process_of; /* parallel to obs->threads; UINT32_MAX: its process wasn't seen */
	struct obs_segment *rest; /* one for each thread that has none: all of its life */
	size_t rest_cnt;
};

/*
 * Cuts the run into windows, at most 200 of 20 ms or more. The observation says how long each
 * window was quiet (slices) and what each thread waited for in it (segments), but not which of the
 * threads' waits the quiet was for. Of the whole run that is known (obs_wait.quiet_ns): each wait
 * weighs as much as waits of its process and reason did there, and the weights are fitted to the
 * quiet time of each window and to that of each cause (iterative proportional fitting: Deming and
 * Stephan, Annals of Mathematical Statistics 11, 1940). Everything comes from @arena, where running
 * out of memory is sticky.
 */
void windows_account(const struct observation *obs, const struct wait_roles *roles,
		     struct arena *arena, struct windows *windows);

/* What of a segment falls into an interval: shares of its running (on a CPU or in a queue) and of
 * its waiting. */
struct segment_share {
	double run;
	double wait;
};

/* What of @segment lies in [@start_ns, @end_ns). A segment of one wait runs first and waits then;
 * of several, their order isn't known and it is as if they were spread evenly. */
struct segment_share segment_share_of(const struct obs_segment *segment, uint64_t start_ns,
				      uint64_t end_ns);

/* How much of [@start_ns, @end_ns) lies in [@from_ns, @to_ns). */
uint64_t overlap_ns(uint64_t start_ns, uint64_t end_ns, uint64_t from_ns, uint64_t to_ns);

/* What each nanosecond of such a wait weighs before the fit. */
double wait_weight(const struct wait_weight *weight);

/* The window that @ns falls into; the last one for the end of the run and beyond. */
size_t window_at(const struct windows *windows, uint64_t ns);

#endif
