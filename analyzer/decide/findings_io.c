/* Findings about waits for results from outside. */
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/detection.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

static bool is_overlappable_io(const char *subclass)
{
	return !subclass || (strcmp(subclass, "paging") && strcmp(subclass, "disk"));
}

static bool processes_for_io(struct detection *on)
{
	const struct facts *facts = on->facts;

	/* An event loop for each CPU is no process for each wait. */
	if (!detection_is_class(on, CLASS_IO_BOUND) || !on->model->has_processes ||
	    on->model->loop_thread || on->model->serves_in_turn || model_runs_commands(facts) ||
	    !is_overlappable_io(on->verdict->subclass))
		return false;
	on->finding->summary = arena_printf(
		facts->arena,
		"%u processes wait at the same time, computing %.0f%% of busy time: threads of one "
		"process would wait as well for less memory.",
		on->model->workers, pct(facts->cpu_share));
	detection_add_evidence(on, "processes active at once", on->model->active_processes,
			       "processes");
	detection_add_evidence(on, "waiting for results", facts->io_share, "share of busy time");
	detection_add_evidence(on, "computing", facts->cpu_share, "share of busy time");
	return true;
}

/* What it waits for, and the number of those waits in @cnt: a few reads of a disk at its start are
 * none of the network's. */
static const char *name_serial_io(const struct facts *facts, uint64_t network_ns, uint64_t disk_ns,
				  uint64_t *cnt)
{
	uint64_t network_cnt = facts->result_cnt[WAIT_NETWORK] + facts->result_cnt[WAIT_POLL];
	uint64_t disk_cnt = facts->result_cnt[WAIT_DISK];
	uint64_t both_ns = network_ns + disk_ns;

	if (share_of(disk_ns, both_ns) < IO_NAME_SHARE) {
		*cnt = network_cnt;
		return "the network";
	}
	if (share_of(network_ns, both_ns) < IO_NAME_SHARE) {
		*cnt = disk_cnt;
		return "the disk";
	}
	*cnt = network_cnt + disk_cnt;
	return "network and disk";
}

/* An event loop that waits for one thing at a time. */
static bool serial_on_loop(struct detection *on, double share)
{
	const struct in_flight *flight = &on->model->flight;
	bool is_sure = in_flight_is_surely_serial(on->facts, on->model);

	if (!in_flight_is_serial(on->facts, on->model))
		return false;
	on->finding->severity = is_sure ? SEVERITY_WARNING : SEVERITY_INFO;
	on->finding->summary = arena_printf(
		on->facts->arena,
		"The event loop waited for the network for %.0f%% of busy time with %.2f "
		"operations in flight, %.0f at most: one after another%s.",
		pct(share), flight->at_once, flight->peak,
		is_sure ? "" : ", unless many share its one connection (HTTP/2, pipelining)");
	detection_add_evidence(on, "operations in flight while any are", flight->at_once,
			       "operations");
	detection_add_evidence(on, "operations in flight, peak", flight->peak, "operations");
	detection_add_evidence(on, "waiting for the network", share, "share of busy time");
	detection_add_evidence(on, "connections that carried them", flight->connection_cnt,
			       "connections");
	return true;
}

/* A pipe can't be asked for two things at once; sockets and files can. */
static bool serial_io(struct detection *on)
{
	const struct facts *facts = on->facts;
	uint64_t network_ns = facts->io_ns[WAIT_NETWORK] + facts->io_ns[WAIT_POLL];
	uint64_t disk_ns = facts->io_ns[WAIT_DISK];
	double share = share_of(network_ns + disk_ns, facts->busy_ns);
	uint64_t cnt;
	const char *what = name_serial_io(facts, network_ns, disk_ns, &cnt);

	if (on->model->loop_thread)
		return serial_on_loop(on, share_of(network_ns, facts->busy_ns));
	if (on->model->current != MODEL_SYNC || in_flight_overlaps(on->model) ||
	    in_flight_is_stream(facts) || cnt < SERIAL_WAITS_MIN || share < SERIAL_SHARE)
		return false;
	on->finding->summary = arena_printf(
		facts->arena,
		"One worker waited for %s for %.0f%% of busy time, in %llu waits one after "
		"another, never for two results at once.",
		what, pct(share), (unsigned long long)cnt);
	detection_add_evidence(on, "waiting for network and disk", share, "share of busy time");
	detection_add_evidence(on, "waits one after another", (double)cnt, "waits");
	return true;
}

const struct finding_rule io_findings[] = {
	{ "processes-for-io", SEVERITY_WARNING, processes_for_io },
	{ "serial-io", SEVERITY_WARNING, serial_io },
	{ NULL, SEVERITY_INFO, NULL },
};
