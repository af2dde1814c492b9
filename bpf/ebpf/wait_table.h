/* Sums of waits as they come over the wire, gathered by key. */
#ifndef CLASSIFY_WAIT_TABLE_H
#define CLASSIFY_WAIT_TABLE_H

#include <stddef.h>
#include "wire.h"

struct wait_row {
	struct wire_wait_key key;
	struct wire_wait_sum sum;
};

struct wait_table {
	struct wait_row *rows;
	size_t cnt, capacity;
	size_t compact_at; /* so many rows may gather before they are compacted */
};

void wait_table_release(struct wait_table *table);

/* Adds @sum to what is known of @key. Rows of equal keys may stand beside each other until
 * wait_table_compact(). Returns 0 or -ENOMEM. */
int wait_table_add(struct wait_table *table, const struct wire_wait_key *key,
		   const struct wire_wait_sum *sum);

/*
 * Merges rows of equal keys; and where a process has more than a hundred rows of a reason and a
 * system call, folds the smallest into one of WIRE_KIND_NONE: memory grows with the processes of
 * the tree, not with what they open.
 */
void wait_table_compact(struct wait_table *table);

/* After wait_table_compact(): the index of the row of @key, or of the one it was folded into; or
 * -1. */
long wait_table_find(const struct wait_table *table, const struct wire_wait_key *key);

#endif
