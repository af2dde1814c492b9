/* Who held the locks that others waited for. */
#ifndef CLASSIFY_LOCK_HOLDERS_H
#define CLASSIFY_LOCK_HOLDERS_H

#include "observation/observation.h"
#include "report.h"

struct arena;

/* One lock, or all of one name: processes share what has a name. */
struct lock_held {
	const struct obs_lock_holder *longest; /* NULL: it isn't known who held it */
	double share;			       /* of the wait, while that thread held it */
	uint32_t holder_cnt;
	bool has_others; /* who are not counted there */
	uint64_t handover_cnt;
};

/* Who held the lock that the report calls @title, in process @pid (0: in any). Strings are made in
 * @scratch. */
struct lock_held lock_held_by(const struct observation *obs, const char *title, pid_t pid,
			      struct arena *scratch);

/* Fills @report->lock_holders from @obs, as it comes: the locks most waited for first. */
void account_lock_holders(const struct observation *obs, struct report *report);

#endif
