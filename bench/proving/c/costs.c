/* One run of bench/proving/costs in C: what a thread and a forked process cost; a figure a line, as
 * "name value unit". */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 200, FORKS = 50, LARGE_BYTES = 200 << 20, NAME_MAX_LEN = 32 };

static pthread_barrier_t all_live;

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void show(const char *name, double value, const char *unit)
{
	printf("%s\t%.4g\t%s\n", name, value, unit);
}

/* KiB of this process's memory that /proc/self/smaps_rollup has under @name. */
static double memory_kib(const char *name)
{
	char line[256], format[NAME_MAX_LEN];
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	long found = 0, kib;

	snprintf(format, sizeof(format), "%s: %%ld", name);
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, format, &kib) == 1)
			found = kib;
	if (file)
		fclose(file);
	return (double)found;
}

static void *live(void *unused)
{
	pthread_barrier_wait(&all_live);
	pthread_barrier_wait(&all_live);
	return unused;
}

static void measure_threads(void)
{
	pthread_t threads[THREADS];
	double before_kib = memory_kib("Pss"), start_us;

	pthread_barrier_init(&all_live, NULL, THREADS + 1);
	start_us = now_us();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, live, NULL))
			exit(1);
	show("C: start of a thread", (now_us() - start_us) / THREADS, "us");
	pthread_barrier_wait(&all_live);
	show("C: memory of a thread", (memory_kib("Pss") - before_kib) / THREADS, "KiB");
	pthread_barrier_wait(&all_live);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Forks processes that end at once, the last of which says what memory it has to itself. */
static void measure_forks(const char *what)
{
	char name[128];
	double start_us = now_us();

	fflush(stdout);
	for (int i = 0; i < FORKS; i++)
		if (!fork())
			_exit(0);
	snprintf(name, sizeof(name), "C: fork, %s", what);
	show(name, (now_us() - start_us) / FORKS, "us");
	while (wait(NULL) > 0)
		;
	snprintf(name, sizeof(name), "C: fork to its end, %s", what);
	show(name, (now_us() - start_us) / FORKS, "us");
	fflush(stdout);
	if (!fork()) {
		snprintf(name, sizeof(name), "C: private memory of a fork, %s", what);
		show(name, memory_kib("Private_Dirty"), "KiB");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(void)
{
	char *large;

	measure_threads();
	measure_forks("small");
	large = malloc(LARGE_BYTES);
	if (!large)
		return 1;
	memset(large, 1, LARGE_BYTES);
	measure_forks("200 MB");
	free(large);
	return 0;
}
