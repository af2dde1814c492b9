/* See starters.h. */
#include "explain/starters.h"
#include <stdlib.h>
#include "account/process_index.h"
#include "account/thread_time.h"
#include "account/wait_role.h"
#include "arena.h"
#include "decide/thresholds.h"

/* A program, a shell or two, the command. */
#define LEVELS_MAX 4

/* For a child's end, or for what it writes to a pipe. */
static bool waits_for_others(const struct stack_sum *sum)
{
	return !sum->time->is_on_cpu && sum->role == WAITS_FOR_TREE &&
	       (sum->reason == WAIT_CHILD || sum->reason == WAIT_IPC || sum->reason == WAIT_POLL);
}

/* By process and line; the largest sum of a line, which comes first among the sums, before its
 * others. */
static int by_line(const void *a, const void *b)
{
	const struct stack_sum *left = *(const struct stack_sum *const *)a;
	const struct stack_sum *right = *(const struct stack_sum *const *)b;
	int order = order_of((uint64_t)left->time->pid, (uint64_t)right->time->pid);

	if (!order)
		order = order_of(left->line, right->line);
	return order ? order : order_of((uintptr_t)left, (uintptr_t)right);
}

/* The line with most of the @cnt @waits, all of one process. NULL: it hasn't half of their time, or
 * isn't known. */
static const struct stack_sum *main_line(const struct explanation *on,
					 const struct stack_sum *const *waits, size_t cnt)
{
	const struct stack_sum *first = NULL, *found = NULL;
	uint64_t line_ns = 0, most_ns = 0, all_ns = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (!first || waits[i]->line != first->line) {
			first = waits[i];
			line_ns = 0;
		}
		line_ns += waits[i]->time_ns;
		all_ns += waits[i]->time_ns;
		if (line_ns > most_ns) {
			most_ns = line_ns;
			found = first;
		}
	}
	if (!found || share_of(most_ns, all_ns) < LINE_SHARE_MIN || !sum_has_place(on, found) ||
	    !on->obs->frames[found->frame].line)
		return NULL;
	return found;
}

void starters_find(struct explanation *on)
{
	const struct stack_sum **waits = arena_array(on->scratch, on->sum_cnt, sizeof(*waits));
	struct starter *starters = arena_array(on->scratch, on->sum_cnt, sizeof(*starters));
	size_t cnt = 0, next;

	if (!waits || !starters)
		return;
	for (size_t i = 0; i < on->sum_cnt; i++)
		if (waits_for_others(&on->sums[i]))
			waits[cnt++] = &on->sums[i];
	qsort(waits, cnt, sizeof(*waits), by_line);
	for (size_t first = 0; first < cnt; first = next) {
		pid_t pid = waits[first]->time->pid;
		const struct stack_sum *line;

		for (next = first + 1; next < cnt && waits[next]->time->pid == pid; next++)
			;
		line = main_line(on, &waits[first], next - first);
		if (line)
			starters[on->starter_cnt++] = (struct starter){ pid, line };
	}
	on->starters = starters;
}

static int by_pid(const void *a, const void *b)
{
	const struct starter *left = a, *right = b;

	return order_of((uint64_t)left->pid, (uint64_t)right->pid);
}

const struct stack_sum *starter_of(const struct explanation *on, const struct stack_sum *sum)
{
	const struct process_index *index = &on->facts->roles->index;
	const struct obs_process *process = process_index_get(index, sum->time->pid);

	/* Numbers may go in a circle. */
	for (int level = 0; level < LEVELS_MAX && process && process->is_exec; level++) {
		const struct starter key = { .pid = process->parent_pid };
		const struct starter *found;

		process = process_index_get(index, key.pid);
		if (!process || !on->starter_cnt)
			return NULL;
		found = bsearch(&key, on->starters, on->starter_cnt, sizeof(key), by_pid);
		if (found)
			return found->sum;
	}
	return NULL;
}
