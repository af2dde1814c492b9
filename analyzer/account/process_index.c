/* Processes by pid: a sorted array and a binary search. */
#include <stdlib.h>
#include "arena.h"
#include "process_index.h"

static int compare_pids(const void *a, const void *b, void *context)
{
	const struct obs_process *processes = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	pid_t left_pid = processes[left].pid, right_pid = processes[right].pid;

	if (left_pid != right_pid)
		return left_pid < right_pid ? -1 : 1;
	return left < right ? -1 : left > right;
}

void process_index_init(struct process_index *index, const struct observation *obs,
			struct arena *arena)
{
	index->processes = obs->processes;
	index->by_pid = arena_array(arena, obs->process_cnt, sizeof(*index->by_pid));
	index->cnt = index->by_pid ? obs->process_cnt : 0;
	for (size_t i = 0; i < index->cnt; i++)
		index->by_pid[i] = i;
	if (index->cnt)
		qsort_r(index->by_pid, index->cnt, sizeof(*index->by_pid), compare_pids,
			obs->processes);
}

size_t process_index_find(const struct process_index *index, pid_t pid)
{
	size_t low = 0, high = index->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->processes[index->by_pid[middle]].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->cnt || index->processes[index->by_pid[low]].pid != pid)
		return NO_PROCESS;
	return index->by_pid[low];
}

const struct obs_process *process_index_get(const struct process_index *index, pid_t pid)
{
	size_t at = process_index_find(index, pid);

	return at == NO_PROCESS ? NULL : &index->processes[at];
}
