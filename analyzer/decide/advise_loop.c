/* For programs that an event loop drives. */
#include "account/thread_time.h"
#include "arena.h"
#include "decide/advisers.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

bool advise_blocked_loop(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	double blocked = share_of(advice->model->loop_blocked_ns, facts->busy_ns);

	if (!advice->model->loop_thread || blocked < BLOCKING_SHARE)
		return false;
	advice_change(advice, MODEL_ASYNC, 0,
		      "Stay on the event loop, but replace its blocking calls by ones that can be "
		      "awaited "
		      "(or hand them to a thread pool).");
	advice_because(
		advice,
		arena_printf(facts->arena,
			     "The loop's thread spends %.0f%% of busy time in blocking calls, "
			     "most in %s.",
			     pct(blocked), advice->model->blocking.call));
	advice->to->avoid =
		"Don't block inside a coroutine, by a client or a sleep: the loop stands still "
		"until it returns.";
	return true;
}

/* Whether what it has in flight goes out one after another; says so if that is not quite sure. */
static bool advise_serial_loop(struct advice *advice)
{
	const struct facts *facts = advice->facts;
	const struct in_flight *flight = &advice->model->flight;
	uint32_t workers = advice->choice->prediction ? advice->choice->workers : 0;

	if (!in_flight_is_serial(facts, advice->model))
		return false;
	if (!in_flight_is_surely_serial(facts, advice->model)) {
		advice_change(advice, MODEL_ASYNC, workers,
			      "Stay on the event loop; if its requests are awaited one by one, "
			      "start those that don't need each other together (gather, "
			      "Promise.all).");
		advice_because(advice,
			       "One request at a time is out, on one connection. Where many share "
			       "that (HTTP/2, gRPC, pipelining) they may run together already.");
		return true;
	}
	advice_change(advice, MODEL_ASYNC, workers,
		      "Stay on the event loop, but start the operations that don't need each other "
		      "before awaiting any (gather, Promise.all).");
	advice_because(advice,
		       arena_printf(facts->arena,
				    "While it has any in flight it has %.2f: each waits for the "
				    "one before it.",
				    flight->at_once));
	advice->to->avoid = "Don't add threads or processes for the waits: the loop can wait for "
			    "all of them at once.";
	return true;
}

static void because_in_flight(struct advice *advice)
{
	const struct in_flight *flight = &advice->model->flight;

	if (!flight->is_known)
		advice_because(advice, "Whether its operations really run together isn't measured: "
				       "those that don't need each other should be started before "
				       "any is awaited.");
	else if (flight->at_once >= SERIAL_IN_FLIGHT)
		advice_because(advice,
			       arena_printf(advice->facts->arena,
					    "Its operations run together: %.3g in flight at once, "
					    "%.0f at most.",
					    flight->at_once, flight->peak));
}

void advise_loop_io(struct advice *advice)
{
	if (advise_blocked_loop(advice) || advise_serial_loop(advice))
		return;
	advice_keep(advice, "Keep the event loop: it can wait for everything at once.");
	because_in_flight(advice);
	advice->to->avoid = "Don't add threads or processes for the waits, and don't call anything "
			    "that blocks on the loop.";
}
