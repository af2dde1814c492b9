/* When processes ended, and how many lived at once, from the lives of threads. */
#include "finish_lives.h"
#include "observation/lives.h"
#include "observation/observation.h"
#include <errno.h>
#include <stdlib.h>

/* A process by number and birth: numbers are used again. */
struct process_ref {
	pid_t pid;
	uint64_t start_ns;
	struct obs_process *process;
};

static int compare_refs(const void *a, const void *b)
{
	const struct process_ref *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* The process of @thread: of those with its number the youngest that is not younger than it. */
static struct obs_process *process_of(const struct process_ref *refs, size_t cnt,
				      const struct obs_thread *thread)
{
	struct process_ref wanted = { .pid = thread->pid, .start_ns = thread->start_ns };
	size_t low = 0, high = cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_refs(&refs[middle], &wanted) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && refs[low - 1].pid == thread->pid)
		return refs[low - 1].process;
	return low < cnt && refs[low].pid == thread->pid ? refs[low].process : NULL;
}

/* When each process ended, from its threads. One of which no thread is known lives on. */
int lives_end_processes(struct observation *obs)
{
	struct process_ref *refs = calloc(obs->process_cnt + 1, sizeof(*refs));

	if (!refs)
		return -ENOMEM;
	for (size_t i = 0; i < obs->process_cnt; i++) {
		struct obs_process *process = &obs->processes[i];

		refs[i] = (struct process_ref){ process->pid, process->start_ns, process };
		process->exited = true;
	}
	qsort(refs, obs->process_cnt, sizeof(*refs), compare_refs);
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		const struct obs_thread *thread = &obs->threads[i];
		struct obs_process *process = process_of(refs, obs->process_cnt, thread);

		if (!process)
			continue;
		if (thread->end_ns > process->end_ns)
			process->end_ns = thread->end_ns;
		process->exited &= thread->exited;
	}
	free(refs);
	for (size_t i = 0; i < obs->process_cnt; i++) {
		if (obs->processes[i].end_ns)
			continue;
		obs->processes[i].end_ns = obs->duration_ns;
		obs->processes[i].exited = false;
	}
	return 0;
}

int lives_count_peaks(struct observation *obs)
{
	struct life *threads = calloc(2 * obs->thread_cnt + 1, sizeof(*threads));
	struct life *processes = calloc(2 * obs->process_cnt + 1, sizeof(*processes));

	if (!threads || !processes) {
		free(threads);
		free(processes);
		return -ENOMEM;
	}
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		threads[2 * i] = (struct life){ obs->threads[i].start_ns, 1 };
		threads[2 * i + 1] = (struct life){ obs->threads[i].end_ns, -1 };
	}
	for (size_t i = 0; i < obs->process_cnt; i++) {
		processes[2 * i] = (struct life){ obs->processes[i].start_ns, 1 };
		processes[2 * i + 1] = (struct life){ obs->processes[i].end_ns, -1 };
	}
	obs->threads_peak = lives_peak(threads, 2 * obs->thread_cnt);
	obs->processes_peak = lives_peak(processes, 2 * obs->process_cnt);
	free(threads);
	free(processes);
	return 0;
}
