/* Work that computes: the part that the C samples share. */
#ifndef CLASSIFY_SAMPLES_WORK_H
#define CLASSIFY_SAMPLES_WORK_H

#include <stdint.h>

/* Iterates a linear congruential generator @rounds times (a nanosecond or so each) from @seed. */
static inline uint64_t compute(uint64_t seed, uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++)
		seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed;
}

#endif
