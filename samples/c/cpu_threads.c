/* Computes in two threads: without a global lock they run at the same time. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "work.h"

enum { THREADS = 2, ROUNDS = 2000000000 };

static void *worker(void *result)
{
	uint64_t *value = result;

	*value = compute(*value, ROUNDS);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	uint64_t results[THREADS];

	for (int i = 0; i < THREADS; i++) {
		results[i] = (uint64_t)i;
		if (pthread_create(&threads[i], NULL, worker, &results[i]))
			abort();
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		printf("%" PRIu64 "\n", results[i]);
	}
	return 0;
}
