/*
 * What waits were for: the rows of all processes merged into objects, the largest kept exactly and
 * the others in one row. Both views of time list objects, each with its own part of a row's time.
 */
#ifndef CLASSIFY_WAIT_OBJECTS_H
#define CLASSIFY_WAIT_OBJECTS_H

#include "observation/observation.h"
#include "report.h"

struct arena;

/* Waits keep this many objects each; the others share one row. */
#define OBJECTS_KEPT 10

/* The part of a row's time that counts for a list. */
struct object_part {
	const struct obs_wait *row;
	enum wait_reason reason; /* what the time counts as; not always the row's own */
	enum wait_role role;
	uint64_t ns;
};

/* Whether @row tells what was waited for: a sleep doesn't. */
bool wait_has_object(const struct obs_wait *row);

/* What the report calls @row's object: its name, with its kind where that doesn't show, or what
 * else is known of it. A string of @arena's. */
const char *wait_object_title(struct arena *arena, const struct obs_wait *row);

/* Sorts @parts by reason, and within one so that equal objects are neighbours. */
void wait_objects_sort(struct object_part *parts, size_t cnt);

/*
 * Fills the objects of @wait from @parts, sorted ones of one reason. With a row "(others)" they sum
 * to its wait_ns, which is exact where rows may not be: a surplus is taken from the smallest. Parts
 * without an object (a sleep, a fault) make none. Arrays and strings are @arena's (out of memory is
 * sticky there); @scratch is used meanwhile.
 */
void wait_objects_list(const struct object_part *parts, size_t cnt, struct arena *arena,
		       struct arena *scratch, struct report_wait *wait);

/* The same for each of @waits, by its reason. */
void wait_objects_fill(const struct object_part *parts, size_t cnt, struct arena *arena,
		       struct arena *scratch, struct report_wait *waits, size_t wait_cnt);

#endif
