/* Batch means over the slices of a run; see spread.h. */
#include "account/spread.h"
#include <math.h>
#include <stdbool.h>
#include "account/thread_time.h"
#include "report.h"

/* Numbers of batches, from the most on: so many first, fewer and longer ones where neighbours are
 * alike. Fewer than five say hardly anything. */
static const struct batch_size {
	size_t cnt;
	double t_975; /* Student's t, two-sided 95%, for one degree of freedom less */
} sizes[] = { { 20, 2.093 }, { 10, 2.262 }, { 5, 2.776 } };

#define SIZE_CNT  (sizeof(sizes) / sizeof(sizes[0]))
#define BATCH_MAX 20

/* Seconds of a batch, or of a run. */
struct part {
	double computing, starved, waiting, idle;
};

/* A share is of two sums of a part's times; each factor is 0 or 1. */
struct share {
	struct part of, whole;
};

static double sum_of(const struct part *part, const struct part *factors)
{
	return part->computing * factors->computing + part->starved * factors->starved +
	       part->waiting * factors->waiting + part->idle * factors->idle;
}

static void add(struct part *to, const struct obs_slice *slice, double idle_share)
{
	double computing = (double)slice->computing_ns, starved = (double)slice->starved_ns;
	double quiet = (double)(slice->end_ns - slice->start_ns) - computing - starved;

	if (quiet < 0)
		quiet = 0;
	to->computing += computing * 1e-9;
	to->starved += starved * 1e-9;
	to->waiting += quiet * (1 - idle_share) * 1e-9;
	to->idle += quiet * idle_share * 1e-9;
}

/* A slice belongs to the batch that its middle is in. */
static void fill(const struct observation *obs, double idle_share, struct part *batches, size_t cnt)
{
	uint64_t from_ns = obs->slices[0].start_ns;
	double length = (double)(obs->slices[obs->slice_cnt - 1].end_ns - from_ns) / (double)cnt;

	for (size_t i = 0; i < cnt; i++)
		batches[i] = (struct part){ 0 };
	for (size_t i = 0; i < obs->slice_cnt; i++) {
		const struct obs_slice *slice = &obs->slices[i];
		double middle = (double)(slice->start_ns - from_ns) / 2 +
				(double)(slice->end_ns - from_ns) / 2;
		size_t at = (size_t)(middle / length);

		add(&batches[at < cnt ? at : cnt - 1], slice, idle_share);
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
static double half_width(const struct observation *obs, double idle_share,
			 const struct share *share)
{
	struct estimate found = { -1, true };
	struct part batches[BATCH_MAX];

	for (size_t i = 0; i < SIZE_CNT && found.are_alike; i++) {
		if (obs->slice_cnt < sizes[i].cnt)
			continue;
		fill(obs, idle_share, batches, sizes[i].cnt);
		found = estimate(batches, &sizes[i], share);
	}
	return found.half_width;
}

void account_spread(const struct observation *obs, const struct report_program_time *time,
		    struct spread *spread)
{
	static const struct part computing = { .computing = 1 }, starved = { .starved = 1 };
	static const struct part waiting = { .waiting = 1 }, idle = { .idle = 1 };
	static const struct part wall = { 1, 1, 1, 1 }, busy = { 1, 1, 1, 0 };
	static const struct part unstarved = { 1, 0, 1, 0 };
	double idle_share = share_of(time->idle_ns, time->quiet_ns);

	*spread = (struct spread){ -1, -1, -1, -1, -1 };
	if (!obs->slice_cnt || obs->slices[obs->slice_cnt - 1].end_ns <= obs->slices[0].start_ns)
		return;
	spread->idle = half_width(obs, idle_share, &(struct share){ idle, wall });
	spread->cpu = half_width(obs, idle_share, &(struct share){ computing, busy });
	spread->wait = half_width(obs, idle_share, &(struct share){ waiting, busy });
	spread->starved = half_width(obs, idle_share, &(struct share){ starved, busy });
	spread->unstarved = half_width(obs, idle_share, &(struct share){ computing, unstarved });
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
