/* Sums of waits by key: bounded, because small rows of many are folded into one. */
#include "wait_table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a process's waits for one reason in one call, so many rows are kept apart. */
#define ROWS_KEPT 100
/* Rows that may gather before they are merged and folded. */
#define ROWS_GATHERED_MAX 32768

void wait_table_release(struct wait_table *table)
{
	free(table->rows);
	memset(table, 0, sizeof(*table));
}

static void sum_add(struct wire_wait_sum *to, const struct wire_wait_sum *from)
{
	to->wait_ns += from->wait_ns;
	to->wait_cnt += from->wait_cnt;
	to->quiet_ns += from->quiet_ns;
	to->ticked_ns += from->ticked_ns;
	to->woken_by_tree_cnt += from->woken_by_tree_cnt;
	to->woken_by_other_cnt += from->woken_by_other_cnt;
	to->woken_by_interrupt_cnt += from->woken_by_interrupt_cnt;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct wire_wait_key)); /* the key comes first in a row */
}

/* What a folded row still tells. */
static struct wire_wait_key group_of(const struct wait_row *row)
{
	return (struct wire_wait_key){ .tgid = row->key.tgid,
				       .tid = row->key.tid,
				       .reason = row->key.reason,
				       .direction = row->key.direction,
				       .flags = row->key.flags,
				       .syscall = row->key.syscall };
}

/* By group, and within one the largest first. */
static int compare_groups(const void *a, const void *b)
{
	const struct wait_row *x = a, *y = b;
	struct wire_wait_key group_x = group_of(x), group_y = group_of(y);
	int order = compare_keys(&group_x, &group_y);

	if (order || x->sum.wait_ns == y->sum.wait_ns)
		return order;
	return x->sum.wait_ns > y->sum.wait_ns ? -1 : 1;
}

static void merge(struct wait_table *table)
{
	size_t kept = 0;

	qsort(table->rows, table->cnt, sizeof(table->rows[0]), compare_keys);
	for (size_t i = 1; i < table->cnt; i++) {
		if (!compare_keys(&table->rows[kept], &table->rows[i]))
			sum_add(&table->rows[kept].sum, &table->rows[i].sum);
		else
			table->rows[++kept] = table->rows[i];
	}
	table->cnt = kept + 1;
}

/* The last row kept of a group becomes what all the smaller ones are together. */
static void fold(struct wait_table *table)
{
	size_t kept = 0, in_group = 0;
	struct wire_wait_key group, previous = { 0 };

	qsort(table->rows, table->cnt, sizeof(table->rows[0]), compare_groups);
	for (size_t i = 0; i < table->cnt; i++) {
		group = group_of(&table->rows[i]);
		in_group = !i || compare_keys(&group, &previous) ? 0 : in_group + 1;
		previous = group;
		if (in_group < ROWS_KEPT) {
			table->rows[kept++] = table->rows[i];
			continue;
		}
		table->rows[kept - 1].key = group;
		sum_add(&table->rows[kept - 1].sum, &table->rows[i].sum);
	}
	table->cnt = kept;
}

void wait_table_compact(struct wait_table *table)
{
	if (!table->cnt)
		return;
	merge(table);
	fold(table);
	merge(table); /* a group may have been folded before: one row for both */
}

static long find_exactly(const struct wait_table *table, const struct wire_wait_key *key)
{
	const struct wait_row *row = table->cnt ? bsearch(key, table->rows, table->cnt,
							  sizeof(table->rows[0]), compare_keys)
						: NULL;

	return row ? row - table->rows : -1;
}

long wait_table_find(const struct wait_table *table, const struct wire_wait_key *key)
{
	struct wait_row sought = { .key = *key };
	struct wire_wait_key group = group_of(&sought);
	long found = find_exactly(table, key);

	return found < 0 ? find_exactly(table, &group) : found;
}

static int make_room(struct wait_table *table)
{
	struct wait_row *grown;
	size_t capacity;

	/* What is left after it may be many still: the next time is when that has doubled. */
	if (table->cnt >= ROWS_GATHERED_MAX && table->cnt >= table->compact_at) {
		wait_table_compact(table);
		table->compact_at = 2 * table->cnt;
	}
	if (table->cnt < table->capacity)
		return 0;
	capacity = table->capacity ? table->capacity * 2 : 256;
	grown = reallocarray(table->rows, capacity, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	table->rows = grown;
	table->capacity = capacity;
	return 0;
}

int wait_table_add(struct wait_table *table, const struct wire_wait_key *key,
		   const struct wire_wait_sum *sum)
{
	if (!sum->wait_cnt && !sum->quiet_ns && !sum->ticked_ns)
		return 0;
	if (make_room(table))
		return -ENOMEM;
	table->rows[table->cnt++] = (struct wait_row){ .key = *key, .sum = *sum };
	return 0;
}
