/*
 * Computes and waits by turns, most of it at one line each: mix TRUTH PARTNER SECONDS. It is built
 * in many ways (line_set.py); with -DINLINED the planted functions have no code of their own.
 */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"
#include "truth.h"

enum { HOT_US = 8000, OTHER_US = 1000, WAIT_US = 4000, NAP_US = 700, NS_PER_US = 1000 };

#ifdef INLINED
#define PLANTED static inline __attribute__((always_inline))
#else
#define PLANTED __attribute__((noinline))
uint64_t hot(uint64_t x, uint64_t cnt);
int wait_here(struct partner partner);
#endif

uint64_t other_one(uint64_t x, uint64_t cnt);
uint64_t other_two(uint64_t x, uint64_t cnt);
void nap(void);

static volatile uint64_t sink = 1;

PLANTED uint64_t hot(uint64_t x, uint64_t cnt)
{
	for (uint64_t i = 0; i < cnt; i++)
		x = STEP256(x); /* HOT */
	return x;
}

__attribute__((noinline)) uint64_t other_one(uint64_t x, uint64_t cnt)
{
	for (uint64_t i = 0; i < cnt; i++)
		x = STEP64(x);
	return x + 1;
}

__attribute__((noinline)) uint64_t other_two(uint64_t x, uint64_t cnt)
{
	for (uint64_t i = 0; i < cnt; i++)
		x = STEP64(x);
	return x + 2;
}

PLANTED int wait_here(struct partner partner)
{
	char answer;
	ssize_t got;

	partner_ask(partner, WAIT_US);
	got = read(partner.in, &answer, 1); /* WAIT */
	return got == 1;
}

__attribute__((noinline)) void nap(void)
{
	struct timespec time = { .tv_nsec = NAP_US * NS_PER_US };

	nanosleep(&time, NULL); /* OTHER_WAIT */
	sink++;
}

/* Loops of hot() that take HOT_US. */
static uint64_t calibrate(void)
{
	struct truth_mark mark;
	uint64_t cnt = 100, ns;

	do {
		cnt *= 2;
		mark = truth_begin();
		sink = hot(sink, cnt);
		ns = truth_end(mark, SECTION_HOT);
	} while (ns < 2000 * NS_PER_US);
	return cnt * HOT_US * NS_PER_US / ns;
}

static int one_round(struct partner partner, uint64_t cnt)
{
	struct truth_mark mark = truth_begin();
	int has_answer;

	sink = hot(sink, cnt);
	truth_end(mark, SECTION_HOT);
	mark = truth_begin();
	sink = other_one(sink, cnt * 4 * OTHER_US / HOT_US);
	sink = other_two(sink, cnt * 4 * OTHER_US / HOT_US);
	truth_end(mark, SECTION_OTHER);
	mark = truth_begin();
	has_answer = wait_here(partner);
	truth_end(mark, SECTION_WAIT);
	mark = truth_begin();
	nap();
	truth_end(mark, SECTION_OTHER_WAIT);
	return has_answer;
}

int main(int argc, char **argv)
{
	struct partner partner;
	uint64_t cnt, end_ns;

	if (argc != 4)
		return 2;
	partner = partner_open(argv[2]);
	cnt = calibrate();
	end_ns = truth_now_ns() + (uint64_t)(atof(argv[3]) * 1e9);
	while (truth_now_ns() < end_ns)
		if (!one_round(partner, cnt))
			return 1;
	truth_write(argv[1]);
	return 0;
}
