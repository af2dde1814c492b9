/* Quantities as sentences have them. */
#ifndef CLASSIFY_PHRASE_H
#define CLASSIFY_PHRASE_H

#include <stdint.h>

static inline double pct(double share)
{
	return 100 * share;
}

static inline double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static inline double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

#endif
