/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * By what chance a thread's waits are chosen for a look at its stack. Shared by the probes and the
 * tests, like wire.h.
 *
 * Each wait is chosen with a probability that was settled before it began, whatever it is for and
 * however long it gets, and one that was chosen counts for the inverse of that: so what is
 * estimated from the chosen ones has no bias, however the probability follows the thread's pace.
 * How many waits are passed over until the next choice is drawn at once, from the geometric
 * distribution: it has no memory, so that the wait at hand is as likely as any other to be chosen,
 * however many were passed over before. (By the clock it would be otherwise: who takes the first
 * wait after 10 ms mostly takes the one that follows a long one.)
 */
#ifndef CLASSIFY_STACK_CHANCE_H
#define CLASSIFY_STACK_CHANCE_H

#include "wire.h"

#define CHANCE_MEAN_MAX (1u << 20)
/* The mean goes towards what the thread's pace asks for by half of the way, and not up by more than
 * this at once: a few waits in a burst tell little of it. */
#define CHANCE_GROWTH_MAX 4

/* -log2(@random / 2^32), in 1/4096. */
static inline WIRE_U64 chance_log2(WIRE_U32 random)
{
	WIRE_U64 whole = 0, fraction = 0;
	WIRE_U64 x = random | 1;

	for (int bits = 16; bits; bits /= 2) {
		if (x >> (32 - bits))
			continue;
		x <<= bits;
		whole += bits;
	}
	/* Now x is 1 to 2, in 1/2^31. */
	/* Squaring doubles the logarithm: a digit of it each time. */
	for (int i = 0; i < 12; i++) {
		WIRE_U64 digit;

		x = x * x >> 31;
		digit = x >> 32;
		fraction = fraction << 1 | digit;
		x >>= digit;
	}
	return ((whole + 1) << 12) - fraction;
}

/*
 * How many waits to pass over if one in @mean is to be chosen: floor(-ln(u) * l), u uniform and
 * l = -1 / ln(1 - 1/mean), which is mean - 1/2 but for 1/(12 mean).
 */
static inline WIRE_U32 chance_draw(WIRE_U32 mean, WIRE_U32 random)
{
	WIRE_U64 ln, length;

	if (mean <= 1)
		return 0;
	ln = chance_log2(random) * 45426 >> 12; /* ln 2 = 45426/65536: now in 1/65536 */
	length = ((WIRE_U64)mean << 8) - 128 - 21 / mean;
	return (WIRE_U32)(ln * length >> 24);
}

/* One wait in how many to choose from now on: it was one in @mean, and @wait_cnt waits have come in
 * @elapsed_ns since the last choice, of which one in @gap_ns is wanted. */
static inline WIRE_U32 chance_adapt(WIRE_U32 mean, WIRE_U64 wait_cnt, WIRE_U64 elapsed_ns,
				    WIRE_U64 gap_ns)
{
	WIRE_U64 most = (WIRE_U64)mean * CHANCE_GROWTH_MAX, wanted = most;

	if (wait_cnt * gap_ns < most * elapsed_ns)
		wanted = wait_cnt * gap_ns / elapsed_ns;
	mean = (WIRE_U32)((mean + wanted + 1) / 2);
	return mean < CHANCE_MEAN_MAX ? mean : CHANCE_MEAN_MAX;
}

#endif
