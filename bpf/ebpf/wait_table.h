/*
 * Sums of waits and names of objects as they come over the wire, gathered and turned into the
 * observation's rows.
 */
#ifndef CLASSIFY_WAIT_TABLE_H
#define CLASSIFY_WAIT_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "wire.h"

struct observation;
struct process_tree;

struct wait_row {
	struct wire_wait_key key;
	struct wire_wait_sum sum;
};

struct object_name {
	uint64_t id[2];
	uint32_t kind;
	const char *name; /* interned in the observation */
};

struct wait_table {
	struct wait_row *rows;
	size_t cnt, capacity;
	struct object_name *names;
	size_t name_cnt, name_capacity;
};

void wait_table_release(struct wait_table *table);

/* Returns 0 or -ENOMEM. */
int wait_table_add(struct wait_table *table, const struct wire_wait_key *key,
		   const struct wire_wait_sum *sum);
int wait_table_add_name(struct wait_table *table, struct observation *obs,
			const struct wire_event_name *event);

/*
 * Moves the rows into @obs->waits: rows that were kept by thread because their process's GIL wasn't
 * known are decided now (@tree knows it) and the totals of @obs->threads corrected with them;
 * equal rows are merged. Sorts @obs->threads by process and thread. @table is empty afterwards,
 * names stay. Returns 0 or -ENOMEM.
 */
int wait_table_finish(struct wait_table *table, const struct process_tree *tree,
		      struct observation *obs);

#endif
