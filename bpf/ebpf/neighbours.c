/* Makes the observation's rows of who had the CPUs; see neighbours.h. */
#include "neighbours.h"
#include "observation/observation.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct obs_neighbour *find_row(struct observation *obs, const char *comm)
{
	for (size_t i = 0; i < obs->neighbour_cnt; i++)
		if (obs->neighbours[i].comm == comm)
			return &obs->neighbours[i];
	return NULL;
}

int neighbours_add(struct observation *obs, const struct wire_neighbour *who,
		   const struct wire_queue_sum *sum)
{
	/* What stands after the NUL may differ. Interned names are the same where they are equal.
	 */
	const char *comm = observation_intern(obs, who->comm, sizeof(who->comm));
	struct obs_neighbour *row = comm ? find_row(obs, comm) : NULL;

	if (!comm)
		return -ENOMEM;
	if (!row)
		row = observation_add_neighbour(obs);
	if (!row)
		return -ENOMEM;
	row->comm = comm;
	row->queue_ns += sum->queue_ns;
	row->cnt += sum->cnt;
	return 0;
}

static int by_time_descending(const void *left, const void *right)
{
	uint64_t left_ns = ((const struct obs_neighbour *)left)->queue_ns;
	uint64_t right_ns = ((const struct obs_neighbour *)right)->queue_ns;

	return (left_ns < right_ns) - (left_ns > right_ns);
}

/* Less than this part of the waiting, and what is known doesn't stand for the rest. */
#define KNOWN_PART_MIN 0.02

void neighbours_divide(struct observation *obs, uint64_t long_ns)
{
	uint64_t known_ns = obs->own_queue_ns;
	double factor;

	for (size_t i = 0; i < obs->neighbour_cnt; i++)
		known_ns += obs->neighbours[i].queue_ns;
	if (!known_ns || (double)known_ns < KNOWN_PART_MIN * (double)long_ns) {
		obs->neighbour_cnt = 0;
		obs->own_queue_ns = 0;
		return;
	}
	factor = (double)long_ns / (double)known_ns;
	obs->own_queue_ns = (uint64_t)((double)obs->own_queue_ns * factor);
	for (size_t i = 0; i < obs->neighbour_cnt; i++)
		obs->neighbours[i].queue_ns =
			(uint64_t)((double)obs->neighbours[i].queue_ns * factor);
	if (obs->neighbour_cnt)
		qsort(obs->neighbours, obs->neighbour_cnt, sizeof(obs->neighbours[0]),
		      by_time_descending);
	if (obs->neighbour_cnt > NEIGHBOURS_KEPT)
		obs->neighbour_cnt = NEIGHBOURS_KEPT;
}

int neighbours_collect(int map, const struct neighbour_sums *sums, struct observation *obs)
{
	const struct wire_neighbour nobody = { "" };
	struct wire_neighbour who, *before = NULL;
	struct wire_queue_sum sum;
	int error = 0;

	obs->own_queue_ns = sums->own_ns;
	while (!error && !bpf_map_get_next_key(map, before, &who)) {
		if (!bpf_map_lookup_elem(map, &who, &sum))
			error = neighbours_add(obs, &who, &sum);
		before = &who;
	}
	if (!error && sums->unnamed.cnt)
		error = neighbours_add(obs, &nobody, &sums->unnamed);
	neighbours_divide(obs, sums->long_ns);
	return error;
}
