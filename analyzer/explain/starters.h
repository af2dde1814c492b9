/*
 * Commands that a program runs are processes of their own, often without a line that anybody could
 * change: the line that runs them, and waits for them, is the program's.
 */
#ifndef CLASSIFY_STARTERS_H
#define CLASSIFY_STARTERS_H

#include "explain/explanation.h"

/* A process that waits for others at a line that is known, for half of the time that it does so. */
struct starter {
	pid_t pid;
	const struct stack_sum *sum; /* the largest of the waits there */
};

/* Fills @on's starters from its sums. */
void starters_find(struct explanation *on);

/* The sum of the nearest starter above the command whose time @sum is; NULL where @sum is of no
 * command, or nobody waits for it so. */
const struct stack_sum *starter_of(const struct explanation *on, const struct stack_sum *sum);

#endif
