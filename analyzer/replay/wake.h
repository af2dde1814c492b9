/* What it takes to hand a lock over, whoever's it is. */
#ifndef CLASSIFY_REPLAY_WAKE_H
#define CLASSIFY_REPLAY_WAKE_H

/* From the moment when the lock is given back to that when the woken waiter has it, in the mean:
 * futex wake and context switch. Measured: 32 threads of CPython 3.11 that compute 0.1 ms under the
 * global lock and sleep 1 ms lose 6 to 9 us per operation (bench/gil_patterns, docs/replay.md);
 * threads in C that compute 0.1 ms under a mutex and sleep 0.3 ms lose 9. */
#define WAKE_NS 8e3

#endif
