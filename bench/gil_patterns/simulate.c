/* Simulates a case of bench/gil_patterns and prints the throughput of its threads as a multiple of
 * one thread's alone: simulate WAITING SPINNING COMPUTE_MS PAUSE_MS, the numbers of threads of each
 * kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "replay.h"

#define OPERATIONS 1000
#define MS	   1e6

#define SPIN_NS	     (1e5 * MS) /* outlasts the others */
#define MAX_SPINNING 8

static struct replay_step steps[3];
static struct replay_operation operations[OPERATIONS + MAX_SPINNING];

static struct replay_result run(size_t operation_cnt, uint32_t threads)
{
	const struct replay_work work = { .steps = steps,
					  .operations = operations,
					  .operation_cnt = operation_cnt,
					  .cpus = 2,
					  .switch_interval_ns = 5 * MS };
	const struct replay_setup setup = { .engine = ENGINE_THREADS,
					    .workers = threads,
					    .parallel_part = 1 };
	struct replay_result result;

	if (replay(&work, &setup, 1, &result))
		exit(1);
	return result;
}

/* What the waiting threads took for all their operations. */
static double taken_ns(uint32_t waiting, uint32_t spinning)
{
	struct replay_result result;
	uint32_t i;

	for (i = 0; i < spinning + OPERATIONS; i++)
		operations[i] = i < spinning ? (struct replay_operation){ 2, 1 }
					     : (struct replay_operation){ 0, 2 };
	result = run(spinning + OPERATIONS, waiting + spinning);
	if (spinning == 0)
		return result.wall_ns;
	/* One thread alone holds the program's lock whenever it doesn't compute; what several do is
	 * in flight beside the one that spins to the end. */
	if (waiting == 1)
		return result.locked_ns + OPERATIONS * steps[0].length_ns;
	return (result.in_flight - 1) * result.wall_ns / waiting;
}

int main(int argc, char **argv)
{
	double compute_ns, pause_ns;
	uint32_t waiting, spinning;

	if (argc != 5) {
		fprintf(stderr, "usage: %s WAITING SPINNING COMPUTE_MS PAUSE_MS\n", argv[0]);
		return 2;
	}
	waiting = (uint32_t)atoi(argv[1]);
	spinning = (uint32_t)atoi(argv[2]);
	if (spinning > MAX_SPINNING || (spinning > 1 && waiting > 1)) {
		fprintf(stderr, "beside several that wait only one can spin\n");
		return 2;
	}
	compute_ns = atof(argv[3]) * MS;
	pause_ns = atof(argv[4]) * MS;
	steps[0] = (struct replay_step){ PLACE_GIL, false, compute_ns };
	steps[1] = (struct replay_step){ PLACE_DELAY, waiting == 1, pause_ns };
	steps[2] = (struct replay_step){ PLACE_GIL, false, SPIN_NS };
	printf("%.4f\n", OPERATIONS * (compute_ns + pause_ns) / taken_ns(waiting, spinning));
	return 0;
}
