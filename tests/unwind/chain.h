/* Runs the programs made of chain.c, whose stacks are known. */
#ifndef CLASSIFY_CHAIN_H
#define CLASSIFY_CHAIN_H

#include <stdint.h>
#include <sys/types.h>

/* Return addresses that chain.c tells, the innermost first. */
#define CHAIN_RETURNS 7

/* Starts @path and waits until its innermost function is about to wait. Fills @returns. The caller
 * ends it with chain_stop(). */
pid_t chain_start(const char *path, uint64_t returns[CHAIN_RETURNS]);

void chain_stop(pid_t pid);

#endif
