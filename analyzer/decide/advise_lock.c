/* For programs whose workers wait for each other. */
#include "arena.h"
#include "decide/advisers.h"
#include "decide/phrase.h"

bool advise_turns(struct advice *advice)
{
	const struct model *model = advice->model;

	if (model->turns_share <= 0)
		return false;
	advice_keep(advice,
		    arena_printf(advice->facts->arena,
				 "Keep its %u threads, and find out what makes them take turns.",
				 model->workers));
	advice_because(
		advice,
		arena_printf(advice->facts->arena,
			     "They wait for each other %.0f%% of their time, for a lock or a "
			     "queue; on average %.2f work at once.",
			     pct(model->turns_share), model->active_threads));
	advice->to->avoid = "Don't add workers before that: they would stand in the same line.";
	return true;
}

void advise_lock(struct advice *advice)
{
	const struct facts *facts = advice->facts;

	advice_keep(advice,
		    "Keep the model; hold the lock for shorter, split it, or give each worker its "
		    "own data.");
	advice_because(advice,
		       arena_printf(facts->arena,
				    "One worker at a time gets past %s, however many there are.",
				    facts->lock.name[0] ? facts->lock.name : "a lock"));
	advice->to->avoid = "Don't add workers: they would queue for the same lock.";
}
