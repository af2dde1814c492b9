/* Four threads take jobs from a common list, and by mistake also do them while holding its lock. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "work.h"

enum { THREADS = 4, JOBS = 2000, ROUNDS_PER_JOB = 1000000 };

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static int jobs_done;
static uint64_t result;

static int do_one_job(void)
{
	int found;

	pthread_mutex_lock(&list_lock);
	found = jobs_done < JOBS;
	if (found) {
		result = compute(result, ROUNDS_PER_JOB);
		jobs_done++;
	}
	pthread_mutex_unlock(&list_lock);
	return found;
}

static void *worker(void *unused)
{
	while (do_one_job())
		;
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, worker, NULL))
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%d jobs, %" PRIu64 "\n", jobs_done, result);
	return 0;
}
