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
			     "most on %s.",
			     pct(blocked), advice->model->blocking_object));
	advice->to->avoid =
		"Don't block inside a coroutine, by a client or a sleep: the loop stands still "
		"until it returns.";
	return true;
}

void advise_loop_io(struct advice *advice)
{
	if (advise_blocked_loop(advice))
		return;
	advice_keep(advice, "Keep the event loop: it can wait for everything at once.");
	advice_because(advice,
		       "Whether its operations really run together isn't measured: those that "
		       "don't need each other should be started before any is awaited.");
	advice->to->avoid = "Don't add threads or processes for the waits, and don't call anything "
			    "that blocks on the loop.";
}
