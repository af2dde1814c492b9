/* Operations in flight as samples of the tree's connections tell them. */
#ifndef CLASSIFY_IN_FLIGHT_H
#define CLASSIFY_IN_FLIGHT_H

#include "decide/facts.h"

struct model;

struct in_flight {
	bool is_known;	/* counted, and most waits for results are on what was counted */
	double mean;	/* over the time in which the tree was busy or had any */
	double at_once; /* mean while there were any */
	double peak;
	uint32_t connection_cnt; /* that carried them */
};

struct in_flight in_flight_of(const struct facts *facts);

/*
 * Whether the operations of a client that an event loop drives go out one after another: it waits
 * for the network, its calls don't block, and what is in flight is hardly ever more than one.
 * Requests that share one connection look the same.
 */
bool in_flight_is_serial(const struct facts *facts, const struct model *model);

/* Whether several operations are in flight at once, by count, though one thread waits for them: by
 * select, a pool of connections, curl's multi interface. */
bool in_flight_overlaps(const struct model *model);

/* Whether what it waits for on the network is a stream: one connection that brings more and more
 * of an answer, a download or a subscription. That is one operation, however often it is read. */
bool in_flight_is_stream(const struct facts *facts);

/* Whether it is certain then: they went out on several connections, one at a time. */
bool in_flight_is_surely_serial(const struct facts *facts, const struct model *model);

#endif
