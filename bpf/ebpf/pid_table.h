/* Finds what is known of a process by its pid at once, however many there are: events and rows of
 * waits ask for theirs one by one. */
#ifndef CLASSIFY_PID_TABLE_H
#define CLASSIFY_PID_TABLE_H

#include <stddef.h>
#include <sys/types.h>

/* Zeroed: empty. Open addressing, never more than half full. */
struct pid_table {
	struct pid_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t cnt;
};

void pid_table_release(struct pid_table *table);

/* From now on @pid has the position @at, whichever it had before. Returns 0 or -ENOMEM. */
int pid_table_put(struct pid_table *table, pid_t pid, size_t at);

/* Returns the position of @pid, or -1. */
long pid_table_find(const struct pid_table *table, pid_t pid);

#endif
