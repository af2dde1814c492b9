/*
 * Watches a program of the test's own with the eBPF observer, from a moment that the test chooses
 * to its end, and checks what holds for every observation. The program is a function that runs in
 * a child; the test is the world around it, outside the observed tree.
 *
 * Nothing here waits for a fixed time: a test waits until the kernel says that a thread blocks in
 * the call that it expects, and gives up (fails) after LIVE_DEADLINE_S.
 */
#ifndef CLASSIFY_EBPF_LIVE_H
#define CLASSIFY_EBPF_LIVE_H

#include "observation/observation.h"
#include "observer.h"
#include <sys/types.h>

#define LIVE_DEADLINE_S 20
#define LIVE_ANY	(-1)

struct live {
	struct observer *observer;
	struct observation obs; /* valid after live_end */
	bool has_obs;
	pid_t pid;
	int status;		  /* of wait4 */
	uint64_t cpu_ns;	  /* the kernel's account of the tree's CPU time since live_begin */
	uint64_t cpu_slack_ns;	  /* how much more than 1 ms or 0.1% it may differ */
	bool leaves_orphans;	  /* the tree has processes that its root doesn't wait for */
	int release[2], ready[2]; /* pipes to and from the child */
};

/* cmocka fixtures: *state is a struct live. Teardown kills what a failed test left. */
int live_setup(void **state);
int live_teardown(void **state);

/*
 * Forks a child that is to run @program(@arg) and tracks it; it waits for live_release until then.
 * The test is skipped, saying why, where the observer may not be made.
 */
void live_prepare(struct live *live, const struct observer_options *options, int (*program)(void *),
		  void *arg);
void live_release(struct live *live);
/* Both, following children. */
void live_begin(struct live *live, int (*program)(void *), void *arg);

/* Forks the child, lets it run and waits until @thread_cnt threads of it block in @call; then
 * tracks it, as attaching does. */
void live_attach_with(struct live *live, const struct observer_options *options,
		      int (*program)(void *), void *arg, long call, size_t thread_cnt);
/* The same, following children. */
void live_attach(struct live *live, int (*program)(void *), void *arg, long call,
		 size_t thread_cnt);

/* The observer's clock. */
uint64_t live_now_ns(void);

/* Takes in events until @cnt threads of process @pid block in system call @call whose first
 * argument is @arg (LIVE_ANY: whatever). */
void live_until_blocked(struct live *live, pid_t pid, long call, long arg, size_t cnt);

/* Takes in events until the child, sent a SIGSTOP, is off its CPU. */
void live_until_stopped(struct live *live);

/* Looks at the observation so far. Returns false when it changed too fast; else the caller releases
 * @obs, before the observation ends. */
bool live_peek(struct live *live, struct observation *obs);

/* Takes in events for a while, where a duration is what the test is about. */
void live_run_for(struct live *live, uint64_t duration_ns);

/* The process that the tree has left to us, its reaper. */
pid_t live_orphan(void);

/* Waits for the child's end. */
void live_wait(struct live *live);
/* Ends the observation and checks what holds for every one. */
void live_finish(struct live *live);
/* live_wait, live_finish, and the CPU time against the kernel's account. */
void live_end(struct live *live);
/* Ends the observation now; the child is killed afterwards. */
void live_cut(struct live *live);

/* Returns the row; fails, listing all rows, when there is none. @name NULL: any. */
const struct obs_wait *live_row(const struct live *live, enum wait_reason reason,
				enum object_kind kind, enum wait_direction direction,
				const char *name);
/* Sum over all threads of the tree. */
uint64_t live_wait_ns(const struct live *live, enum wait_reason reason);

#endif
