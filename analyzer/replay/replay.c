/* Runs the simulation and adds up what came of it. */
#include <math.h>
#include <string.h>
#include "simulation.h"

static void fill_result(struct simulation *sim, struct replay_result *result)
{
	double serial_ns = simulation_length_ns(sim->work->serial_ns);

	memcpy(result->busy_ns, sim->busy_ns, sizeof(result->busy_ns));
	result->busy_ns[PLACE_CPU] += serial_ns;
	result->cpu_ns = sim->cpus.used_ns + serial_ns;
	result->wall_ns = sim->now_ns + serial_ns / fmin(1, sim->cpus.cnt);
	slots_account(&sim->lock, sim->now_ns);
	slots_account(&sim->loop, sim->now_ns);
	result->locked_ns = sim->lock.taken_ns;
	result->gil_ns = sim->gil_ns + sim->global_lock.held_ns + sim->loop.taken_ns;
	if (result->wall_ns > 0)
		result->in_flight = sim->in_flight_ns / result->wall_ns;
}

int replay(const struct replay_work *work, const struct replay_setup *setup, uint64_t seed,
	   struct replay_result *result)
{
	struct simulation sim;
	int err;

	memset(result, 0, sizeof(*result));
	err = simulation_init(&sim, work, setup, seed);
	if (!err) {
		simulation_run(&sim);
		fill_result(&sim, result);
	}
	simulation_release(&sim);
	return err;
}
