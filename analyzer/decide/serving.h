/*
 * Who serves: requests that come one at a time keep one worker busy at a time, however many there
 * are. So the model of a program that waits for work at times is told by who did the work, not only
 * by how many worked at once.
 */
#ifndef CLASSIFY_SERVING_H
#define CLASSIFY_SERVING_H

#include "decide/facts.h"

/* Threads of the dominant process beside its main one, or processes beside the root, that did most
 * of the work, two at least, in a program that idles for NOTABLE_IDLE or more: how many of them
 * lived at once. 0: that is not so. Out of memory is sticky in the arenas. */
uint32_t serving_threads(const struct facts *facts);
uint32_t serving_processes(const struct facts *facts);

#endif
