/*
 * How far shares of program time may be from what a longer run would show: 95% intervals by batch
 * means. The slices are put together to batches of the same length, each a small run of its own;
 * how much these differ tells how much the whole may be off. Method and sources: docs/rules.md.
 */
#ifndef CLASSIFY_SPREAD_H
#define CLASSIFY_SPREAD_H

#include "observation/observation.h"

struct report_program_time;
struct report_ratios;

/* Half the width of the interval of each share; -1 (all of them): not known. */
struct spread {
	double idle;	  /* of wall time */
	double cpu;	  /* of busy time */
	double wait;	  /* of busy time */
	double starved;	  /* of busy time */
	double unstarved; /* of busy time without starving: what was computed, and what was not */
};

/*
 * From the slices of @obs. Of each slice's quiet as much is idle as of the whole run's (@time).
 * Not known where there are too few slices, or nothing of what they are shares of.
 */
void account_spread(const struct observation *obs, const struct report_program_time *time,
		    struct spread *spread);

/* Fills the intervals of @ratios, whose values are filled, from @spread. */
void account_intervals(const struct spread *spread, struct report_ratios *ratios);

#endif
