/* Frames that are one place to people: the same line of the same function, wherever in it. */
#ifndef CLASSIFY_PLACES_H
#define CLASSIFY_PLACES_H

#include "observation/observation.h"

struct arena;

/* Numbers from 0 up, by frame. */
struct places {
	uint32_t *lines;
	uint32_t *functions;
	uint32_t line_cnt;
	uint32_t function_cnt;
};

/* Arrays are @arena's; NULL when there are no frames, or when out of memory (sticky there). */
struct places places_of(const struct observation *obs, struct arena *arena);

#endif
