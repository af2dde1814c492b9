/* See convoy.h. */
#include "decide/convoy.h"

#include "account/thread_time.h"
#include "decide/thresholds.h"

/* The thread that computes most, if it is at that all of its life. */
static const struct thread_facts *who_computes(const struct process_facts *process)
{
	const struct thread_facts *most = NULL;

	for (size_t i = 0; i < process->thread_cnt; i++) {
		const struct thread_facts *thread = process->threads[i];

		if (!most || thread->thread->on_cpu_ns > most->thread->on_cpu_ns)
			most = thread;
	}
	if (!most || share_of(most->runnable_ns + most->thread->wait_ns[WAIT_GIL], most->life_ns) <
			     CPU_SHARE)
		return NULL;
	return most->outside_ns > most->runnable_ns / 10 ? NULL : most;
}

static const struct thread_facts *main_thread(const struct process_facts *process)
{
	for (size_t i = 0; i < process->thread_cnt; i++)
		if (process->threads[i]->thread->tid == process->threads[i]->thread->pid)
			return process->threads[i];
	return NULL;
}

/* Whether @thread goes its own way: it works, but computes less than half of the time, and it
 * waits for no other thread to be done. */
static bool goes_its_own_way(const struct thread_facts *thread)
{
	uint64_t tree_ns = thread->thread->wait_ns[WAIT_SYNC] + thread->thread->wait_ns[WAIT_CHILD];

	return share_of(thread->outside_ns + thread->runnable_ns + thread->timer_ns +
				thread->thread->wait_ns[WAIT_GIL],
			thread->life_ns) >= CPU_SHARE &&
	       share_of(thread->runnable_ns, thread->life_ns) < BACKGROUND_MAIN_CPU &&
	       share_of(tree_ns, thread->life_ns) < BACKGROUND_MAIN_TREE;
}

const struct thread_facts *background_main(const struct facts *facts)
{
	return facts->dominant ? main_thread(facts->dominant) : NULL;
}

const struct thread_facts *background_find(const struct facts *facts)
{
	const struct process_facts *process = facts->dominant;
	const struct thread_facts *main = background_main(facts);
	const struct thread_facts *computing = process ? who_computes(process) : NULL;

	if (!main || !computing || computing == main || !goes_its_own_way(main))
		return NULL;
	return share_of(computing->life_ns, main->life_ns) >= CPU_SHARE ? computing : NULL;
}

/* Waits for somebody else, also of the tree, that end with something to do. */
static uint64_t asking_cnt(const struct obs_thread *thread)
{
	return thread->wait_cnt[WAIT_NETWORK] + thread->wait_cnt[WAIT_IPC] +
	       thread->wait_cnt[WAIT_ACCEPT] + thread->wait_cnt[WAIT_POLL] +
	       thread->wait_cnt[WAIT_DISK] + thread->wait_cnt[WAIT_DEVICE];
}

/* It waits for others again and again, computes little in between, and most of what it would be at
 * work goes to the lock. One that computes as others do only takes turns with them. */
static bool is_held_up(const struct thread_facts *thread, const struct thread_facts *computing)
{
	const struct obs_thread *totals = thread->thread;

	return thread != computing && asking_cnt(totals) >= CONVOY_WAITS_MIN &&
	       totals->wait_cnt[WAIT_GIL] >= CONVOY_WAITS_MIN &&
	       (double)totals->on_cpu_ns < CONVOY_CPU_PART * (double)computing->thread->on_cpu_ns &&
	       share_of(totals->wait_ns[WAIT_GIL], thread->active_ns) >= CONVOY_SHARE &&
	       share_of(totals->wait_ns[WAIT_GIL], thread->life_ns) >= CONVOY_LIFE_SHARE;
}

bool convoy_find(const struct facts *facts, struct convoy *convoy)
{
	const struct process_facts *process = facts->gil.process;
	const struct thread_facts *computing = process ? who_computes(process) : NULL;
	const struct thread_facts *worst = NULL;

	for (size_t i = 0; computing && i < process->thread_cnt; i++) {
		const struct thread_facts *thread = process->threads[i];

		if (is_held_up(thread, computing) &&
		    (!worst ||
		     thread->thread->wait_ns[WAIT_GIL] > worst->thread->wait_ns[WAIT_GIL]))
			worst = thread;
	}
	if (!worst)
		return false;
	*convoy = (struct convoy){
		.computing = computing,
		.held_up = worst,
		.lock_ns = worst->thread->wait_ns[WAIT_GIL],
		.lock_cnt = worst->thread->wait_cnt[WAIT_GIL],
		.slowdown = share_of(worst->active_ns,
				     worst->active_ns - worst->thread->wait_ns[WAIT_GIL]),
	};
	return true;
}
