/* Reading clocks as one number of nanoseconds. That of the wire, bpf_ktime_get_ns(), is
 * CLOCK_MONOTONIC. */
#ifndef CLASSIFY_CLOCK_H
#define CLASSIFY_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/* 0 for a clock that cannot be read: of a process that is gone. */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0, 0 };

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
