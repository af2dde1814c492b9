/* See starters.h. */
#include "explain/starters.h"
#include <string.h>
#include "account/process_index.h"
#include "account/thread_time.h"
#include "account/wait_role.h"
#include "arena.h"
#include "decide/thresholds.h"

/* A program, a shell or two, the command. */
#define LEVELS_MAX 4

static const struct obs_process *process_of(const struct explanation *on, pid_t pid)
{
	return process_index_get(&on->facts->roles->index, pid);
}

/* For a child's end, or for what it writes to a pipe. */
static bool waits_for_others(const struct stack_sum *sum)
{
	return !sum->time->is_on_cpu && sum->role == WAITS_FOR_TREE &&
	       (sum->reason == WAIT_CHILD || sum->reason == WAIT_IPC || sum->reason == WAIT_POLL);
}

/* The line at which process @pid waits for others for most of the time that it does; NULL if there
 * is none. */
static const struct stack_sum *waiting_line(const struct explanation *on, pid_t pid)
{
	uint64_t *line_ns = arena_array(on->scratch, on->places.line_cnt, sizeof(*line_ns));
	const struct stack_sum *found = NULL;
	uint64_t most_ns = 0, all_ns = 0;

	for (size_t i = 0; line_ns && i < on->sum_cnt; i++) {
		const struct stack_sum *sum = &on->sums[i];

		if (sum->time->pid != pid || !waits_for_others(sum))
			continue;
		all_ns += sum->time_ns;
		line_ns[sum->line] += sum->time_ns;
		if (line_ns[sum->line] > most_ns) {
			most_ns = line_ns[sum->line];
			found = sum;
		}
	}
	if (!found || share_of(most_ns, all_ns) < LINE_SHARE_MIN || !sum_has_place(on, found) ||
	    !on->obs->frames[found->frame].line)
		return NULL;
	return found;
}

const struct stack_sum *starter_of(const struct explanation *on, const struct stack_sum *sum)
{
	const struct obs_process *process = process_of(on, sum->time->pid);
	const struct stack_sum *found = NULL;

	/* Numbers may go in a circle. */
	for (int level = 0; !found && level < LEVELS_MAX && process && process->is_exec; level++) {
		pid_t parent = process->parent_pid;

		process = process_of(on, parent);
		if (process)
			found = waiting_line(on, parent);
	}
	return found;
}
