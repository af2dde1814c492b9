/* See change_points.h. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include "account/change_points.h"
#include "arena.h"

/*
 * The penalty of a cut is PENALTY * noise * log(points), as Schwarz's criterion has it (Yao,
 * "Estimating the number of change-points via Schwarz' criterion", 1988: 1, for independent noise
 * in one dimension). Ours is neither: with 8 one in a thousand runs of twenty rounds that vary by
 * 60% is cut, with 4 one in a hundred. A series without noise would be cut for any trifle:
 * the shortest of pieces must differ from both its neighbours by two thirds of the scale, a change
 * from one number to another; of a longer one less will do.
 */
#define PENALTY	     8
#define LEAST_CHANGE 0.4 /* for each point of the shortest piece: (2/3)^2 twice, for two cuts */

/* A third of the squares of normal noise are below this part of their mean: 0.19 in one dimension,
 * 0.41 in two. */
#define THIRD_OF_SQUARES 0.3
#define FEWEST_BLOCKS	 6

#define PENALTY_STEP 1.5

/* Sums over the points before each. */
struct sums {
	double *values; /* (cnt + 1) * width */
	double *squares;
	size_t width;
};

static void sum_up(const struct series *series, struct sums *sums)
{
	for (size_t i = 0; i < series->cnt; i++) {
		const double *point = &series->values[i * series->width];
		const double *before = &sums->values[i * series->width];
		double *after = &sums->values[(i + 1) * series->width];

		sums->squares[i + 1] = sums->squares[i];
		for (size_t k = 0; k < series->width; k++) {
			after[k] = before[k] + point[k];
			sums->squares[i + 1] += point[k] * point[k];
		}
	}
}

/* The squared distances from the mean, of the points from @from to before @to. */
static double spread(const struct sums *sums, size_t from, size_t to)
{
	double squares = sums->squares[to] - sums->squares[from], of_mean = 0;

	for (size_t k = 0; k < sums->width; k++) {
		double sum =
			sums->values[to * sums->width + k] - sums->values[from * sums->width + k];

		of_mean += sum * sum;
	}
	return fmax(squares - of_mean / (double)(to - from), 0);
}

/* The squared distance of the means of two blocks of @length that follow each other. */
static double step(const struct sums *sums, size_t from, size_t length)
{
	double squares = 0;

	for (size_t k = 0; k < sums->width; k++) {
		const double *at = &sums->values[from * sums->width + k];
		double first = at[length * sums->width] - at[0];
		double second = at[2 * length * sums->width] - at[length * sums->width];
		double distance = (second - first) / (double)length;

		squares += distance * distance;
	}
	return squares;
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/*
 * The noise of one point as blocks of @length show it: of cycles that outlast a point, single
 * points tell too little. A change within a block makes two steps; the lowest third keeps three
 * such changes in ten blocks out.
 */
static double noise_of_blocks(const struct sums *sums, size_t cnt, size_t length, double *steps)
{
	size_t blocks = length ? cnt / length : 0, step_cnt = 0;

	if (blocks < FEWEST_BLOCKS)
		return 0;
	for (size_t i = 0; i + 1 < blocks; i++)
		steps[step_cnt++] = step(sums, i * length, length);
	qsort(steps, step_cnt, sizeof(*steps), by_value);
	return steps[(step_cnt - 1) / 3] / THIRD_OF_SQUARES * (double)length / 2;
}

/* Half the mean squared step from point to point is the noise (von Neumann 1941), where few of the
 * steps are changes. */
static double noise_of_points(const struct sums *sums, size_t cnt)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < cnt; i++)
		sum += step(sums, i, 1);
	return cnt > 1 ? sum / (double)(cnt - 1) / 2 : 0;
}

static double penalty_of(const struct sums *sums, size_t cnt, size_t shortest, double *steps)
{
	double noise = noise_of_points(sums, cnt);

	noise = fmax(noise, noise_of_blocks(sums, cnt, shortest / 2, steps));
	return PENALTY * noise * log((double)cnt) + LEAST_CHANGE * (double)shortest;
}

/* Fills @last_cut with where the last piece of the best partition of the first i points begins. */
static void search(const struct sums *sums, size_t cnt, size_t shortest, double penalty,
		   double *best, size_t *last_cut)
{
	best[0] = 0;
	for (size_t to = 1; to <= cnt; to++) {
		best[to] = INFINITY;
		for (size_t from = 0; from + shortest <= to; from++) {
			double cost = best[from] + spread(sums, from, to) + penalty;

			if (cost >= best[to])
				continue;
			best[to] = cost;
			last_cut[to] = from;
		}
	}
}

static size_t piece_cnt(const size_t *last_cut, size_t cnt)
{
	size_t pieces = 0;

	for (size_t at = cnt; at; at = last_cut[at])
		pieces++;
	return pieces;
}

size_t change_points(const struct series *series, size_t shortest, size_t pieces_max, size_t *ends,
		     struct arena *scratch)
{
	size_t cnt = series->cnt, pieces;
	struct sums sums = {
		.values = arena_array(scratch, (cnt + 1) * series->width, sizeof(double)),
		.squares = arena_array(scratch, cnt + 1, sizeof(double)),
		.width = series->width,
	};
	double *best = arena_array(scratch, cnt + 1, sizeof(*best));
	size_t *last_cut = arena_array(scratch, cnt + 1, sizeof(*last_cut));
	double penalty;

	if (!cnt || !sums.values || !sums.squares || !best || !last_cut)
		return 0;
	sum_up(series, &sums);
	shortest = !shortest ? 1 : shortest < cnt ? shortest : cnt;
	penalty = penalty_of(&sums, cnt, shortest, best);
	do {
		search(&sums, cnt, (shortest + 1) / 2, penalty, best, last_cut);
		pieces = piece_cnt(last_cut, cnt);
		penalty *= PENALTY_STEP;
	} while (pieces > pieces_max);
	for (size_t at = cnt, piece = pieces; at; at = last_cut[at])
		ends[--piece] = at;
	return pieces;
}
