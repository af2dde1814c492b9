/* Computes in one thread. */
#include <inttypes.h>
#include <stdio.h>
#include "work.h"

enum { ROUNDS = 2000000000 };

int main(void)
{
	printf("%" PRIu64 "\n", compute(1, ROUNDS));
	return 0;
}
