/* See lives.h. */
#include <stdlib.h>
#include "lives.h"

static int compare_lives(const void *a, const void *b)
{
	const struct life *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->change - y->change;
}

uint32_t lives_peak(struct life *lives, size_t cnt)
{
	int alive = 0, most = 0;

	if (cnt)
		qsort(lives, cnt, sizeof(*lives), compare_lives);
	for (size_t i = 0; i < cnt; i++) {
		alive += lives[i].change;
		if (alive > most)
			most = alive;
	}
	return (uint32_t)most;
}
