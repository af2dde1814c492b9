/* Sums the observation up for the rules. */
#include <errno.h>
#include <string.h>
#include "account/thread_time.h"
#include "account/wait_role.h"
#include "arena.h"
#include "decide/facts.h"
#include "decide/thresholds.h"

bool is_io_reason(enum wait_reason reason)
{
	switch (reason) {
	case WAIT_NETWORK:
	case WAIT_DISK:
	case WAIT_IPC:
	case WAIT_DEVICE:
	case WAIT_PAGING:
	case WAIT_POLL:
	case WAIT_CHILD:
	case WAIT_TTY: /* what of it isn't idle is output that the terminal is slow to take */
		return true;
	default:
		return false;
	}
}

enum wait_reason largest_reason(const uint64_t ns[WAIT_REASON_CNT])
{
	enum wait_reason largest = 0;

	for (int reason = 1; reason < WAIT_REASON_CNT; reason++)
		if (ns[reason] > ns[largest])
			largest = (enum wait_reason)reason;
	return largest;
}

bool facts_workers_wait(const struct facts *facts)
{
	return share_of(facts->outside_ns, facts->outside_ns + facts->thread_time->on_cpu_ns) >=
	       FEWER_WAIT_MAX;
}

uint32_t usable_cpus(const struct facts *facts)
{
	return facts->cpus < 1 ? 1 : (uint32_t)(facts->cpus + 0.5);
}

enum global_lock facts_global_lock(const struct facts *facts)
{
	const struct process_facts *process = facts->dominant;

	if (!process || process->process->is_free_threaded)
		return GLOBAL_LOCK_NONE;
	return runtime_global_lock(process->runtime);
}

bool facts_works_outside_lock(const struct facts *facts)
{
	const struct process_facts *process = facts->dominant;
	double gil_share;

	if (!process)
		return false;
	gil_share = share_of(process->gil_ns, process->gil_ns + process->on_cpu_ns);
	/* Handing the lock over takes CPU time beside it, too. */
	if (facts->dominant_cpus > GIL_MAX_CPUS)
		return !process->process->gil_is_known || gil_share < GIL_OUTSIDE_MAX;
	return process->process->gil_is_known && facts->runnable_parallelism >= PARALLEL_MIN &&
	       gil_share < GIL_WAIT_SHARE;
}

bool facts_asks_over_sockets(const struct facts *facts)
{
	uint64_t all_ns = 0, asked_ns = 0;

	for (size_t i = 0; i < facts->obs->wait_cnt; i++) {
		const struct obs_wait *row = &facts->obs->waits[i];

		if (row->reason != WAIT_IPC)
			continue;
		all_ns += row->wait_ns;
		if (row->direction == DIRECTION_OUTBOUND)
			asked_ns += row->wait_ns;
	}
	return asked_ns > all_ns / 2;
}

bool facts_has_interpreter_lock(const struct facts *facts)
{
	enum global_lock lock = facts_global_lock(facts);

	return lock == GLOBAL_LOCK_GIL || lock == GLOBAL_LOCK_GVL;
}

static uint64_t life_ns(uint64_t start_ns, uint64_t end_ns)
{
	return end_ns > start_ns ? end_ns - start_ns : 0;
}

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Which socket an event loop waited for is not always known. */
static bool may_be_tcp(const struct obs_wait *row)
{
	if (row->kind == OBJECT_TCP)
		return row->direction == DIRECTION_OUTBOUND;
	return row->reason == WAIT_POLL && row->via_event_loop;
}

static void add_row(struct facts *facts, const struct obs_wait *row, struct process_facts *process)
{
	enum wait_role role = wait_role(facts->roles, row);

	if (role == WAITS_FOR_RESULT) {
		facts->outside_cnt += row->wait_cnt;
		facts->result_ns[row->reason] += row->wait_ns;
		facts->result_cnt[row->reason] += row->wait_cnt;
		if (row->via_event_loop)
			facts->outside_loop_ns += row->wait_ns;
		if (may_be_tcp(row))
			facts->outside_tcp_ns += row->wait_ns;
	}
	if (role == WAITS_FOR_WORK && !row->timed_out)
		facts->asked_cnt += row->wait_cnt;
	if (!process)
		return;
	process->row_ns[row->reason] += row->wait_ns;
	if (role == WAITS_FOR_RESULT)
		process->result_ns[row->reason] += row->wait_ns;
	if (role == WAITS_FOR_WORK)
		process->work_wait_ns[row->reason] += row->wait_ns;
	if (row->via_event_loop) {
		process->loop_ns += row->wait_ns;
		process->loop_cnt += row->wait_cnt;
	} else if (role <= WAITS_FOR_TIME) {
		process->own_wait_ns += row->wait_ns;
	}
}

/* Threads count by reason only; what part of it was for a result, the process's rows tell. */
static uint64_t part_of_reason(const struct thread_facts *thread, enum wait_reason reason,
			       const uint64_t part_ns[WAIT_REASON_CNT])
{
	return min_ns(thread->thread->wait_ns[reason],
		      scale_ns(thread->thread->wait_ns[reason], part_ns[reason],
			       thread->process->row_ns[reason]));
}

uint64_t thread_result_ns(const struct thread_facts *thread, enum wait_reason reason)
{
	return thread->process ? part_of_reason(thread, reason, thread->process->result_ns) : 0;
}

/* Whether it may be another thread or process of the tree that is waited for. */
static bool can_be_inside(enum wait_reason reason)
{
	return reason == WAIT_NETWORK || reason == WAIT_IPC || reason == WAIT_POLL ||
	       reason == WAIT_CHILD || reason == WAIT_SYNC;
}

static void sum_waits(struct thread_facts *thread)
{
	const uint64_t *wait_ns = thread->thread->wait_ns;

	thread->timer_ns = wait_ns[WAIT_TIMER];
	for (int reason = 0; thread->process && reason < WAIT_REASON_CNT; reason++) {
		uint64_t work_ns = part_of_reason(thread, reason, thread->process->work_wait_ns);

		thread->outside_ns += part_of_reason(thread, reason, thread->process->result_ns);
		thread->idle_ns += work_ns;
		thread->work_ns += work_ns;
		if (reason == WAIT_TIMER)
			thread->timer_ns -= work_ns;
		/* Neither for a result nor for work: for others of the tree. */
		if (can_be_inside(reason))
			thread->idle_ns +=
				wait_ns[reason] -
				part_of_reason(thread, reason, thread->process->result_ns) -
				work_ns;
	}
}

static void sum_thread(const struct facts *facts, struct thread_facts *facts_of)
{
	const struct obs_thread *thread = facts_of->thread;

	facts_of->life_ns = thread_wall_ns(thread);
	facts_of->runnable_ns = thread->on_cpu_ns + thread->run_queue_ns + thread->preempted_ns +
				thread->throttled_ns;
	sum_waits(facts_of);
	facts_of->active_ns = facts_of->runnable_ns + facts_of->outside_ns +
			      thread->wait_ns[WAIT_LOCK] + thread->wait_ns[WAIT_GIL];
	if (facts->timer_share >= TIMER_SHARE)
		facts_of->active_ns += facts_of->timer_ns;
}

static void add_to_process(const struct thread_facts *thread)
{
	struct process_facts *process = thread->process;

	process->on_cpu_ns += thread->thread->on_cpu_ns;
	process->work_ns += thread->thread->on_cpu_ns + thread->outside_ns;
	process->thread_active_ns += thread->active_ns;
	process->gil_ns += thread->thread->wait_ns[WAIT_GIL];
	if (thread->thread->wait_ns[WAIT_GIL])
		process->gil_waiter_cnt++;
}

static void add_to_tree(struct facts *facts, const struct thread_facts *thread)
{
	facts->outside_ns += thread->outside_ns;
	facts->served_ns += thread->thread->on_cpu_ns + thread->outside_ns +
			    thread->thread->wait_ns[WAIT_LOCK] + thread->thread->wait_ns[WAIT_GIL];
}

/* Gives each process the list of its threads: one array for all, cut into pieces. */
static int list_threads(struct facts *facts)
{
	size_t cnt = facts->obs->thread_cnt;
	struct thread_facts **slots = arena_array(facts->scratch, cnt, sizeof(*slots));

	if (!slots)
		return cnt ? -ENOMEM : 0;
	for (size_t i = 0; i < cnt; i++)
		if (facts->threads[i].process)
			facts->threads[i].process->thread_cnt++;
	for (size_t i = 0; i < facts->obs->process_cnt; i++) {
		facts->processes[i].threads = slots;
		slots += facts->processes[i].thread_cnt;
		facts->processes[i].thread_cnt = 0;
	}
	for (size_t i = 0; i < cnt; i++) {
		struct process_facts *process = facts->threads[i].process;

		if (process)
			process->threads[process->thread_cnt++] = &facts->threads[i];
	}
	return 0;
}

/* A thread that is alive at the end may be waiting for work: that wait nobody has ended. */
static void forget_open_waits(struct facts *facts)
{
	uint64_t live_cnt = 0;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++)
		live_cnt += !facts->obs->threads[i].exited;
	facts->asked_cnt -= min_ns(facts->asked_cnt, live_cnt);
}

static int gather_tree(struct facts *facts)
{
	const struct process_index *index = &facts->roles->index;
	const struct observation *obs = facts->obs;

	for (size_t i = 0; i < obs->process_cnt; i++) {
		struct process_facts *process = &facts->processes[i];

		process->process = &obs->processes[i];
		process->runtime = runtime_of(process->process);
		process->life_ns = life_ns(process->process->start_ns, process->process->end_ns);
	}
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		size_t at = process_index_find(index, obs->waits[i].pid);

		add_row(facts, &obs->waits[i], at == NO_PROCESS ? NULL : &facts->processes[at]);
	}
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		size_t at = process_index_find(index, obs->threads[i].pid);

		facts->threads[i].thread = &obs->threads[i];
		facts->threads[i].process = at == NO_PROCESS ? NULL : &facts->processes[at];
		sum_thread(facts, &facts->threads[i]);
		add_to_tree(facts, &facts->threads[i]);
		if (at != NO_PROCESS)
			add_to_process(&facts->threads[i]);
	}
	forget_open_waits(facts);
	for (size_t i = 0; i < obs->process_cnt; i++)
		facts->processes[i].active_ns =
			min_ns(facts->processes[i].thread_active_ns, facts->processes[i].life_ns);
	return list_threads(facts);
}

/* Among those that did nothing yet, one that drives a loop would. */
static bool works_more(const struct process_facts *process, const struct process_facts *other)
{
	if (process->work_ns != other->work_ns)
		return process->work_ns > other->work_ns;
	return process->loop_cnt > other->loop_cnt;
}

/* The runtime that does most of the work leads, and of its processes the one that does most. */
static void find_dominant(struct facts *facts)
{
	uint64_t by_runtime[RUNTIME_CNT] = { 0 };
	enum runtime_id leading = RUNTIME_NATIVE;

	for (size_t i = 0; i < facts->obs->process_cnt; i++)
		by_runtime[facts->processes[i].runtime] += facts->processes[i].work_ns;
	for (int id = 0; id < RUNTIME_CNT; id++)
		if (by_runtime[id] > by_runtime[leading])
			leading = id;
	for (size_t i = 0; i < facts->obs->process_cnt; i++) {
		struct process_facts *process = &facts->processes[i];

		if (by_runtime[leading] && process->runtime != leading)
			continue;
		if (!facts->dominant || works_more(process, facts->dominant))
			facts->dominant = process;
	}
}

/* Of the time that threads were ready without a CPU: while others had it, as a preemption shows.
 * Where nobody was seen to, each wakeup may have had to wait for a CPU to wake up. */
static uint64_t contended_ns(const struct observation *obs, uint64_t run_queue_ns)
{
	uint64_t held_ns = obs->own_queue_ns, woken_ns = 0, preempted_ns = 0, wakeups = 0;

	for (size_t i = 0; i < obs->neighbour_cnt; i++)
		held_ns += obs->neighbours[i].queue_ns;
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		const struct obs_thread *thread = &obs->threads[i];

		preempted_ns += thread->preempted_ns;
		woken_ns += thread->run_queue_ns;
		wakeups += thread->switch_cnt - min_ns(thread->switch_cnt, thread->preempt_cnt);
	}
	if (held_ns)
		return min_ns(held_ns > preempted_ns ? held_ns : preempted_ns, run_queue_ns);
	return run_queue_ns - min_ns(woken_ns, wakeups * WAKING_NS);
}

/* The same as a part of all of it. What schedstat counts, for /proc, has no waking up in it. */
static double contended_part(const struct facts *facts)
{
	const struct report_thread_time *time = facts->thread_time;
	uint64_t ready_ns = time->run_queue_ns + time->throttled_ns;

	if (facts->obs->source == SOURCE_PROCFS || !ready_ns)
		return 1;
	return share_of(contended_ns(facts->obs, time->run_queue_ns) + time->throttled_ns,
			ready_ns);
}

static void gather_program_shares(struct facts *facts)
{
	const struct report_program_time *time = facts->program_time;
	uint64_t io_ns = 0;

	facts->busy_ns = time->wall_ns - time->idle_ns;
	facts->idle_share = share_of(time->idle_ns, time->wall_ns);
	facts->cpu_share = share_of(time->computing_ns, facts->busy_ns);
	facts->starved_share = share_of(time->starved_ns, facts->busy_ns);
	facts->contended_share = facts->starved_share * contended_part(facts);
	for (size_t i = 0; i < time->wait_cnt; i++) {
		const struct report_wait *wait = &time->waits[i];

		if (is_io_reason(wait->reason)) {
			facts->io_ns[wait->reason] = wait->wait_ns;
			io_ns += wait->wait_ns;
		} else if (wait->reason == WAIT_TIMER) {
			facts->timer_share = share_of(wait->wait_ns, facts->busy_ns);
		} else if (wait->reason == WAIT_LOCK) {
			facts->lock_quiet_share = share_of(wait->wait_ns, facts->busy_ns);
		}
	}
	facts->io_share = share_of(io_ns, facts->busy_ns);
	facts->unknown_share = share_of(time->unexplained_ns, facts->busy_ns);
	facts->stopped_share = share_of(time->stopped_ns, facts->busy_ns);
}

static void gather_spread(struct facts *facts)
{
	uint64_t quiet_ns = facts->program_time->quiet_ns;
	double busy_part = quiet_ns ? (double)facts->busy_ns / (double)quiet_ns : 0;
	const struct quiet_mix mix = {
		.idle = share_of(facts->program_time->idle_ns, quiet_ns),
		.results = facts->io_share * busy_part,
		.time = facts->timer_share * busy_part,
	};

	account_spread(facts->obs, facts->windows, &mix, &facts->spread);
}

/*
 * Time that threads wanted a CPU beside others that had one. A thread that another has just woken
 * and that now waits for the waker to leave the CPU is no such thing: two that pass a byte to and
 * fro take turns. /proc doesn't tell the two apart.
 */
static uint64_t contending_ns(const struct observation *obs)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++) {
		sum_ns += obs->threads[i].preempted_ns + obs->threads[i].throttled_ns;
		if (obs->source == SOURCE_PROCFS)
			sum_ns += obs->threads[i].run_queue_ns;
	}
	return sum_ns;
}

static void gather_thread_shares(struct facts *facts)
{
	const struct report_thread_time *time = facts->thread_time;
	uint64_t runnable_ns = time->on_cpu_ns + time->run_queue_ns + time->throttled_ns;
	const struct obs_host *host = &facts->obs->host;

	facts->cpus = host->cpus_usable ? host->cpus_usable : 1;
	if (host->cpu_quota > 0 && host->cpu_quota < facts->cpus)
		facts->cpus = host->cpu_quota;
	facts->throttled_share = share_of(time->throttled_ns, runnable_ns);
	facts->runnable_parallelism =
		share_of(time->on_cpu_ns + contending_ns(facts->obs),
			 facts->program_time->computing_ns + facts->program_time->starved_ns);
}

static void find_top_lock(struct facts *facts)
{
	uint64_t top_ns = 0;

	facts->lock.name = "";
	for (size_t i = 0; i < facts->thread_time->wait_cnt; i++) {
		const struct report_wait *wait = &facts->thread_time->waits[i];

		if (wait->reason != WAIT_LOCK)
			continue;
		facts->lock.wait_ns = wait->wait_ns;
		for (size_t o = 0; o < wait->object_cnt; o++) {
			if (wait->objects[o].wait_ns <= top_ns)
				continue;
			top_ns = wait->objects[o].wait_ns;
			facts->lock.name = wait->objects[o].name;
			facts->lock.name_ns = top_ns;
			facts->lock.name_cnt = wait->objects[o].wait_cnt;
		}
	}
}

/*
 * A lock that many wait for costs nothing while the CPUs are full anyway: it serialises only if
 * the tree computes on clearly fewer CPUs than its waiters could use.
 */
static void gather_lock(struct facts *facts)
{
	struct lock_facts *lock = &facts->lock;
	double could_use;

	find_top_lock(facts);
	for (size_t i = 0; i < facts->obs->thread_cnt; i++) {
		const struct thread_facts *thread = &facts->threads[i];
		uint64_t wait_ns = thread->thread->wait_ns[WAIT_LOCK];

		if (wait_ns && share_of(wait_ns, thread->active_ns) >= LOCK_WAITER_SHARE)
			lock->waiter_cnt++;
	}
	lock->thread_share = share_of(lock->wait_ns, facts->served_ns);
	could_use = lock->waiter_cnt < facts->cpus ? lock->waiter_cnt : facts->cpus;
	lock->is_serialising = lock->waiter_cnt >= 2 &&
			       (facts->cpu_share < CPU_SHARE ||
				facts->program_time->parallelism <= SERIALISED_PART * could_use);
}

static void gather_gil(struct facts *facts)
{
	struct gil_facts *gil = &facts->gil;

	for (size_t i = 0; i < facts->obs->process_cnt; i++) {
		struct process_facts *process = &facts->processes[i];

		if (process->gil_ns && (!gil->process || process->gil_ns > gil->process->gil_ns))
			gil->process = process;
	}
	if (!gil->process)
		return;
	gil->wait_share =
		share_of(gil->process->gil_ns, gil->process->gil_ns + gil->process->on_cpu_ns);
	gil->cpus = share_of(gil->process->on_cpu_ns,
			     min_ns(facts->program_time->computing_ns, gil->process->life_ns));
	gil->is_contended = gil->process->gil_waiter_cnt >= 2 &&
			    gil->wait_share >= GIL_WAIT_SHARE && gil->cpus <= GIL_MAX_CPUS;
}

int facts_gather(struct facts *facts)
{
	const struct observation *obs = facts->obs;

	facts->processes = arena_array(facts->scratch, obs->process_cnt, sizeof(*facts->processes));
	facts->threads = arena_array(facts->scratch, obs->thread_cnt, sizeof(*facts->threads));
	if (arena_has_failed(facts->scratch))
		return -ENOMEM;
	gather_program_shares(facts);
	gather_spread(facts);
	gather_thread_shares(facts);
	if (gather_tree(facts))
		return -ENOMEM;
	find_dominant(facts);
	if (facts->dominant)
		facts->dominant_cpus =
			share_of(facts->dominant->on_cpu_ns, facts->program_time->computing_ns);
	gather_lock(facts);
	gather_gil(facts);
	return 0;
}
