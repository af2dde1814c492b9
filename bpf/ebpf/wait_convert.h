/* From the wire's rows to the observation's. */
#ifndef CLASSIFY_WAIT_CONVERT_H
#define CLASSIFY_WAIT_CONVERT_H

struct object_names;
struct observation;
struct process_tree;
struct wait_table;
struct wire_wait_key;

/*
 * Turns the rows of @table into @obs->waits, with their objects' names: rows that were kept by
 * thread because their process's GIL wasn't known are decided now (@tree knows it), and the totals
 * of
 * @obs->threads corrected with them. Sorts @obs->threads by process and thread; compacts @table.
 * Returns 0 or -ENOMEM.
 */
int wait_convert(struct wait_table *table, struct object_names *names,
		 const struct process_tree *tree, struct observation *obs);

/*
 * After that: the index in @obs->waits of what waits of @key were summed in, or -1. Where there is
 * no row of just that (it was folded into another, or its object became known later), the process's
 * largest one of the same reason and system call.
 */
long wait_convert_find(const struct wait_table *table, struct object_names *names,
		       const struct process_tree *tree, const struct wire_wait_key *key);

#endif
