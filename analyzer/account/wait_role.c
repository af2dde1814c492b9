/* Roles of waits; DESIGN section 3, "Inbound or outbound". */
#include "wait_role.h"
#include <string.h>

static bool is_socket(enum object_kind kind)
{
	return kind == OBJECT_TCP || kind == OBJECT_UDP || kind == OBJECT_UNIX ||
	       kind == OBJECT_SOCKET;
}

/* It listens, or what started it does: the helpers of a PostgreSQL, the workers of an nginx. */
static bool is_server(const struct observation *obs, const struct obs_process *process)
{
	const struct obs_process *parent;

	if (!process || process->listening_cnt)
		return process;
	parent = process->parent_pid ? observation_find_process(obs, process->parent_pid) : NULL;
	return parent && parent->listening_cnt && !process->is_exec;
}

/*
 * A server that waits for requests with a timeout (redis's cron of 100 ms, a select loop of half
 * a second) is as idle when the timeout runs out as when a request comes.
 */
static bool is_server_tick(const struct observation *obs, const struct obs_wait *row,
			   const struct obs_process *process)
{
	if (!row->timed_out)
		return false;
	if (!row->via_event_loop && row->kind != OBJECT_EPOLL && !is_socket(row->kind))
		return false;
	return is_server(obs, process);
}

static bool is_asked_of_us(const struct obs_wait *row)
{
	return row->direction == DIRECTION_INBOUND || row->direction == DIRECTION_LISTENING;
}

/* In pause() and its like: a master process that sleeps until it is told something. */
static bool is_for_signal(const struct obs_wait *row)
{
	static const char *const calls[] = { "pause", "rt_sigsuspend", "rt_sigtimedwait" };

	for (size_t i = 0; row->kind == OBJECT_SYSCALL && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(row->name, calls[i]))
			return true;
	return false;
}

/* Where no waker is known (procfs): a wait that ends less than this part of its time of quiet by
 * itself ends because another thread of the tree ran before. */
#define INSIDE_QUIET_SHARE 0.05

/* A pipe or unix socket between two threads or processes of the tree: the wakers tell. */
static bool is_inside_tree(const struct observation *obs, const struct obs_wait *row)
{
	uint64_t woken =
		row->woken_by_tree_cnt + row->woken_by_other_cnt + row->woken_by_interrupt_cnt;

	if (woken)
		return row->woken_by_tree_cnt > woken / 2;
	return obs->process_cnt > 1 &&
	       (double)row->quiet_ns < INSIDE_QUIET_SHARE * (double)row->wait_ns;
}

/* Of several descriptors without knowing which one: maybe pipes whose other ends are in the tree,
 * as a pool's main process has them. An event loop is more. */
static enum wait_role poll_role(const struct observation *obs, const struct obs_wait *row,
				const struct obs_process *process)
{
	if (is_asked_of_us(row))
		return WAITS_FOR_WORK;
	if (!row->via_event_loop && is_inside_tree(obs, row))
		return WAITS_FOR_TREE;
	if (is_server(obs, process))
		return WAITS_FOR_WORK;
	return row->timed_out ? WAITS_FOR_TIME : WAITS_FOR_RESULT;
}

enum wait_role wait_role(const struct observation *obs, const struct obs_wait *row,
			 const struct obs_process *process)
{
	switch (row->reason) {
	case WAIT_ACCEPT:
	case WAIT_TTY:
		return WAITS_FOR_WORK;
	case WAIT_NETWORK:
		return is_asked_of_us(row) ? WAITS_FOR_WORK : WAITS_FOR_RESULT;
	case WAIT_IPC:
		if (is_for_signal(row))
			return WAITS_FOR_WORK;
		if (is_inside_tree(obs, row))
			return WAITS_FOR_TREE;
		return is_asked_of_us(row) ? WAITS_FOR_WORK : WAITS_FOR_RESULT;
	case WAIT_TIMER:
		return is_asked_of_us(row) || is_server_tick(obs, row, process) ? WAITS_FOR_WORK
										: WAITS_FOR_TIME;
	case WAIT_POLL:
		return poll_role(obs, row, process);
	case WAIT_DISK:
	case WAIT_DEVICE:
	case WAIT_PAGING:
		return WAITS_FOR_RESULT;
	case WAIT_CHILD:
		return obs->process_cnt > 1 ? WAITS_FOR_TREE : WAITS_FOR_RESULT;
	case WAIT_LOCK:
	case WAIT_GIL:
	case WAIT_SYNC:
		return WAITS_FOR_TREE;
	default:
		return WAITS_FOR_OTHER;
	}
}

enum wait_role quiet_role(const struct observation *obs, const struct obs_wait *row,
			  const struct obs_process *process)
{
	enum wait_role role = wait_role(obs, row, process);

	if (role != WAITS_FOR_TREE)
		return role;
	if (row->reason == WAIT_IPC || row->reason == WAIT_POLL || row->reason == WAIT_CHILD)
		return row->timed_out ? WAITS_FOR_TIME : WAITS_FOR_RESULT;
	/* The GIL's 5 ms timeout is a poll by the waiter, not the cause of the holder's sleep. */
	return row->timed_out && row->reason != WAIT_GIL ? WAITS_FOR_TIME : WAITS_FOR_TREE;
}
