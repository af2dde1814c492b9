/* Roles of waits; DESIGN section 3, "Inbound or outbound". */
#include "wait_role.h"
#include <stdlib.h>
#include <string.h>
#include "arena.h"

/* Of a process: what it waited for work, and what for results, each by whether through a loop. */
struct asked_sums {
	uint64_t asked_ns[2];
	uint64_t other_ns[2];
};

static void add_asked(struct asked_sums *sums, const struct obs_wait *row)
{
	if (row->reason == WAIT_ACCEPT || row->reason == WAIT_TTY)
		sums->asked_ns[row->via_event_loop] += row->wait_ns;
	else if (row->reason == WAIT_NETWORK || row->reason == WAIT_IPC)
		sums->other_ns[row->via_event_loop] += row->wait_ns;
}

void wait_roles_init(struct wait_roles *roles, const struct observation *obs, struct arena *arena)
{
	roles->obs = obs;
	process_index_init(&roles->index, obs, arena);
	roles->asked = arena_array(arena, obs->process_cnt, sizeof(*roles->asked));
	if (!roles->asked)
		roles->index.cnt = 0;
	for (size_t i = 0; i < obs->wait_cnt; i++) {
		size_t at = process_index_find(&roles->index, obs->waits[i].pid);

		if (at != NO_PROCESS)
			add_asked(&roles->asked[at], &obs->waits[i]);
	}
}

static bool is_socket(enum object_kind kind)
{
	return kind == OBJECT_TCP || kind == OBJECT_UDP || kind == OBJECT_UNIX ||
	       kind == OBJECT_SOCKET;
}

/* It listens, or what started it does: the helpers of a PostgreSQL, the workers of an nginx. */
static bool is_server(const struct wait_roles *roles, const struct obs_wait *row)
{
	const struct obs_process *process = process_index_get(&roles->index, row->pid), *parent;

	if (!process || process->listening_cnt)
		return process;
	parent = process->parent_pid ? process_index_get(&roles->index, process->parent_pid) : NULL;
	return parent && parent->listening_cnt && !process->is_exec;
}

/*
 * Whether the process of @row, which polls without our knowing for what, mostly waits for work
 * where that is known: a session of sshd, a backend of PostgreSQL that is observed by itself. Such
 * rows are few: the wait that was open at the beginning or at the end.
 */
static bool is_mostly_asked(const struct wait_roles *roles, const struct obs_wait *row)
{
	size_t at = process_index_find(&roles->index, row->pid);
	const struct asked_sums *sums = at == NO_PROCESS ? NULL : &roles->asked[at];

	return sums && sums->asked_ns[row->via_event_loop] > sums->other_ns[row->via_event_loop];
}

/*
 * A server that waits for requests with a timeout (redis's cron of 100 ms, a select loop of half
 * a second) is as idle when the timeout runs out as when a request comes. What it polls besides may
 * be what its own threads and processes wake it by: a pipe, an eventfd.
 */
static bool is_server_tick(const struct wait_roles *roles, const struct obs_wait *row)
{
	if (!row->timed_out)
		return false;
	/* The probes have looked: no client is among what the loop watches. */
	if (row->via_event_loop && row->kind == OBJECT_NONE)
		return false;
	if (!row->via_event_loop && row->kind != OBJECT_EPOLL && row->kind != OBJECT_PIPE &&
	    row->kind != OBJECT_ANON && !is_socket(row->kind))
		return false;
	return is_server(roles, row) || is_mostly_asked(roles, row);
}

static bool is_asked_of_us(const struct obs_wait *row)
{
	return row->direction == DIRECTION_INBOUND || row->direction == DIRECTION_LISTENING;
}

static bool is_one_of(const char *text, const char *const *list, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (!strcmp(text, list[i]))
			return true;
	return false;
}

#define IS_ONE_OF(text, list) is_one_of(text, list, sizeof(list) / sizeof((list)[0]))

/* A master process that sleeps until it is told something, a program that watches for changes of
 * files: nobody was asked. */
static bool is_for_notice(const struct obs_wait *row)
{
	static const char *const calls[] = { "pause", "rt_sigsuspend", "rt_sigtimedwait" };
	static const char *const files[] = { "signalfd", "inotify", "fanotify" };

	if (row->kind == OBJECT_SYSCALL)
		return IS_ONE_OF(row->name, calls);
	return row->kind == OBJECT_ANON && IS_ONE_OF(row->name, files);
}

static bool is_writing(const struct obs_wait *row)
{
	static const char *const calls[] = { "write",	 "writev", "pwrite64", "pwritev",
					     "pwritev2", "sendto", "sendmsg",  "sendmmsg",
					     "sendfile", "splice", "vmsplice" };

	return IS_ONE_OF(row->call, calls);
}

/* The process that @row's far end names, "postgres[812]", if it is of the tree: 812. */
static bool is_far_end_ours(const struct wait_roles *roles, const struct obs_wait *row)
{
	const char *number = strrchr(row->far_end, '[');
	char *end;
	long pid;

	if (!number)
		return false;
	pid = strtol(number + 1, &end, 10);
	return pid > 0 && *end == ']' && process_index_get(&roles->index, (pid_t)pid);
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
static enum wait_role poll_role(const struct wait_roles *roles, const struct obs_wait *row)
{
	if (is_asked_of_us(row))
		return WAITS_FOR_WORK;
	if (!row->via_event_loop && is_inside_tree(roles->obs, row))
		return WAITS_FOR_TREE;
	if (is_server(roles, row) || is_mostly_asked(roles, row))
		return WAITS_FOR_WORK;
	return row->timed_out ? WAITS_FOR_TIME : WAITS_FOR_RESULT;
}

/* Of a socket to another host or process. An inbound one at rest has the reason "accept": where it
 * has this one, its client is slow to take the answer. */
static enum wait_role network_role(const struct wait_roles *roles, const struct obs_wait *row)
{
	if (row->direction == DIRECTION_LISTENING)
		return WAITS_FOR_WORK;
	return is_far_end_ours(roles, row) ? WAITS_FOR_TREE : WAITS_FOR_RESULT;
}

static enum wait_role ipc_role(const struct wait_roles *roles, const struct obs_wait *row)
{
	if (is_for_notice(row) || row->direction == DIRECTION_LISTENING)
		return WAITS_FOR_WORK;
	if (is_inside_tree(roles->obs, row) || is_far_end_ours(roles, row))
		return WAITS_FOR_TREE;
	return is_server_tick(roles, row) ? WAITS_FOR_WORK : WAITS_FOR_RESULT;
}

/* What another thread or process of the tree ends, or in a server's loop nobody. */
static enum wait_role sync_role(const struct wait_roles *roles, const struct obs_wait *row)
{
	return row->kind == OBJECT_ANON && is_server_tick(roles, row) ? WAITS_FOR_WORK
								      : WAITS_FOR_TREE;
}

enum wait_role wait_role(const struct wait_roles *roles, const struct obs_wait *row)
{
	switch (row->reason) {
	case WAIT_ACCEPT:
		return WAITS_FOR_WORK;
	case WAIT_TTY: /* a terminal that is slow to take output is not idleness */
		return is_writing(row) ? WAITS_FOR_RESULT : WAITS_FOR_WORK;
	case WAIT_NETWORK:
		return network_role(roles, row);
	case WAIT_IPC:
		return ipc_role(roles, row);
	case WAIT_TIMER:
		return is_asked_of_us(row) || is_server_tick(roles, row) ? WAITS_FOR_WORK
									 : WAITS_FOR_TIME;
	case WAIT_POLL:
		return poll_role(roles, row);
	case WAIT_DISK:
	case WAIT_DEVICE:
	case WAIT_PAGING:
		return WAITS_FOR_RESULT;
	case WAIT_CHILD:
		return roles->obs->process_cnt > 1 ? WAITS_FOR_TREE : WAITS_FOR_RESULT;
	case WAIT_SYNC:
		return sync_role(roles, row);
	case WAIT_LOCK:
	case WAIT_GIL:
		return WAITS_FOR_TREE;
	default:
		return WAITS_FOR_OTHER;
	}
}

enum wait_role quiet_role(const struct wait_roles *roles, const struct obs_wait *row)
{
	enum wait_role role = wait_role(roles, row);

	if (role != WAITS_FOR_TREE)
		return role;
	if (row->reason == WAIT_NETWORK || row->reason == WAIT_IPC || row->reason == WAIT_POLL ||
	    row->reason == WAIT_CHILD)
		return row->timed_out ? WAITS_FOR_TIME : WAITS_FOR_RESULT;
	/* The GIL's 5 ms timeout is a poll by the waiter, not the cause of the holder's sleep. */
	return row->timed_out && row->reason != WAIT_GIL ? WAITS_FOR_TIME : WAITS_FOR_TREE;
}

bool is_unexplained(enum wait_reason reason, enum wait_role role, bool is_quiet)
{
	switch (reason) {
	case WAIT_OTHER:
		return true;
	case WAIT_POLL:
		return role == WAITS_FOR_RESULT;
	case WAIT_SYNC:
	case WAIT_GIL:
		return is_quiet && role == WAITS_FOR_TREE;
	default:
		return false;
	}
}
