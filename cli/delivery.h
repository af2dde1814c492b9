/* What a run hands over: the report, and the recording when one is wanted. */
#ifndef CLASSIFY_DELIVERY_H
#define CLASSIFY_DELIVERY_H

#include <stdbool.h>

#include "output.h"

struct observation;
struct options;

struct delivery {
	struct output report;
	struct output recording;
	bool is_unexpected; /* what was sent is not as --expect has it */
};

/* Makes sure, before anything runs, that both can be written. Returns 0, or -errno after having
 * said why. Release it either way. */
int delivery_prepare(struct delivery *delivery, const struct options *options);

/* Analyses @obs and writes what was asked for. Returns 0, or -errno after having said why. */
int delivery_send(struct delivery *delivery, const struct options *options,
		  const struct observation *obs);

void delivery_release(struct delivery *delivery);

#endif
