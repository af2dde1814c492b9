/* Medians, and the distribution-free interval of a ratio. */
#include "verification/speedup.h"

#include <stdlib.h>
#include <string.h>

/* What an interval leaves out, as the usual 95% do. */
#define EXCLUDED_MAX 0.05
/* From so many runs of each on, what they show of how they vary counts. */
#define TELLING_RUN_CNT 3

static int by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

struct run_spread run_spread_of(const uint64_t *wall_ns, size_t cnt)
{
	uint64_t sorted[VERIFIED_RUN_MAX];

	memcpy(sorted, wall_ns, cnt * sizeof(*sorted));
	qsort(sorted, cnt, sizeof(*sorted), by_size);
	return (struct run_spread){
		.median_ns = sorted[(cnt - 1) / 2] / 2 + sorted[cnt / 2] / 2 +
			     (sorted[(cnt - 1) / 2] % 2 + sorted[cnt / 2] % 2) / 2,
		.min_ns = sorted[0],
		.max_ns = sorted[cnt - 1],
		.cnt = cnt,
	};
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

/*
 * How many of the smallest, and of the largest, of the m x n ratios lie outside of the interval,
 * and how likely the true one lies there. Counts the orders of m + n runs by their rank sum: the
 * coefficients of the Gaussian binomial, product of (1 - q^(m+i)) / (1 - q^i) for i = 1..n.
 */
static size_t outside_cnt(size_t m, size_t n, double *excluded)
{
	size_t top = m * n, cnt = 0;
	double *orders = calloc(top + 1, sizeof(*orders));
	double all = 1, tail = 0;

	*excluded = 1;
	if (!orders)
		return 0;
	orders[0] = 1;
	for (size_t i = 1; i <= n; i++) {
		all *= (double)(m + i) / (double)i;
		for (size_t u = top; u >= m + i && u <= top; u--)
			orders[u] -= orders[u - m - i];
		for (size_t u = i; u <= top; u++)
			orders[u] += orders[u - i];
	}
	/* The interval between the extremes leaves out the two orders where no run of the one is
	 * beaten by any of the other. */
	for (size_t u = 0; u < top / 2; u++) {
		tail += orders[u];
		if (u > 0 && 2 * tail / all > EXCLUDED_MAX)
			break;
		*excluded = 2 * tail / all;
		cnt = u;
	}
	free(orders);
	return cnt;
}

static void find_interval(struct speedup *speedup, const uint64_t *before_ns, size_t before_cnt,
			  const uint64_t *after_ns, size_t after_cnt)
{
	size_t cnt = before_cnt * after_cnt, outside;
	double *ratios = calloc(cnt, sizeof(*ratios));
	double excluded;

	if (!ratios)
		return;
	for (size_t i = 0; i < cnt; i++)
		ratios[i] = (double)before_ns[i / after_cnt] / (double)after_ns[i % after_cnt];
	qsort(ratios, cnt, sizeof(*ratios), by_value);
	outside = outside_cnt(before_cnt, after_cnt, &excluded);
	speedup->low = ratios[outside];
	speedup->high = ratios[cnt - 1 - outside];
	speedup->confidence = excluded < 1 ? 1 - excluded : 0;
	free(ratios);
}

static void widen(struct speedup *speedup, double low, double high)
{
	if (speedup->low > low)
		speedup->low = low;
	if (speedup->high < high)
		speedup->high = high;
}

struct speedup speedup_between(const uint64_t *before_ns, size_t before_cnt,
			       const uint64_t *after_ns, size_t after_cnt)
{
	double measured = (double)run_spread_of(before_ns, before_cnt).median_ns /
			  (double)run_spread_of(after_ns, after_cnt).median_ns;
	struct speedup speedup = { measured, measured, measured, 0 };

	find_interval(&speedup, before_ns, before_cnt, after_ns, after_cnt);
	widen(&speedup, measured, measured);
	if (before_cnt < TELLING_RUN_CNT || after_cnt < TELLING_RUN_CNT) {
		speedup.confidence = 0;
		widen(&speedup, measured * (1 - SPREAD_ASSUMED), measured * (1 + SPREAD_ASSUMED));
	}
	return speedup;
}
