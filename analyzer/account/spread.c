/* Batch means over the slices of a run; see spread.h. */
#include "account/spread.h"
#include <math.h>
#include <stdbool.h>
#include "account/windows.h"
#include "report.h"

/* Numbers of batches, from the most on: so many first, fewer and longer ones where neighbours are
 * alike. Fewer than five say hardly anything. */
static const struct batch_size {
	size_t cnt;
	double t_975; /* Student's t, two-sided 95%, for one degree of freedom less */
} sizes[] = { { 20, 2.093 }, { 10, 2.262 }, { 5, 2.776 } };

#define SIZE_CNT  (sizeof(sizes) / sizeof(sizes[0]))
#define BATCH_MAX 20

/* Seconds of a batch, by what went on. */
struct part {
	double computing, starved, results, time, other, idle;
};

/* A share is of two sums of a part's times; each factor is 0 or 1. */
struct share {
	struct part of, whole;
};

/* The run in pieces that follow each other. */
struct course {
	const struct observation *obs;
	const struct windows *windows; /* NULL: slices are all there is */
	const struct quiet_mix *mix;
	size_t piece_cnt;
	uint64_t start_ns, end_ns;
};

static double sum_of(const struct part *part, const struct part *factors)
{
	return part->computing * factors->computing + part->starved * factors->starved +
	       part->results * factors->results + part->time * factors->time +
	       part->other * factors->other + part->idle * factors->idle;
}

static void add_slice(struct part *to, const struct obs_slice *slice, const struct quiet_mix *mix)
{
	double computing = (double)slice->computing_ns, starved = (double)slice->starved_ns;
	double quiet = (double)(slice->end_ns - slice->start_ns) - computing - starved;

	quiet = fmax(quiet, 0) * 1e-9;
	to->computing += computing * 1e-9;
	to->starved += starved * 1e-9;
	to->results += quiet * mix->results;
	to->time += quiet * mix->time;
	to->other += quiet * fmax(1 - mix->results - mix->time - mix->idle, 0);
	to->idle += quiet * mix->idle;
}

static void add_window(struct part *to, const struct window *window)
{
	const double *quiet_ns = window->quiet_ns;

	to->computing += (double)window->computing_ns * 1e-9;
	to->starved += (double)window->starved_ns * 1e-9;
	to->results += (quiet_ns[QUIET_FILE] + quiet_ns[QUIET_RESULT]) * 1e-9;
	to->time += quiet_ns[QUIET_TIME] * 1e-9;
	to->other += quiet_ns[QUIET_TREE] * 1e-9;
	to->idle += quiet_ns[QUIET_WORK] * 1e-9;
}

static uint64_t middle_of(const struct course *course, size_t at)
{
	const struct obs_slice *slice = &course->obs->slices[at];

	if (course->windows)
		return course->windows->windows[at].start_ns / 2 +
		       course->windows->windows[at].end_ns / 2;
	return slice->start_ns / 2 + slice->end_ns / 2;
}

/* A piece belongs to the batch that its middle is in. */
static void fill(const struct course *course, struct part *batches, size_t cnt)
{
	double length = (double)(course->end_ns - course->start_ns) / (double)cnt;

	for (size_t i = 0; i < cnt; i++)
		batches[i] = (struct part){ 0 };
	for (size_t i = 0; i < course->piece_cnt; i++) {
		size_t at = (size_t)((double)(middle_of(course, i) - course->start_ns) / length);
		struct part *batch = &batches[at < cnt ? at : cnt - 1];

		if (course->windows)
			add_window(batch, &course->windows->windows[i]);
		else
			add_slice(batch, &course->obs->slices[i], course->mix);
	}
}

/* What the batches of one size say of a share. */
struct estimate {
	double half_width; /* -1: nothing */
	bool are_alike;	   /* neighbours are off the same way: the batches are too short */
};

/* The ratio estimator: batches weigh by their part of the whole, and what each is off by is as much
 * as it differs from what the ratio of all would give it. */
static struct estimate estimate(const struct part *batches, const struct batch_size *size,
				const struct share *share)
{
	double of = 0, whole = 0, squares = 0, products = 0, before = 0, cnt = (double)size->cnt;

	for (size_t i = 0; i < size->cnt; i++) {
		of += sum_of(&batches[i], &share->of);
		whole += sum_of(&batches[i], &share->whole);
	}
	if (whole <= 0)
		return (struct estimate){ -1, false };
	for (size_t i = 0; i < size->cnt; i++) {
		double off = sum_of(&batches[i], &share->of) -
			     of / whole * sum_of(&batches[i], &share->whole);

		squares += off * off;
		products += off * before;
		before = off;
	}
	return (struct estimate){ size->t_975 * sqrt(squares / (cnt * (cnt - 1))) * cnt / whole,
				  products > 0 };
}

/* By the largest number of batches that aren't alike; else by the smallest. */
static double half_width(const struct course *course, const struct share *share)
{
	struct estimate found = { -1, true };
	struct part batches[BATCH_MAX];

	for (size_t i = 0; i < SIZE_CNT && found.are_alike; i++) {
		if (course->piece_cnt < sizes[i].cnt)
			continue;
		fill(course, batches, sizes[i].cnt);
		found = estimate(batches, &sizes[i], share);
	}
	return found.half_width;
}

/* Returns false when there is none. */
static bool follow(const struct observation *obs, const struct windows *windows,
		   struct course *course)
{
	if (windows && windows->cnt) {
		course->windows = windows;
		course->piece_cnt = windows->cnt;
		course->start_ns = windows->windows[0].start_ns;
		course->end_ns = windows->windows[windows->cnt - 1].end_ns;
	} else if (obs->slice_cnt) {
		course->piece_cnt = obs->slice_cnt;
		course->start_ns = obs->slices[0].start_ns;
		course->end_ns = obs->slices[obs->slice_cnt - 1].end_ns;
	}
	return course->end_ns > course->start_ns;
}

void account_spread(const struct observation *obs, const struct windows *windows,
		    const struct quiet_mix *mix, struct spread *spread)
{
	static const struct part computing = { .computing = 1 }, starved = { .starved = 1 };
	static const struct part waiting = { .results = 1, .time = 1, .other = 1 };
	static const struct part results = { .results = 1 }, time = { .time = 1 };
	static const struct part idle = { .idle = 1 }, wall = { 1, 1, 1, 1, 1, 1 };
	static const struct part busy = { 1, 1, 1, 1, 1, 0 }, unstarved = { 1, 0, 1, 1, 1, 0 };
	struct course course = { .obs = obs, .mix = mix };

	*spread = (struct spread){ -1, -1, -1, -1, -1, -1, -1 };
	if (!follow(obs, windows, &course))
		return;
	spread->idle = half_width(&course, &(struct share){ idle, wall });
	spread->cpu = half_width(&course, &(struct share){ computing, busy });
	spread->wait = half_width(&course, &(struct share){ waiting, busy });
	spread->starved = half_width(&course, &(struct share){ starved, busy });
	spread->unstarved = half_width(&course, &(struct share){ computing, unstarved });
	spread->results = half_width(&course, &(struct share){ results, unstarved });
	spread->time = half_width(&course, &(struct share){ time, unstarved });
}

static void set_interval(double value, double half, double *low, double *high)
{
	*low = half < 0 ? -1 : fmax(value - half, 0);
	*high = half < 0 ? -1 : fmin(value + half, 1);
}

void account_intervals(const struct spread *spread, struct report_ratios *ratios)
{
	set_interval(ratios->cpu, spread->cpu, &ratios->cpu_low, &ratios->cpu_high);
	set_interval(ratios->wait, spread->wait, &ratios->wait_low, &ratios->wait_high);
}
