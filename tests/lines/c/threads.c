/* Two threads that compute and three that wait, each at its one line: threads TRUTH PARTNER
 * SECONDS. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"
#include "truth.h"

enum { HOT_CNT = 20000, OTHER_CNT = 12000, WAIT_US = 15000, WAITER_CNT = 3, HOT_THREAD_CNT = 2 };

static const char *partner_where;
static uint64_t end_ns;
static volatile uint64_t sink = 1;

static __attribute__((noinline)) uint64_t hot(uint64_t x)
{
	for (int i = 0; i < HOT_CNT; i++)
		x = STEP256(x); /* HOT */
	return x;
}

static __attribute__((noinline)) uint64_t other(uint64_t x)
{
	for (int i = 0; i < OTHER_CNT; i++)
		x = STEP64(x);
	return x + 1;
}

static __attribute__((noinline)) void wait_here(struct partner partner)
{
	char answer;

	partner_ask(partner, WAIT_US);
	if (read(partner.in, &answer, 1) != 1) /* WAIT */
		exit(1);
}

static __attribute__((noinline)) void nap(void)
{
	struct timespec time = { .tv_nsec = 2000000 };

	nanosleep(&time, NULL); /* OTHER_WAIT */
	sink++;
}

static void *compute(void *unused)
{
	struct truth_mark mark;

	while (truth_now_ns() < end_ns) {
		mark = truth_begin();
		sink = hot(sink);
		truth_end(mark, SECTION_HOT);
		mark = truth_begin();
		sink = other(sink);
		truth_end(mark, SECTION_OTHER);
	}
	return unused;
}

static void *ask(void *unused)
{
	struct partner partner = partner_open(partner_where);
	struct truth_mark mark;

	while (truth_now_ns() < end_ns) {
		mark = truth_begin();
		wait_here(partner);
		truth_end(mark, SECTION_WAIT);
		mark = truth_begin();
		nap();
		truth_end(mark, SECTION_OTHER_WAIT);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[WAITER_CNT + HOT_THREAD_CNT];
	int cnt = 0;

	if (argc != 4)
		return 2;
	partner_where = argv[2];
	end_ns = truth_now_ns() + (uint64_t)(atof(argv[3]) * 1e9);
	for (; cnt < WAITER_CNT; cnt++)
		pthread_create(&threads[cnt], NULL, ask, NULL);
	for (; cnt < WAITER_CNT + HOT_THREAD_CNT; cnt++)
		pthread_create(&threads[cnt], NULL, compute, NULL);
	while (cnt)
		pthread_join(threads[--cnt], NULL);
	truth_write(argv[1]);
	return 0;
}
