/* Sleeps, and does next to nothing in between. */
#include <stdio.h>
#include <time.h>

enum { TICKS = 20, INTERVAL_MS = 100 };

int main(void)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_MS * 1000000L };

	for (int i = 0; i < TICKS; i++)
		nanosleep(&interval, NULL);
	printf("%d ticks\n", TICKS);
	return 0;
}
