/* Looks at an observation now and then, to end it when the verdict is settled. */
#ifndef CLASSIFY_UNTIL_SETTLED_H
#define CLASSIFY_UNTIL_SETTLED_H

#include <stdbool.h>
#include <stdint.h>
#include "decide/settling.h"

struct observation;
struct observer;
struct options;

/* An observation that doesn't settle ends after so long. */
#define UNTIL_SETTLED_MAX_S 30

struct until_settled {
	struct observer *observer;
	const struct options *options;
	struct settling settling;
	uint64_t next_ns; /* when to look, on the monotonic clock */
	uint64_t end_ns;  /* when to give up */
	uint64_t told_ns; /* when progress was told last */
	bool is_settled;
};

/* The observation has just begun. */
void until_settled_begin(struct until_settled *until, struct observer *observer,
			 const struct options *options);

/* Looks at @now_ns, if it is time to, and tells of progress. Returns whether the verdict is
 * settled.
 */
bool until_settled_look(struct until_settled *until, uint64_t now_ns);

/* Notes in @obs whether its verdict is settled; where it @was_given_up also why it is not, and what
 * to do. Returns 0 or -ENOMEM. */
int until_settled_note(const struct until_settled *until, bool was_given_up,
		       struct observation *obs);

#endif
