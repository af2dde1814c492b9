/* What holds of every simulated run, whatever the program: random ones, and hostile ones. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "random.h"
#include "replay.h"

#define MS	 1e6
#define INTERVAL (5 * MS)

static void assert_near(double expected, double actual, double part)
{
	if (!(fabs(actual - expected) <= part * fabs(expected)))
		fail_msg("%g is not within %g%% of %g", actual, 100 * part, expected);
}

/* 1 to @most */
static uint32_t some(uint64_t *random, uint32_t most)
{
	return 1 + (uint32_t)(random_next(random) % most);
}

/* Sums of lengths by place, and of those under the lock. */
struct demand {
	double place_ns[PLACE_CNT];
	double computed_ns;
	double locked_ns;
	double total_ns;
};

static struct demand demand_of(const struct replay_work *work)
{
	struct demand demand = { { 0 }, 0, 0, 0 };
	size_t i, j;

	for (i = 0; i < work->operation_cnt; i++) {
		for (j = 0; j < work->operations[i].step_cnt; j++) {
			const struct replay_step *step =
				&work->steps[work->operations[i].first_step + j];

			demand.place_ns[step->place] += step->length_ns;
			demand.locked_ns += step->is_locked ? step->length_ns : 0;
			demand.total_ns += step->length_ns;
		}
	}
	demand.computed_ns = demand.place_ns[PLACE_CPU] + demand.place_ns[PLACE_GIL] +
			     demand.place_ns[PLACE_NEIGHBOUR];
	return demand;
}

/* No place does more than it can, all that was to do is done, and somebody always gets on. */
static void assert_conserves(const struct replay_work *work, const struct replay_setup *setup,
			     const struct replay_result *result)
{
	struct demand demand = demand_of(work);
	double wall_ns = result->wall_ns * (1 + 1e-9);
	int place;

	for (place = 0; place < PLACE_CNT; place++)
		assert_near(demand.place_ns[place], result->busy_ns[place], 1e-9);
	assert_near(demand.computed_ns, result->cpu_ns, 1e-6);
	assert_true(demand.computed_ns <= work->cpus * wall_ns);
	assert_true(demand.place_ns[PLACE_FAR_END] <= work->far_end_slots * wall_ns);
	assert_true(demand.place_ns[PLACE_DISK] <= work->disk_slots * wall_ns);
	assert_true(demand.place_ns[PLACE_NEIGHBOUR] <= work->neighbour_slots * wall_ns);
	assert_true(demand.locked_ns <= result->locked_ns * (1 + 1e-9));
	assert_true(result->locked_ns <= wall_ns);
	assert_true(demand.place_ns[PLACE_GIL] <= result->gil_ns * (1 + 1e-9));
	if (setup->engine != ENGINE_PROCESSES)
		assert_true(result->gil_ns <= wall_ns);
	assert_true(result->in_flight <= setup->workers * (1 + 1e-9));
	/* Handing the global lock over takes a moment in which nobody may. */
	assert_true(result->wall_ns <= demand.total_ns * 1.03);
}

static void conserves_what_there_is_to_do(void **state)
{
	uint64_t random = 3;
	size_t run, i;

	(void)state;
	for (run = 0; run < 600; run++) {
		struct replay_step steps[40];
		struct replay_operation operations[60];
		struct replay_work work = { .steps = steps,
					    .operations = operations,
					    .operation_cnt = 60,
					    .cpus = some(&random, 4),
					    .far_end_slots = some(&random, 3),
					    .disk_slots = some(&random, 3),
					    .neighbour_slots = some(&random, 3),
					    .switch_interval_ns = INTERVAL };
		struct replay_setup setup = { .engine = (enum replay_engine)(run % 3),
					      .workers = some(&random, 20),
					      .parallel_part = 1 };
		struct replay_result result;

		for (i = 0; i < 40; i++)
			steps[i] = (struct replay_step){
				(enum replay_place)(random_next(&random) % PLACE_CNT),
				random_next(&random) % 4 == 0, (1 + 20 * random_part(&random)) * MS
			};
		for (i = 0; i < 60; i++)
			operations[i] = (struct replay_operation){ random_next(&random) % 36,
								   some(&random, 4) };
		assert_int_equal(replay(&work, &setup, run, &result), 0);
		assert_conserves(&work, &setup, &result);
	}
}

/* Whatever is put in, something is defined to come out. */
static void stands_hostile_input(void **state)
{
	static const double lengths[] = { 0,	     -1,      1,       NAN,	 -NAN, INFINITY,
					  -INFINITY, DBL_MAX, DBL_MIN, -DBL_MAX, 1e18, 1e-300 };
	static const uint32_t counts[] = { 0, 1, 3, UINT32_MAX };
	const size_t length_cnt = sizeof(lengths) / sizeof(lengths[0]);
	uint64_t random = 1;
	size_t run, i;

	(void)state;
	for (run = 0; run < 200; run++) {
		struct replay_step steps[12];
		struct replay_operation operations[5];
		struct replay_work work = { .steps = steps, .operations = operations };
		struct replay_setup setup;
		struct replay_result result;

#define DRAWN(array) array[random_next(&random) % (sizeof(array) / sizeof(array[0]))]
		for (i = 0; i < 12; i++)
			steps[i] =
				(struct replay_step){ (enum replay_place)(random_next(&random) % 8),
						      random_next(&random) % 2,
						      lengths[random_next(&random) % length_cnt] };
		for (i = 0; i < 5; i++)
			operations[i] = (struct replay_operation){ random_next(&random) % 8,
								   random_next(&random) % 5 };
		work.operation_cnt = random_next(&random) % 6;
		work.serial_ns = DRAWN(lengths);
		work.cpus = DRAWN(lengths);
		work.far_end_slots = DRAWN(counts);
		work.disk_slots = DRAWN(counts);
		work.neighbour_slots = DRAWN(counts);
		work.switch_interval_ns = DRAWN(lengths);
		setup.engine = (enum replay_engine)(random_next(&random) % 4);
		setup.workers = DRAWN(counts);
		setup.start_ns = DRAWN(lengths);
		setup.operation_ns = DRAWN(lengths);
		setup.dispatch_ns = DRAWN(lengths);
		setup.parallel_part = DRAWN(lengths);
#undef DRAWN
		assert_int_equal(replay(&work, &setup, run, &result), 0);
		assert_true(isfinite(result.wall_ns) && result.wall_ns >= 0);
		assert_true(isfinite(result.in_flight) && result.in_flight >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conserves_what_there_is_to_do),
		cmocka_unit_test(stands_hostile_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
