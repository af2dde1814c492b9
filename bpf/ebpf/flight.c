/* See flight.h. */
#include "flight.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What either end says as it leaves, and no more: TLS's close_notify is 31 bytes. */
#define FAREWELL_BYTES_MAX 48
/* Between a farewell and the end, so many samples: the far end's farewell may be waited for. */
#define FAREWELL_SAMPLES_MAX 25

void flight_init(struct flight *flight, uint64_t now_ns)
{
	memset(flight, 0, sizeof(*flight));
	flight->last_ns = now_ns;
}

void flight_release(struct flight *flight)
{
	free(flight->known);
	memset(flight, 0, sizeof(*flight));
}

/* Moves the oldest sample of the window to the settled ones. Between two samples half of the time
 * is the one's and half the other's. */
static void settle(struct flight *flight)
{
	size_t at = flight->settled_cnt++ % FLIGHT_WINDOW;
	int64_t before = flight->settled_in_flight;
	int64_t now = before + flight->change[at];

	flight->settled_in_flight = now;
	flight->settled_ns += flight->span_ns[at];
	flight->settled_sum += (double)(before + now) / 2 * (double)flight->span_ns[at];
	flight->settled_active_ns += flight->span_ns[at] * ((before > 0) + (now > 0)) / 2;
	if (now > flight->peak)
		flight->peak = now;
	flight->change[at] = 0;
}

/* One more was in flight in the samples from @from on, before @until. */
static void count_from_until(struct flight *flight, uint64_t from, uint64_t until)
{
	if (from < flight->settled_cnt)
		from = flight->settled_cnt;
	if (from >= until)
		return;
	flight->change[from % FLIGHT_WINDOW]++;
	flight->change[until % FLIGHT_WINDOW]--;
}

/* Whether what came since @before was seen is more of the same answer. */
static bool is_same_answer(const struct wire_connection *before, const struct wire_connection *now)
{
	uint32_t written = now->written - before->written;
	uint32_t received = now->received - before->received;

	if (now->state == WIRE_CONNECTION_AT_REST)
		return !written && received;
	return written <= FAREWELL_BYTES_MAX && received > FAREWELL_BYTES_MAX;
}

/* A little was written and answered since: a small request, or a farewell. The end that follows
 * soon, or doesn't, will tell. */
static bool may_leave(const struct flight_connection *before, const struct wire_connection *now,
		      uint64_t number)
{
	uint32_t written = now->written - before->seen.written;

	if (now->state != WIRE_CONNECTION_AT_REST || !written || written > FAREWELL_BYTES_MAX)
		return false;
	return !before->leaves_since || (before->leaves_written == now->written &&
					 number - before->leaves_since <= FAREWELL_SAMPLES_MAX);
}

static void count_received(struct flight *flight, const struct wire_connection *before,
			   const struct wire_connection *now)
{
	if (now->received == before->received)
		return;
	flight->received_cnt++;
	flight->unasked_cnt += now->written == before->written;
}

/* Updates what is known of a connection at sample @number; @before may be NULL. */
static struct flight_connection follow(struct flight *flight,
				       const struct flight_connection *before,
				       const struct wire_connection *now, uint64_t number)
{
	struct flight_connection next = { .seen = *now, .rests_since = number };

	next.has_asked = before && before->has_asked;
	if (before)
		count_received(flight, &before->seen, now);
	if (now->state == WIRE_CONNECTION_ASKS) {
		flight->connection_cnt += !next.has_asked;
		next.has_asked = true;
		count_from_until(flight, number, number + 1);
		return next;
	}
	if (!before || before->seen.state != WIRE_CONNECTION_AT_REST)
		return next;
	if (may_leave(before, now, number)) {
		next = *before;
		if (!next.leaves_since)
			next.leaves_since = number;
		next.leaves_written = now->written;
		return next;
	}
	if (is_same_answer(&before->seen, now))
		count_from_until(flight, before->rests_since,
				 before->leaves_since ? before->leaves_since : number);
	else if (now->written == before->seen.written)
		next.rests_since = before->rests_since;
	else if (before->leaves_since)
		next.rests_since = before->leaves_since;
	return next;
}

static int compare_sockets(const void *a, const void *b)
{
	const struct wire_connection *x = a, *y = b;

	return x->socket < y->socket ? -1 : x->socket > y->socket;
}

/* @from is where to look: both lists are in the same order. */
static const struct flight_connection *find_known(const struct flight *flight, size_t *from,
						  uint64_t socket)
{
	while (*from < flight->known_cnt && flight->known[*from].seen.socket < socket)
		++*from;
	if (*from == flight->known_cnt || flight->known[*from].seen.socket != socket)
		return NULL;
	return &flight->known[*from];
}

int flight_sample(struct flight *flight, struct wire_connection *connections, size_t cnt,
		  uint64_t now_ns)
{
	struct flight_connection *next = NULL;
	uint64_t number = flight->sample_cnt;
	size_t known = 0, kept = 0;

	/* Sample and the end of its counting both need a place. */
	if (number - flight->settled_cnt >= FLIGHT_WINDOW - 1)
		settle(flight);
	if (cnt) {
		next = malloc(cnt * sizeof(*next));
		if (!next)
			return -ENOMEM;
		qsort(connections, cnt, sizeof(*connections), compare_sockets);
	}
	flight->sample_cnt++;
	flight->span_ns[number % FLIGHT_WINDOW] =
		now_ns > flight->last_ns ? now_ns - flight->last_ns : 0;
	flight->last_ns = now_ns;
	for (size_t i = 0; i < cnt; i++) {
		next[kept] = follow(flight, find_known(flight, &known, connections[i].socket),
				    &connections[i], number);
		if (connections[i].state < WIRE_CONNECTION_CLOSED)
			kept++;
	}
	free(flight->known);
	flight->known = next;
	flight->known_cnt = kept;
	return 0;
}

void flight_sum(const struct flight *flight, struct obs_flight *obs)
{
	struct flight end = *flight; /* later samples may still put right what is not settled */
	double settled_ns;

	while (end.settled_cnt < end.sample_cnt)
		settle(&end);
	settled_ns = (double)end.settled_ns;
	obs->sample_cnt = end.settled_ns ? end.sample_cnt : 0;
	obs->mean = end.settled_ns ? end.settled_sum / settled_ns : 0;
	obs->active_share = end.settled_ns ? (double)end.settled_active_ns / settled_ns : 0;
	obs->peak = (uint32_t)end.peak;
	obs->connection_cnt = end.connection_cnt;
	obs->received_cnt = end.received_cnt;
	obs->unasked_cnt = end.unasked_cnt;
}
