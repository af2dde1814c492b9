/* A hash table from pids to positions; see pid_table.h. */
#include "pid_table.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pid_slot {
	pid_t pid;
	bool is_used;
	size_t at;
};

#define CAPACITY_MIN 128

void pid_table_release(struct pid_table *table)
{
	free(table->slots);
	memset(table, 0, sizeof(*table));
}

/* The slot of @pid, or the free one where it belongs. Pids come in sequence, which by themselves
 * spread best. */
static struct pid_slot *slot_of(const struct pid_table *table, pid_t pid)
{
	size_t i = (size_t)pid & (table->capacity - 1);

	while (table->slots[i].is_used && table->slots[i].pid != pid)
		i = (i + 1) & (table->capacity - 1);
	return &table->slots[i];
}

static int grow(struct pid_table *table)
{
	struct pid_table grown = { .capacity = table->capacity ? 2 * table->capacity : CAPACITY_MIN,
				   .cnt = table->cnt };

	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->capacity; i++)
		if (table->slots[i].is_used)
			*slot_of(&grown, table->slots[i].pid) = table->slots[i];
	free(table->slots);
	*table = grown;
	return 0;
}

int pid_table_put(struct pid_table *table, pid_t pid, size_t at)
{
	struct pid_slot *slot;

	if (2 * (table->cnt + 1) > table->capacity && grow(table))
		return -ENOMEM;
	slot = slot_of(table, pid);
	table->cnt += !slot->is_used;
	*slot = (struct pid_slot){ .pid = pid, .is_used = true, .at = at };
	return 0;
}

long pid_table_find(const struct pid_table *table, pid_t pid)
{
	const struct pid_slot *slot = table->cnt ? slot_of(table, pid) : NULL;

	return slot && slot->is_used ? (long)slot->at : -1;
}
