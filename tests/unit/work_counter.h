/*
 * How much work a function does, in instructions: where that grows with the square of its input
 * this tells, on a loaded machine as on an idle one, which no clock does.
 */
#ifndef CLASSIFY_WORK_COUNTER_H
#define CLASSIFY_WORK_COUNTER_H

#include <stddef.h>
#include <stdint.h>

/* Returns a counter of this thread's own instructions, for work_counter_of(); skips the test where
 * the machine or the system gives none. The caller closes it. */
int work_counter_open(void);

/* The instructions that @work takes for @cnt. */
uint64_t work_counter_of(int counter, void (*work)(void *context, size_t cnt), void *context,
			 size_t cnt);

#endif
