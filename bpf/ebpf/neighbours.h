/* Who had the CPUs that the tree's threads waited for: from the probes' table to the observation.
 */
#ifndef CLASSIFY_NEIGHBOURS_H
#define CLASSIFY_NEIGHBOURS_H

#include <stdint.h>
#include "wire.h"

struct observation;

/* The others are dropped: they had less. */
#define NEIGHBOURS_KEPT 10

/* What the probes counted beside the table. */
struct neighbour_sums {
	struct wire_queue_sum unnamed; /* names that the table had no room for */
	uint64_t own_ns;	       /* what threads of the tree had */
	uint64_t long_ns;	       /* all waits that the table and these tell about */
};

/*
 * Fills obs->neighbours from @map, keyed by struct wire_neighbour, and obs->own_queue_ns. The
 * probes know who had the CPU last before a thread got it, and for how long; in those proportions
 * all of the waiting is divided up, or none where they know too little. Returns 0 or -ENOMEM.
 */
int neighbours_collect(int map, const struct neighbour_sums *sums, struct observation *obs);

/* The steps of it: adds to the row of that name, or a new one (0 or -ENOMEM); divides up the
 * waiting, sorts the rows and drops the small ones. */
int neighbours_add(struct observation *obs, const struct wire_neighbour *who,
		   const struct wire_queue_sum *sum);
void neighbours_divide(struct observation *obs, uint64_t long_ns);

#endif
