/* The table of costs. A runtime that was not measured has those of the one it is most like. */
#include "predict/costs.h"

#define US  1e3
#define MS  1e6
#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

struct cost_row {
	enum runtime_id runtime;
	double start_ns;
	struct model_costs threads, async, processes;
};

static const struct model_costs none;

static const struct cost_row rows[] = {
	/* The first row stands for those that aren't listed. */
	{ .runtime = RUNTIME_NATIVE,
	  .start_ns = 1 * MS,
	  .threads = { 0, 10 * US, 1 * US, 0, 8 * KIB },
	  .async = { 0, 0, 2 * US, 0, 4 * KIB },
	  .processes = { 0, 100 * US, 2 * US, 5 * US, 48 * KIB } },
	{ .runtime = RUNTIME_CPYTHON,
	  .start_ns = 6.5 * MS,
	  .threads = { 8 * MS, 40 * US, 15 * US, 0, 16 * KIB },
	  .async = { 21 * MS, 0, 20 * US, 0, 8 * KIB },
	  .processes = { 14 * MS, 1500 * US, 0, 1.2 * US, 1800 * KIB } },
	{ .runtime = RUNTIME_NODE,
	  .start_ns = 45 * MS,
	  .threads = { 0, 15 * MS, 12 * US, 12 * US, 10 * MIB },
	  .async = { 0, 0, 0.5 * US, 0, 4 * KIB },
	  .processes = { 0, 15 * MS, 12 * US, 12 * US, 10 * MIB } },
};

static const struct cost_row *row_of(enum runtime_id id)
{
	if (id == RUNTIME_PYPY || id == RUNTIME_RUBY)
		id = RUNTIME_CPYTHON;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].runtime == id)
			return &rows[i];
	return &rows[0];
}

const struct model_costs *costs_of(enum runtime_id id, enum concurrency_model model)
{
	const struct cost_row *row = row_of(id);

	switch (model) {
	case MODEL_THREADS:
		return &row->threads;
	case MODEL_ASYNC:
		return &row->async;
	case MODEL_MULTIPROCESSING:
		return &row->processes;
	default:
		return &none;
	}
}

double costs_of_start(enum runtime_id id)
{
	return row_of(id)->start_ns;
}
