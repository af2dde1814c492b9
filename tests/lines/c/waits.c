/*
 * Waits of special shapes: waits TRUTH PARTNER SECONDS SHAPE. "short": of less than 100 us;
 * "uneven": 1 ms at one line and 20 ms at another; "stdio": likewise, through the same function of
 * the C library; "helper": likewise, through the same function of its own.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"
#include "truth.h"

enum { BATCH = 400, SHORT_US = 1000, LONG_US = 20000, HOT_CNT = 25000 };

static volatile uint64_t sink = 1;
static FILE *answers;

static __attribute__((noinline)) void hot(int cnt)
{
	uint64_t x = sink;

	for (int i = 0; i < cnt; i++)
		x = STEP256(x); /* HOT */
	sink = x;
}

static void must(bool is_true)
{
	if (!is_true)
		exit(1);
}

/* As short as the far end can make them. */
static __attribute__((noinline)) void wait_briefly(struct partner partner)
{
	char answer;

	for (int i = 0; i < BATCH; i++) {
		partner_ask(partner, 0);
		must(read(partner.in, &answer, 1) == 1); /* short WAIT */
	}
}

static __attribute__((noinline)) void wait_long(struct partner partner)
{
	char answer;

	partner_ask(partner, LONG_US);
	must(read(partner.in, &answer, 1) == 1); /* uneven WAIT */
}

static __attribute__((noinline)) void wait_short(struct partner partner)
{
	char answer;

	partner_ask(partner, SHORT_US);
	must(read(partner.in, &answer, 1) == 1); /* uneven WAIT2 */
}

static __attribute__((noinline)) void stdio_long(struct partner partner)
{
	partner_ask(partner, LONG_US);
	must(fgetc(answers) != EOF); /* stdio WAIT */
}

static __attribute__((noinline)) void stdio_short(struct partner partner)
{
	partner_ask(partner, SHORT_US);
	must(fgetc(answers) != EOF); /* stdio WAIT2 */
}

static __attribute__((noinline)) void answered(struct partner partner, uint32_t us)
{
	char answer;

	partner_ask(partner, us);
	must(read(partner.in, &answer, 1) == 1); /* helper WAIT */
}

static __attribute__((noinline)) void helper_long(struct partner partner)
{
	answered(partner, LONG_US); /* helper CALLER */
	sink++;
}

static __attribute__((noinline)) void helper_short(struct partner partner)
{
	answered(partner, SHORT_US);
	sink++;
}

static const struct shape {
	const char *name;
	int hot_cnt;
	void (*wait)(struct partner partner);
	void (*wait2)(struct partner partner);
	enum section second; /* that the second one is of */
} shapes[] = {
	{ "short", 2 * HOT_CNT, wait_briefly, NULL, SECTION_WAIT },
	{ "uneven", HOT_CNT, wait_long, wait_short, SECTION_WAIT2 },
	{ "stdio", HOT_CNT, stdio_long, stdio_short, SECTION_WAIT2 },
	{ "helper", HOT_CNT, helper_long, helper_short, SECTION_WAIT },
};

/* Rounds of one length would keep time with the clock that samples them, and each sample would then
 * meet the same part of them: they differ by up to a half, in an order without a pattern. */
static int uneven(int cnt)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return cnt / 2 + (int)((uint64_t)cnt * (x >> 16) >> 16);
}

static void one_round(const struct shape *shape, struct partner partner)
{
	struct truth_mark mark = truth_begin();

	hot(uneven(shape->hot_cnt));
	truth_end(mark, SECTION_HOT);
	mark = truth_begin();
	shape->wait(partner);
	truth_end(mark, SECTION_WAIT);
	for (int i = 0; shape->wait2 && i < 5; i++) {
		mark = truth_begin();
		shape->wait2(partner);
		truth_end(mark, shape->second);
	}
}

int main(int argc, char **argv)
{
	const struct shape *shape = shapes;
	struct partner partner;
	uint64_t end_ns;

	if (argc != 5)
		return 2;
	while (strcmp(shape->name, argv[4]) != 0)
		must(++shape < shapes + sizeof(shapes) / sizeof(*shapes));
	partner = partner_open(argv[2]);
	answers = fdopen(partner.in, "r");
	must(answers && !setvbuf(answers, NULL, _IONBF, 0));
	end_ns = truth_now_ns() + (uint64_t)(atof(argv[3]) * 1e9);
	while (truth_now_ns() < end_ns)
		one_round(shape, partner);
	truth_write(argv[1]);
	return 0;
}
