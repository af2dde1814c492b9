/*
 * The rows of obs->waits, found by what they are about. Private to procfs.
 */
#ifndef CLASSIFY_CAUSE_ROWS_H
#define CLASSIFY_CAUSE_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct observation;
struct wait_cause;

/* Beyond this many rows, objects are no longer kept apart. */
#define CAUSE_ROWS_MAX 4096

struct cause_rows {
	struct observation *obs;
	uint32_t *slots; /* row number + 1; 0: free */
	size_t slot_cnt;
	/* What lies at the address of a futex, by row number: such rows are found by address, and
	 * named when no more are sought. */
	const char **places;
	size_t place_cnt;
	uint32_t looked_cnt;
};

/* Returns 0 or -ENOMEM. */
int cause_rows_init(struct cause_rows *rows, struct observation *obs);
void cause_rows_release(struct cause_rows *rows);

/* The row for a wait of @pid on @cause, made when it is the first; NULL when out of memory. Good
 * until the next call. */
struct obs_wait *cause_rows_find(struct cause_rows *rows, pid_t pid,
				 const struct wait_cause *cause);

/* Names the rows of futexes by what lies at their addresses. The last thing to do with rows. */
void cause_rows_name_futexes(struct cause_rows *rows);

#endif
