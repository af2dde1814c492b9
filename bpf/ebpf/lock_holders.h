/* Who released the locks that others waited for: sums as they come over the wire, and what of them
 * goes into the observation. */
#ifndef CLASSIFY_LOCK_HOLDERS_H
#define CLASSIFY_LOCK_HOLDERS_H

#include <stddef.h>
#include "wire.h"

struct object_names;
struct observation;
struct process_tree;

struct holder_row {
	struct wire_holder_key key;
	struct wire_holder_sum sum;
};

struct lock_holders {
	struct holder_row *rows;
	size_t cnt, capacity;
	size_t compact_at; /* so many rows may gather before equal ones are merged */
};

void lock_holders_release(struct lock_holders *holders);

/* Adds @sum to what is known of @key. Returns 0 or -ENOMEM. */
int lock_holders_add(struct lock_holders *holders, const struct wire_holder_key *key,
		     const struct wire_holder_sum *sum);

/*
 * Appends to @obs->lock_holders: of the locks most waited for, most first, the threads that let
 * most in, and one row of tid 0 for all others. Locks that turn out to be the GIL (@tree knows it)
 * are it. Returns 0 or -ENOMEM.
 */
int lock_holders_convert(struct lock_holders *holders, struct object_names *names,
			 const struct process_tree *tree, struct observation *obs);

#endif
