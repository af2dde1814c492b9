/*
 * The convoy under an interpreter's lock: a thread that computes for long keeps the lock for a
 * whole switch interval whenever another lets go of it, so a thread that does a little between
 * waits stands in line after each of them (Beazley, "Understanding the Python GIL", PyCon 2010).
 */
#ifndef CLASSIFY_CONVOY_H
#define CLASSIFY_CONVOY_H

#include "decide/facts.h"

struct convoy {
	const struct thread_facts *computing; /* who is in the way */
	const struct thread_facts *held_up;   /* whom that costs most */
	uint64_t lock_ns;		      /* that this one waited for the lock, */
	uint64_t lock_cnt;		      /* so often */
	double slowdown;		      /* how many times as long it takes as without that */
};

/*
 * The thread that computes all the while beside a main thread that goes its own way: it waits for
 * results and never for that one. How long the program takes is up to the main thread then, and how
 * much the other computes is up to how long that is. NULL: there is none.
 */
const struct thread_facts *background_find(const struct facts *facts);

/* That main thread: the first one of the dominant process, or NULL. */
const struct thread_facts *background_main(const struct facts *facts);

/* Whether there is one in the process with most waits for the GIL; fills @convoy only then. */
bool convoy_find(const struct facts *facts, struct convoy *convoy);

#endif
