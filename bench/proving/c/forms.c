/* The forms, over operations that workers take from a common counter. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "forms.h"

enum { WORKERS_MAX = 256, ROUNDS_PER_MS = 1000000 };

struct run {
	atomic_ulong next;
	atomic_ulong done_cnt;
	unsigned long operation_cnt;
	unsigned long worker_cnt;
	forms_operation operation;
};

static struct run *run;

void *forms_shared(unsigned long size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return memory;
}

void forms_compute(double milliseconds)
{
	volatile uint64_t result;
	uint64_t state = 88172645463325252ULL;

	for (uint64_t i = (uint64_t)(milliseconds * ROUNDS_PER_MS); i; i--)
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	result = state;
	(void)result;
}

static void *work(void *unused)
{
	unsigned long item;

	while ((item = atomic_fetch_add(&run->next, 1)) < run->operation_cnt)
		if (!run->operation(item))
			atomic_fetch_add(&run->done_cnt, 1);
	return unused;
}

static void run_threads(void)
{
	pthread_t threads[WORKERS_MAX];
	unsigned long cnt = 0;

	while (cnt < run->worker_cnt && !pthread_create(&threads[cnt], NULL, work, NULL))
		cnt++;
	while (cnt)
		pthread_join(threads[--cnt], NULL);
}

static void run_processes(void)
{
	for (unsigned long i = 0; i < run->worker_cnt; i++)
		if (!fork()) {
			work(NULL);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
}

static int run_form(const char *form, forms_loop loop)
{
	if (!strcmp(form, "sync"))
		work(NULL);
	else if (!strcmp(form, "threads"))
		run_threads();
	else if (!strcmp(form, "multiprocessing"))
		run_processes();
	else if (!strcmp(form, "async") && loop)
		run->done_cnt = loop(run->operation_cnt, run->worker_cnt) ? 0 : run->operation_cnt;
	else
		return -1;
	return 0;
}

int forms_main(int argc, char **argv, forms_operation operation, forms_loop loop)
{
	const char *const *words = (const char *const *)argv + argc - 6;

	run = forms_shared(sizeof(*run));
	if (argc < 7 || strcmp(words[0], "--form"))
		goto usage;
	run->worker_cnt = strtoul(words[3], NULL, 10);
	run->operation_cnt = strtoul(words[5], NULL, 10);
	run->operation = operation;
	if (run->worker_cnt < 1 || run->worker_cnt > WORKERS_MAX || run_form(words[1], loop))
		goto usage;
	printf("%lu results\n", (unsigned long)run->done_cnt);
	return 0;
usage:
	fprintf(stderr, "usage: %s [ARGUMENTS] --form FORM --workers N --operations K\n", argv[0]);
	return 2;
}
