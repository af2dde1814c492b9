/* The loop of a run: observe, pass signals on, and notice why it is over. */
#ifndef CLASSIFY_WATCH_H
#define CLASSIFY_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct members;
struct observer;
struct signals;
struct until_settled;

struct watch {
	struct observer *observer; /* NULL: only wait */
	const struct signals *signals;
	int pidfd;		 /* -1: a cgroup is watched */
	struct members *members; /* of that cgroup; else NULL */
	pid_t pid;
	bool tells_newcomers;
	bool is_wrap;	      /* signals go to the target; else they end the watch */
	uint64_t duration_ns; /* 0: no limit */
	struct until_settled
		*until_settled; /* ends it when it is, or gives up; NULL: nobody asks */
};

enum watch_end { WATCH_TARGET_ENDED, WATCH_TIME_UP, WATCH_INTERRUPTED, WATCH_SETTLED };

/*
 * Waits until the target has ended (a process: it is not reaped yet, and the observer has drained
 * once more), time is up, a signal interrupts or the verdict is settled. Returns an enum watch_end,
 * or -errno when observing failed.
 */
int watch_run(const struct watch *watch);

#endif
