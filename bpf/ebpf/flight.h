/*
 * Operations in flight: connections on which a request is out, counted from samples of all of them.
 * What a sample can't know yet is put right by later ones: data that comes on a connection on which
 * nothing was sent since belongs to the same answer, so that the operation went on all the while (a
 * long answer; TLS, whose session tickets come before it).
 */
#ifndef CLASSIFY_FLIGHT_H
#define CLASSIFY_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "observation/observation.h"
#include "wire.h"

/* So many samples can be put right; older ones stand. 20 ms apart it is 82 s. */
#define FLIGHT_WINDOW 4096

struct flight_connection {
	struct wire_connection seen;
	uint64_t rests_since; /* the first sample at which it was at rest after its last request */
	/* It wrote so little since `seen` that it may be about to leave: at this sample, up to
	 * here. 0: that is not so. */
	uint64_t leaves_since;
	uint32_t leaves_written;
	bool has_asked;
};

struct flight {
	struct flight_connection *known; /* by socket */
	size_t known_cnt;
	uint64_t sample_cnt;
	uint64_t last_ns;
	/* Of the last FLIGHT_WINDOW samples, at sample number modulo that: the time since the one
	 * before, and how many more are in flight than then. */
	uint64_t span_ns[FLIGHT_WINDOW];
	int64_t change[FLIGHT_WINDOW];
	/* Of the samples before those. */
	uint64_t settled_cnt;
	int64_t settled_in_flight;
	uint64_t settled_ns;
	uint64_t settled_active_ns; /* of these, with any in flight */
	double settled_sum;	    /* in flight, times ns */
	int64_t peak;
	uint32_t connection_cnt; /* seen with a request out */
	uint64_t received_cnt;	 /* as in struct obs_flight */
	uint64_t unasked_cnt;
};

void flight_init(struct flight *flight, uint64_t now_ns);
void flight_release(struct flight *flight);

/*
 * Takes in a sample of all connections, made at @now_ns.
 * Sorts @connections. Returns 0 or -ENOMEM.
 */
int flight_sample(struct flight *flight, struct wire_connection *connections, size_t cnt,
		  uint64_t now_ns);

/* Fills @obs from all samples so far, by the time between them. */
void flight_sum(const struct flight *flight, struct obs_flight *obs);

#endif
