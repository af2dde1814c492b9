/* See thread_order.h. */
#include "thread_order.h"
#include "observation/observation.h"
#include <stdlib.h>

static int compare_threads(const void *a, const void *b)
{
	const struct obs_thread *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

void thread_order_sort(struct observation *obs)
{
	if (obs->thread_cnt)
		qsort(obs->threads, obs->thread_cnt, sizeof(obs->threads[0]), compare_threads);
}

struct obs_thread *thread_order_find(const struct observation *obs, pid_t pid, pid_t tid)
{
	struct obs_thread wanted = { .pid = pid, .tid = tid };

	if (!obs->thread_cnt)
		return NULL;
	return bsearch(&wanted, obs->threads, obs->thread_cnt, sizeof(wanted), compare_threads);
}
