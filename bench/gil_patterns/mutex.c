/* Threads that compute under a mutex, compute without it and sleep in turn: what 1 to 16 of them
 * do, as a multiple of what one does, for docs/replay.md: mutex_pattern LOCKED_US FREE_US SLEEP_US.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 16
#define RUN_US	    500e3

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long locked_cnt, free_cnt;
static unsigned int sleep_us;
static double until_us;
static atomic_long operation_cnt;

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void spin(long cnt)
{
	volatile long left = cnt;

	while (left > 0)
		left--;
}

static double best_spin_us(long cnt)
{
	double best_us = 1e9;
	int i;

	for (i = 0; i < 20; i++) {
		double start_us = now_us(), spun_us;

		spin(cnt);
		spun_us = now_us() - start_us;
		best_us = spun_us < best_us ? spun_us : best_us;
	}
	return best_us;
}

static void *operate(void *unused)
{
	(void)unused;
	while (now_us() < until_us) {
		pthread_mutex_lock(&mutex);
		spin(locked_cnt);
		pthread_mutex_unlock(&mutex);
		spin(free_cnt);
		if (sleep_us)
			usleep(sleep_us);
		operation_cnt++;
	}
	return NULL;
}

/* Operations per microsecond. */
static double throughput(int thread_cnt)
{
	pthread_t threads[MAX_THREADS];
	double start_us = now_us();
	int i;

	operation_cnt = 0;
	until_us = start_us + RUN_US;
	for (i = 0; i < thread_cnt; i++) {
		if (pthread_create(&threads[i], NULL, operate, NULL))
			exit(1);
	}
	for (i = 0; i < thread_cnt; i++)
		pthread_join(threads[i], NULL);
	return (double)operation_cnt / (now_us() - start_us);
}

int main(int argc, char **argv)
{
	const long spin_cnt = 1000000;
	double spin_us = best_spin_us(spin_cnt), alone;
	int thread_cnt;

	if (argc != 4) {
		fprintf(stderr, "usage: %s LOCKED_US FREE_US SLEEP_US\n", argv[0]);
		return 2;
	}
	locked_cnt = (long)(atof(argv[1]) / spin_us * (double)spin_cnt);
	free_cnt = (long)(atof(argv[2]) / spin_us * (double)spin_cnt);
	sleep_us = (unsigned int)atoi(argv[3]);
	alone = throughput(1);
	printf("%.1f us each:", 1 / alone);
	for (thread_cnt = 2; thread_cnt <= MAX_THREADS; thread_cnt *= 2)
		printf("  %d: %.3f", thread_cnt, throughput(thread_cnt) / alone);
	printf("\n");
	return 0;
}
