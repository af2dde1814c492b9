/*
 * A program whose stack is known: functions that call each other, each of which tells where it
 * returns to, and the innermost of which waits. Built in several ways, see unwind.cmake.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEVELS 6

static uintptr_t returns[LEVELS + 1];
/* What the compiler can't see through. */
static volatile int zero;

__attribute__((noinline)) static int innermost(void)
{
	returns[0] = (uintptr_t)__builtin_return_address(0);
	if (write(STDOUT_FILENO, returns, sizeof(returns)) != sizeof(returns))
		abort();
	while (!zero)
		pause();
	return zero;
}

/* Each level has a frame of another shape. */
__attribute__((noinline)) static int level_1(int value)
{
	returns[1] = (uintptr_t)__builtin_return_address(0);
	return innermost() + value;
}

/* Of a size that is known as it runs: the compiler needs a frame pointer. */
__attribute__((noinline)) static int level_2(int value)
{
	char *room = __builtin_alloca((size_t)value + 100);

	returns[2] = (uintptr_t)__builtin_return_address(0);
	memset(room, value, (size_t)value + 100);
	return level_1(value + room[0]) + room[1];
}

/* Aligned more than the stack is. */
__attribute__((noinline)) static int level_3(int value)
{
	volatile int aligned[8] __attribute__((aligned(64))) = { 0 };

	returns[3] = (uintptr_t)__builtin_return_address(0);
	aligned[value & 7] = value;
	return level_2(value) + aligned[1];
}

/* Both. */
__attribute__((noinline)) static int level_4(int value)
{
	volatile int aligned[8] __attribute__((aligned(32))) = { 0 };
	char *room = __builtin_alloca((size_t)value + 10);

	returns[4] = (uintptr_t)__builtin_return_address(0);
	aligned[value & 7] = value;
	memset(room, value, (size_t)value + 10);
	return level_3(value) + aligned[1] + room[2];
}

/* With all registers that it has to restore. */
__attribute__((noinline)) static int level_5(int a, int b, int c, int d, int e, int f)
{
	int sum;

	returns[5] = (uintptr_t)__builtin_return_address(0);
	sum = level_4(a & 31);
	return sum + level_4(b & 31) + a * b + c * d + e * f;
}

/* With more than a page, and arguments on the stack. */
__attribute__((noinline)) static int level_6(int a, int b, int c, int d, int e, int f, int g, int h)
{
	volatile char large[6000];

	returns[6] = (uintptr_t)__builtin_return_address(0);
	large[a] = (char)b;
	return level_5(a, b, c, d, e, f) + g + h + large[5];
}

int main(void)
{
	return level_6(zero, 1, 2, 3, 4, 5, 6, 7) + zero;
}
