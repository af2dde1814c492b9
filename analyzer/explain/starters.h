/*
 * Commands that a program runs are processes of their own, often without a line that anybody could
 * change: the line that runs them, and waits for them, is the program's.
 */
#ifndef CLASSIFY_STARTERS_H
#define CLASSIFY_STARTERS_H

#include "explain/explanation.h"

/*
 * The largest of the waits at the line that runs the command whose time @sum is, of the nearest
 * process above it that waits for others at a line that is known, for half of that or more. NULL
 * where @sum is of no command, or nobody waits for it so.
 */
const struct stack_sum *starter_of(const struct explanation *on, const struct stack_sum *sum);

#endif
