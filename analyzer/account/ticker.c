/* Hands the quiet time that tickers cut into slices back to what was really waited for. */
#include "arena.h"
#include "thread_time.h"
#include "ticker.h"
#include "wait_role.h"

/* A ticker sleeps for nearly all of its life, in many short naps, and hardly computes. The main
 * thread is never one: when it sleeps, that is what the program does. */
#define TICKER_SLEEP_SHARE  0.90
#define TICKER_ON_CPU_SHARE 0.02
#define TICKER_MIN_NAPS	    10
#define TICKER_MAX_NAP_NS   200000000ULL

static uint64_t nap_ns(const struct obs_thread *thread)
{
	return thread->wait_ns[WAIT_TIMER] + thread->wait_ns[WAIT_SYNC];
}

static bool is_ticker(const struct obs_thread *thread)
{
	uint64_t life_ns = thread->end_ns - thread->start_ns;
	uint64_t naps = thread->wait_cnt[WAIT_TIMER] + thread->wait_cnt[WAIT_SYNC];

	if (thread->tid == thread->pid || naps < TICKER_MIN_NAPS)
		return false;
	return share_of(nap_ns(thread), life_ns) >= TICKER_SLEEP_SHARE &&
	       share_of(thread->on_cpu_ns, life_ns) <= TICKER_ON_CPU_SHARE &&
	       nap_ns(thread) / naps <= TICKER_MAX_NAP_NS;
}

/* Whether @row could hold a ticker's naps. */
static bool is_nap(const struct obs_wait *row)
{
	return row->reason == WAIT_TIMER || (row->reason == WAIT_SYNC && row->timed_out);
}

struct ticking {
	uint64_t ticker_ns; /* naps of the process's tickers */
	uint64_t nap_ns;    /* all rows that could hold them */
};

/* Takes the tickers' part of quiet time out of @quiet_ns. Returns how much. */
static uint64_t take_from_tickers(const struct observation *obs, const struct wait_roles *roles,
				  struct ticking *ticking, uint64_t *quiet_ns)
{
	uint64_t taken_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++) {
		size_t at = process_index_find(&roles->index, obs->threads[i].pid);

		if (at != NO_PROCESS && is_ticker(&obs->threads[i]))
			ticking[at].ticker_ns += nap_ns(&obs->threads[i]);
	}
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		size_t at = process_index_find(&roles->index, obs->waits[i].pid);

		if (at != NO_PROCESS && is_nap(&obs->waits[i]))
			ticking[at].nap_ns += obs->waits[i].wait_ns;
	}
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		size_t at = process_index_find(&roles->index, obs->waits[i].pid);
		uint64_t part_ns;

		if (at == NO_PROCESS || !ticking[at].ticker_ns || !is_nap(&obs->waits[i]))
			continue;
		part_ns = ticking[at].ticker_ns < ticking[at].nap_ns ? ticking[at].ticker_ns
								     : ticking[at].nap_ns;
		part_ns = scale_ns(quiet_ns[i], part_ns, ticking[at].nap_ns);
		quiet_ns[i] -= part_ns;
		taken_ns += part_ns;
	}
	return taken_ns;
}

/* How much more of the wait @i can have been quiet if it waits for @role: no more than it lasted.
 */
static uint64_t room_ns(const struct observation *obs, const struct wait_roles *roles,
			enum wait_role role, size_t i, uint64_t quiet_ns)
{
	const struct obs_wait *row = &obs->waits[i];

	if (wait_role(roles, row) != role)
		return 0;
	return row->wait_ns > quiet_ns ? row->wait_ns - quiet_ns : 0;
}

/* Spreads up to @rest_ns over the waits of @role, as they have room. Returns what is left. */
static uint64_t give_to(const struct observation *obs, const struct wait_roles *roles,
			enum wait_role role, uint64_t rest_ns, uint64_t *quiet_ns)
{
	uint64_t all_ns = 0, given_ns, left_ns = rest_ns;

	for (size_t i = 0; i < obs->wait_cnt; i++)
		all_ns += room_ns(obs, roles, role, i, quiet_ns[i]);
	given_ns = all_ns < rest_ns ? all_ns : rest_ns;
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		uint64_t part_ns =
			scale_ns(room_ns(obs, roles, role, i, quiet_ns[i]), given_ns, all_ns);

		quiet_ns[i] += part_ns;
		left_ns -= part_ns;
	}
	return left_ns;
}

/* Puts @rest_ns back where naps are. */
static void give_back(const struct observation *obs, uint64_t rest_ns, uint64_t *quiet_ns)
{
	for (size_t i = 0; rest_ns && i < obs->wait_cnt; i++) {
		if (!is_nap(&obs->waits[i]))
			continue;
		quiet_ns[i] += rest_ns;
		return;
	}
}

void ticker_hand_over(const struct observation *obs, const struct wait_roles *roles,
		      struct arena *scratch, uint64_t *quiet_ns)
{
	struct ticking *ticking = arena_array(scratch, obs->process_cnt, sizeof(*ticking));
	uint64_t rest_ns;

	if (!ticking)
		return;
	rest_ns = take_from_tickers(obs, roles, ticking, quiet_ns);
	rest_ns = give_to(obs, roles, WAITS_FOR_RESULT, rest_ns, quiet_ns);
	rest_ns = give_to(obs, roles, WAITS_FOR_WORK, rest_ns, quiet_ns);
	give_back(obs, rest_ns, quiet_ns);
}
