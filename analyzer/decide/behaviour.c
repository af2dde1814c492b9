/* See behaviour.h; what each kind asks for stands in docs/rules.md, "Roles". */
#include "decide/behaviour.h"
#include <math.h>
#include "account/thread_time.h"
#include "decide/polling.h"
#include "decide/rules.h"
#include "decide/thresholds.h"

struct behaviour behaviour_of_thread(const struct thread_facts *thread)
{
	const struct obs_thread *from = thread->thread;
	struct behaviour behaviour = {
		.thread_cnt = 1,
		.life_ns = thread->life_ns,
		.on_cpu_ns = from->on_cpu_ns,
		.loop_ns = from->event_loop_wait_ns,
		.doing_ns = {
			[DOING_COMPUTE] = thread->runnable_ns + from->wait_ns[WAIT_GIL],
			[DOING_RESULT] = thread->outside_ns,
			[DOING_TIME] = thread->timer_ns,
			[DOING_WORK] = thread->work_ns,
			[DOING_TREE] = thread->idle_ns - thread->work_ns,
			[DOING_LOCK] = from->wait_ns[WAIT_LOCK],
		},
	};

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		behaviour.wait_ns[reason] = from->wait_ns[reason];
		behaviour.wait_cnt[reason] = from->wait_cnt[reason];
		behaviour.result_ns[reason] = thread_result_ns(thread, reason);
	}
	if (thread_works_in_vain(thread))
		behaviour.vain_ns = thread->life_ns;
	return behaviour;
}

void behaviour_add(struct behaviour *to, const struct behaviour *more)
{
	to->thread_cnt += more->thread_cnt;
	to->life_ns += more->life_ns;
	to->on_cpu_ns += more->on_cpu_ns;
	to->loop_ns += more->loop_ns;
	to->vain_ns += more->vain_ns;
	for (int doing = 0; doing < DOING_CNT; doing++)
		to->doing_ns[doing] += more->doing_ns[doing];
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		to->wait_ns[reason] += more->wait_ns[reason];
		to->wait_cnt[reason] += more->wait_cnt[reason];
		to->result_ns[reason] += more->result_ns[reason];
	}
}

double behaviour_share(const struct behaviour *behaviour, enum doing doing)
{
	return share_of(behaviour->doing_ns[doing], behaviour->life_ns);
}

double behaviour_distance(const struct behaviour *one, const struct behaviour *other)
{
	double most = 0;

	for (int doing = 0; doing < DOING_CNT; doing++)
		most = fmax(most,
			    fabs(behaviour_share(one, doing) - behaviour_share(other, doing)));
	return most;
}

enum verdict_class behaviour_class(const struct behaviour *behaviour)
{
	const uint64_t *doing_ns = behaviour->doing_ns;
	uint64_t served_ns = doing_ns[DOING_COMPUTE] + doing_ns[DOING_RESULT] +
			     doing_ns[DOING_TIME] + doing_ns[DOING_LOCK];
	struct facts facts = {
		.idle_share =
			share_of(doing_ns[DOING_WORK] + doing_ns[DOING_TREE], behaviour->life_ns),
		.cpu_share = share_of(doing_ns[DOING_COMPUTE], served_ns),
		.io_share = share_of(doing_ns[DOING_RESULT], served_ns),
		.timer_share = share_of(doing_ns[DOING_TIME], served_ns),
		.lock_quiet_share = share_of(doing_ns[DOING_LOCK], served_ns),
	};

	if (facts.idle_share < IDLE_SHARE && !served_ns)
		return CLASS_INCONCLUSIVE;
	return class_rule_first(&facts)->verdict_class;
}

/* What it does for most of its life; DOING_CNT if for nothing half of it. */
static enum doing main_doing(const struct behaviour *behaviour)
{
	for (int doing = 0; doing < DOING_CNT; doing++)
		if (behaviour_share(behaviour, doing) >= ROLE_PART)
			return doing;
	return DOING_CNT;
}

static const char *result_words(const struct behaviour *behaviour)
{
	enum wait_reason largest = WAIT_NETWORK;

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		if (behaviour->result_ns[reason] > behaviour->result_ns[largest])
			largest = reason;
	switch (largest) {
	case WAIT_NETWORK:
		return "waiting for the network";
	case WAIT_DISK:
		return "waiting for the disk";
	case WAIT_IPC:
		return "waiting for other programs";
	case WAIT_CHILD:
		return "waiting for children";
	case WAIT_DEVICE:
		return "waiting for a device";
	case WAIT_PAGING:
		return "waiting for pages";
	default:
		return "waiting for results";
	}
}

static bool is_in_vain(const struct behaviour *behaviour)
{
	return share_of(behaviour->vain_ns, behaviour->life_ns) >= ROLE_PART;
}

/* Wakes up often for little. */
static bool is_ticking(const struct behaviour *behaviour)
{
	uint64_t naps = behaviour->wait_cnt[WAIT_TIMER];

	return naps >= TICKS_MIN * (uint64_t)behaviour->thread_cnt &&
	       behaviour->wait_ns[WAIT_TIMER] / naps <= TICK_MAX_NS &&
	       share_of(behaviour->on_cpu_ns, behaviour->life_ns) <= TICKER_CPU_SHARE;
}

/* Whether it does some work beside what it does most. */
static bool works(const struct behaviour *behaviour)
{
	return behaviour_share(behaviour, DOING_COMPUTE) +
		       behaviour_share(behaviour, DOING_RESULT) >=
	       ROLE_WORKS;
}

const char *behaviour_words(const struct behaviour *behaviour)
{
	switch (main_doing(behaviour)) {
	case DOING_COMPUTE:
		return is_in_vain(behaviour) ? "spinning" : "computing";
	case DOING_RESULT:
		return result_words(behaviour);
	case DOING_TIME:
		return is_ticking(behaviour) ? "ticking" : "sleeping";
	case DOING_WORK:
		return works(behaviour) ? "working" : "waiting for work";
	case DOING_TREE:
		return works(behaviour) ? "working" : "waiting for others";
	case DOING_LOCK:
		return "waiting for locks";
	default:
		return "working";
	}
}

static bool drives_loop(const struct behaviour *behaviour)
{
	uint64_t waited_ns = 0;

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		waited_ns += behaviour->wait_ns[reason];
	return share_of(behaviour->loop_ns, waited_ns) >= ROLE_PART;
}

const char *behaviour_kind(const struct behaviour *behaviour)
{
	bool is_one = behaviour->thread_cnt == 1;

	if (drives_loop(behaviour))
		return "event loop";
	switch (main_doing(behaviour)) {
	case DOING_COMPUTE:
		if (is_in_vain(behaviour))
			return "spinner";
		return is_one ? "computing" : "workers";
	case DOING_TIME:
		return is_ticking(behaviour) ? "ticker" : "waiter";
	case DOING_WORK:
		if (works(behaviour))
			return is_one ? "worker" : "workers";
		return behaviour->wait_ns[WAIT_ACCEPT] >= behaviour->doing_ns[DOING_WORK] / 2
			       ? "acceptor"
			       : "waiter";
	case DOING_TREE:
		if (works(behaviour))
			return is_one ? "worker" : "workers";
		return is_one ? "waiter" : "pool";
	case DOING_RESULT:
		return is_one ? "waiter" : "workers";
	default:
		return is_one ? "worker" : "workers";
	}
}
