/* See in_flight.h. */
#include "account/thread_time.h"
#include "decide/in_flight.h"
#include "decide/model.h"
#include "decide/thresholds.h"

struct in_flight in_flight_of(const struct facts *facts)
{
	const struct obs_flight *seen = &facts->obs->flight;
	double wall_ns = (double)facts->program_time->wall_ns;
	double over_ns = (double)facts->busy_ns;
	struct in_flight flight = { .connection_cnt = seen->connection_cnt };

	/* The share may be unknown (0) in a recording of before. */
	if (!seen->sample_cnt || !seen->peak || seen->active_share <= 0 ||
	    facts->outside_tcp_ns < facts->outside_ns / 2)
		return flight;
	if (seen->active_share * wall_ns > over_ns)
		over_ns = seen->active_share * wall_ns;
	if (over_ns <= 0)
		return flight;
	flight.is_known = true;
	flight.mean = seen->mean * wall_ns / over_ns;
	flight.at_once = seen->mean / seen->active_share;
	flight.peak = seen->peak;
	return flight;
}

bool in_flight_is_serial(const struct facts *facts, const struct model *model)
{
	uint64_t network_ns = facts->io_ns[WAIT_NETWORK] + facts->io_ns[WAIT_POLL];

	/* What a server asks for follows from what it is asked. */
	return model->loop_thread && !model->has_processes && model->flight.is_known &&
	       !facts->dominant->process->listening_cnt &&
	       model->flight.at_once < SERIAL_IN_FLIGHT && facts->outside_cnt >= SERIAL_WAITS_MIN &&
	       share_of(network_ns, facts->busy_ns) >= SERIAL_SHARE &&
	       share_of(model->loop_blocked_ns, facts->busy_ns) < BLOCKING_SHARE;
}

bool in_flight_overlaps(const struct model *model)
{
	return model->current == MODEL_SYNC && model->flight.is_known &&
	       model->flight.at_once >= SERIAL_IN_FLIGHT;
}

bool in_flight_is_stream(const struct facts *facts)
{
	const struct obs_flight *seen = &facts->obs->flight;

	return seen->received_cnt >= STREAM_SAMPLES_MIN && seen->connection_cnt <= 1 &&
	       facts->outside_tcp_ns >= facts->outside_ns / 2 &&
	       share_of(seen->unasked_cnt, seen->received_cnt) >= STREAM_SHARE;
}

bool in_flight_is_surely_serial(const struct facts *facts, const struct model *model)
{
	return model->flight.connection_cnt > 1 && in_flight_is_serial(facts, model);
}
