/*
 * How far shares of program time may be from what a longer run would show: 95% intervals by batch
 * means. The slices are put together to batches of the same length, each a small run of its own;
 * how much these differ tells how much the whole may be off. Method and sources: docs/rules.md.
 */
#ifndef CLASSIFY_SPREAD_H
#define CLASSIFY_SPREAD_H

#include "observation/observation.h"

struct report_ratios;
struct windows;

/* Half the width of the interval of each share; -1: not known. */
struct spread {
	double idle;	/* of wall time */
	double cpu;	/* of busy time */
	double wait;	/* of busy time */
	double starved; /* of busy time */
	/* Of busy time without starving: what was computed (and so what was not), what was waited
	 * for results, and what was slept. */
	double unstarved, results, time;
};

/* What the whole run's quiet time was for: shares of it. The rest is of no other use here. */
struct quiet_mix {
	double idle, results, time;
};

/*
 * From @windows, which tell what each was quiet for; where there are none (NULL, or empty), from
 * the slices of @obs, each as quiet for everything as the whole run was (@mix). Not known where
 * there are too few, or nothing of what they are shares of.
 */
void account_spread(const struct observation *obs, const struct windows *windows,
		    const struct quiet_mix *mix, struct spread *spread);

/* Fills the intervals of @ratios, whose values are filled, from @spread. */
void account_intervals(const struct spread *spread, struct report_ratios *ratios);

#endif
