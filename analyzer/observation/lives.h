/* How many things were alive at once. */
#ifndef CLASSIFY_LIVES_H
#define CLASSIFY_LIVES_H

#include <stddef.h>
#include <stdint.h>

/* One end of a life. */
struct life {
	uint64_t at_ns;
	int change; /* +1 born, -1 died */
};

/* Returns the most that were alive at once of the @cnt ends in @lives, which it sorts by time. Who
 * dies makes room before who is born at the same instant. */
uint32_t lives_peak(struct life *lives, size_t cnt);

#endif
