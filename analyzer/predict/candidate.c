/* See candidate.h; docs/rules.md, "Prediction", has the reasons. */
#include "predict/candidate.h"

#include <math.h>
#include "predict/costs.h"
#include "predict/limits.h"

static enum replay_engine engine_of(const struct workload *workload, enum concurrency_model model)
{
	/* A command is a process however it is started. */
	if (workload->is_commands || model == MODEL_MULTIPROCESSING)
		return ENGINE_PROCESSES;
	return model == MODEL_ASYNC ? ENGINE_LOOP : ENGINE_THREADS;
}

static double parallel_part(const struct facts *facts, enum outlook outlook)
{
	static const double cores[OUTLOOK_CNT] = { PARALLEL_PART };
	static const double siblings[OUTLOOK_CNT] = { SIBLING_PART };
	const struct obs_host *host = &facts->obs->host;

	if (host->cpus_usable < 2)
		return 1;
	return host->threads_per_core > 1 ? siblings[outlook] : cores[outlook];
}

struct replay_setup candidate_current(const struct facts *facts, const struct model *model,
				      const struct workload *workload)
{
	struct replay_setup setup = {
		.engine = engine_of(workload, model->primary),
		.workers = model->workers,
		.parallel_part = parallel_part(facts, OUTLOOK_EXPECTED),
		.dispatch_ns = workload->dispatch_ns,
	};

	/* A loop that blocks is no loop; one whose operations overlap isn't replayed at all. */
	if (setup.engine == ENGINE_LOOP)
		setup.engine = ENGINE_THREADS;
	if (workload->is_commands)
		setup.workers = 1;
	return setup;
}

struct replay_setup candidate_setup(const struct facts *facts, const struct workload *workload,
				    enum concurrency_model model, uint32_t workers,
				    enum outlook outlook, double *serial_ns)
{
	static const double factors[OUTLOOK_CNT] = { COST_FACTOR };
	const struct model_costs *costs = costs_of(facts->dominant->runtime, model);
	struct replay_setup setup = {
		.engine = engine_of(workload, model),
		.workers = workers,
		.parallel_part = parallel_part(facts, outlook),
		.dispatch_ns = workload->dispatch_ns,
	};

	*serial_ns = 0;
	if (workload->is_commands)
		return setup;
	setup.start_ns = factors[outlook] * costs->worker_ns;
	setup.operation_ns = factors[outlook] * costs->operation_ns;
	setup.dispatch_ns = factors[outlook] * costs->dispatch_ns;
	*serial_ns = factors[outlook] * costs->load_ns;
	return setup;
}

static uint32_t limit_by_plan(const struct facts *facts, uint32_t workers)
{
	uint32_t planned = facts->options->planned_concurrency;

	return planned ? planned : workers;
}

uint32_t candidate_workers_max(const struct facts *facts, const struct workload *workload,
			       enum concurrency_model model)
{
	double own_ns = stretch_own_ns(&workload->sum);
	double delay_ns = workload->sum.delay_ns + workload->sum.neighbour_ns;
	uint32_t workers = usable_cpus(facts);

	if (model == MODEL_SYNC)
		return 1;
	if (delay_ns >= OVERLAP_SHARE * own_ns)
		workers = limit_by_plan(facts, MAX_IO_WORKERS);
	else if (workload->sum.disk_ns >= OVERLAP_SHARE * own_ns)
		workers = (uint32_t)fmin(limit_by_plan(facts, MAX_DISK_WORKERS), MAX_DISK_WORKERS);
	if (workers < usable_cpus(facts))
		workers = usable_cpus(facts);
	if (facts->options->planned_concurrency && workers > facts->options->planned_concurrency)
		workers = facts->options->planned_concurrency;
	return workers < WORKERS_MAX ? workers : WORKERS_MAX;
}

/* Steps of a quarter at the most, so that the knee is found to within that. */
uint32_t candidate_next(uint32_t workers)
{
	uint32_t step = 1;

	while (step * 8 <= workers)
		step *= 2;
	return workers + step;
}

/* A process that is forked shares what neither side writes; an interpreter's reference counts write
 * to much of it: half is a middle. */
uint64_t candidate_memory(const struct facts *facts, const struct workload *workload,
			  enum concurrency_model model, uint32_t workers)
{
	const struct model_costs *costs = costs_of(facts->dominant->runtime, model);
	uint64_t worker_bytes = costs->worker_bytes;

	if (model == MODEL_SYNC)
		return 0;
	if (workload->is_commands)
		worker_bytes = facts->dominant->process->private_bytes;
	else if (model == MODEL_MULTIPROCESSING)
		worker_bytes += facts->dominant->process->private_bytes / 2;
	return worker_bytes * (workers - (workload->is_commands ? 1 : 0));
}
