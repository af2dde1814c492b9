/* One poll over signals, the end of the target and the observer's data. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "clock.h"
#include "members.h"
#include "message.h"
#include "observer.h"
#include "process.h"
#include "signals.h"
#include "until_settled.h"
#include "watch.h"

#define NS_PER_MS UINT64_C(1000000)
#define NEVER	  UINT64_MAX

enum { POLL_SIGNALS, POLL_TARGET, POLL_OBSERVER, POLL_CNT };

/* When to look after what, on the monotonic clock. */
struct schedule {
	uint64_t end_ns;
	uint64_t drain_ns;
	uint64_t drain_interval_ns; /* 0: only when the observer's descriptor says so */
	uint64_t members_ns;	    /* who has come into the cgroup since */
};

static struct schedule plan(const struct watch *watch)
{
	struct schedule schedule = { .end_ns = NEVER, .drain_ns = NEVER, .members_ns = NEVER };
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (watch->duration_ns)
		schedule.end_ns = now + watch->duration_ns;
	if (watch->until_settled)
		schedule.end_ns = watch->until_settled->end_ns;
	if (watch->members)
		schedule.members_ns = now;
	if (watch->observer) {
		int interval_ms = watch->observer->ops->timeout_ms(watch->observer);

		if (interval_ms > 0) {
			schedule.drain_interval_ns = (uint64_t)interval_ms * NS_PER_MS;
			schedule.drain_ns = now + schedule.drain_interval_ns;
		}
	}
	return schedule;
}

static int wait_for_something(const struct watch *watch, struct pollfd *fds,
			      const struct schedule *schedule)
{
	uint64_t next =
		schedule->end_ns < schedule->drain_ns ? schedule->end_ns : schedule->drain_ns;
	if (next > schedule->members_ns)
		next = schedule->members_ns;
	if (watch->until_settled && next > watch->until_settled->next_ns)
		next = watch->until_settled->next_ns;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	uint64_t left = next > now ? next - now : 0;
	const struct timespec timeout = { .tv_sec = (time_t)(left / NS_PER_S),
					  .tv_nsec = (long)(left % NS_PER_S) };

	if (ppoll(fds, POLL_CNT, next == NEVER ? NULL : &timeout, NULL) >= 0)
		return 0;
	if (errno != EINTR) /* stopped and continued */
		return -errno;
	for (int i = 0; i < POLL_CNT; i++)
		fds[i].revents = 0;
	return 0;
}

/*
 * The target has what its terminal sent, and what its own tree sent to the whole process group:
 * passing that on would deliver it twice.
 */
static void pass_signals_on(const struct watch *watch)
{
	struct taken_signal taken;

	while (signals_take(watch->signals, &taken)) {
		if (taken.from_terminal || process_descends_from(taken.sender, watch->pid))
			continue;
		kill(watch->pid, taken.number);
	}
}

static int drain(const struct watch *watch, struct schedule *schedule)
{
	if (schedule->drain_interval_ns)
		schedule->drain_ns = clock_ns(CLOCK_MONOTONIC) + schedule->drain_interval_ns;
	return watch->observer ? watch->observer->ops->drain(watch->observer) : 0;
}

/* Returns 0, -ENOENT when the cgroup is gone and nobody can come into it any more, or -errno. */
static int adopt_newcomers(const struct watch *watch, struct schedule *schedule)
{
	const struct cgroup_members *cgroup = &watch->members->cgroup;
	int error = members_look(watch->members);

	schedule->members_ns =
		clock_ns(CLOCK_MONOTONIC) + (uint64_t)watch->members->look_ms * NS_PER_MS;
	if (error)
		return error;
	if (cgroup->newcomer_cnt && watch->tells_newcomers)
		say("%zu process%s came into the cgroup", cgroup->newcomer_cnt,
		    cgroup->newcomer_cnt == 1 ? "" : "es");
	return watch->observer->ops->adopt(watch->observer, cgroup->newcomers,
					   cgroup->newcomer_cnt);
}

int watch_run(const struct watch *watch)
{
	struct pollfd fds[POLL_CNT] = {
		[POLL_SIGNALS] = { .fd = watch->signals->fd, .events = POLLIN },
		[POLL_TARGET] = { .fd = watch->pidfd, .events = POLLIN },
		[POLL_OBSERVER] = { .fd = -1, .events = POLLIN },
	};
	struct schedule schedule = plan(watch);

	if (watch->observer)
		fds[POLL_OBSERVER].fd = watch->observer->ops->poll_fd(watch->observer);
	for (;;) {
		int error = wait_for_something(watch, fds, &schedule);

		if (!error && (fds[POLL_OBSERVER].revents || fds[POLL_TARGET].revents ||
			       clock_ns(CLOCK_MONOTONIC) >= schedule.drain_ns))
			error = drain(watch, &schedule);
		if (!error && clock_ns(CLOCK_MONOTONIC) >= schedule.members_ns)
			error = adopt_newcomers(watch, &schedule);
		if (error && !(watch->members && error == -ENOENT))
			return error;
		if (fds[POLL_TARGET].revents || error == -ENOENT)
			return WATCH_TARGET_ENDED;
		if (fds[POLL_SIGNALS].revents) {
			if (!watch->is_wrap)
				return WATCH_INTERRUPTED;
			pass_signals_on(watch);
		}
		if (watch->until_settled &&
		    until_settled_look(watch->until_settled, clock_ns(CLOCK_MONOTONIC)))
			return WATCH_SETTLED;
		if (clock_ns(CLOCK_MONOTONIC) >= schedule.end_ns)
			return WATCH_TIME_UP;
	}
}
