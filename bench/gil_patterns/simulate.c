/* Simulates a case of bench/gil_patterns and prints the throughput of its threads as a multiple of
 * one's: simulate pool|convoy THREADS COMPUTE_MS PAUSE_MS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "replay.h"

#define OPERATIONS 4000
#define MS	   1e6

static struct replay_step steps[2 * OPERATIONS + 1];
static struct replay_operation operations[OPERATIONS + 1];

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

/* @operation: the first of OPERATIONS that compute and pause in turn */
static void add_operations(size_t operation, double compute_ns, double pause_ns)
{
	size_t i;

	for (i = 0; i < OPERATIONS; i++) {
		steps[2 * i] = (struct replay_step){ PLACE_GIL, false, compute_ns };
		steps[2 * i + 1] = (struct replay_step){ PLACE_DELAY, false, pause_ns };
		operations[operation + i] = (struct replay_operation){ 2 * i, 2 };
	}
}

static double pool(uint32_t threads, double compute_ns, double pause_ns)
{
	add_operations(0, compute_ns, pause_ns);
	return OPERATIONS * (compute_ns + pause_ns) / run(OPERATIONS, threads).wall_ns;
}

/* The spinning thread outlasts the others, so what is in flight beside it tells how long they took.
 */
static double convoy(double compute_ns, double pause_ns)
{
	double alone_ns = OPERATIONS * (compute_ns + pause_ns);
	struct replay_result result;

	add_operations(1, compute_ns, pause_ns);
	steps[2 * OPERATIONS] = (struct replay_step){ PLACE_GIL, false, 100 * 1e3 * MS };
	operations[0] = (struct replay_operation){ 2 * OPERATIONS, 1 };
	result = run(OPERATIONS + 1, 2);
	return alone_ns / ((result.in_flight - 1) * result.wall_ns);
}

int main(int argc, char **argv)
{
	double compute_ns, pause_ns;

	if (argc != 5) {
		fprintf(stderr, "usage: %s pool|convoy THREADS COMPUTE_MS PAUSE_MS\n", argv[0]);
		return 2;
	}
	compute_ns = atof(argv[3]) * MS;
	pause_ns = atof(argv[4]) * MS;
	printf("%.4f\n", strcmp(argv[1], "convoy") == 0
				 ? convoy(compute_ns, pause_ns)
				 : pool((uint32_t)atoi(argv[2]), compute_ns, pause_ns));
	return 0;
}
