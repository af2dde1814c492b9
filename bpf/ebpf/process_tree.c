/* The processes of the tree: bookkeeping, and when to inspect which. */
#include "process_tree.h"
#include "clock.h"
#include "observation/observation.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS 1000000ull

/*
 * When to look at a process after its birth or exec: soon, because it may not live long; again
 * while its runtime starts up; then now and then, because descriptors come and go. What is told
 * too late loses nothing: waits on futexes are kept apart by thread until the GIL is known.
 */
static const uint64_t inspect_after_ns[] = {
	PROCESS_TREE_FIRST_LOOK_NS, 20 * MS_NS, 60 * MS_NS, 200 * MS_NS, 600 * MS_NS, 2000 * MS_NS
};
#define INSPECT_STEP_CNT (sizeof(inspect_after_ns) / sizeof(inspect_after_ns[0]))
/* Of the time, inspecting again may take this share, as the inverse; and one call about this long,
 * because events are waiting. */
#define COST_INVERSE	    50
#define INSPECT_CALL_MAX_NS (20 * MS_NS)
/* A CPython is mapped and set up within this many looks, or there is none. */
#define SETTLE_INSPECT_CNT 3

void process_tree_init(struct process_tree *tree, struct observation *obs,
		       const struct tree_listener *listener)
{
	memset(tree, 0, sizeof(*tree));
	tree->obs = obs;
	tree->listener = *listener;
	tree->listeners.port_found = listener->port_found;
	tree->listeners.context = listener->context;
}

void process_tree_release(struct process_tree *tree)
{
	free(tree->processes);
	pid_table_release(&tree->by_pid);
	net_listeners_release(&tree->listeners);
	memset(tree, 0, sizeof(*tree));
}

static const char *intern(struct process_tree *tree, const char *text)
{
	const char *copy = observation_intern(tree->obs, text, strlen(text));

	return copy ? copy : "";
}

static long process_tree_find_live(const struct process_tree *tree, pid_t pid)
{
	long index = pid_table_find(&tree->by_pid, pid);

	return index >= 0 && tree->processes[index].is_live ? index : -1;
}

static int process_tree_reserve(struct process_tree *tree)
{
	size_t need = tree->obs->process_cnt + 1;
	struct tree_process *grown;
	size_t capacity;

	if (need <= tree->capacity)
		return 0;
	capacity = tree->capacity ? tree->capacity * 2 : 64;
	grown = realloc(tree->processes, capacity * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	tree->processes = grown;
	tree->capacity = capacity;
	return 0;
}

static long process_tree_add(struct process_tree *tree, pid_t pid, pid_t parent_pid,
			     const char *comm, uint64_t at_ns)
{
	struct obs_process *process;
	size_t index;

	if (process_tree_reserve(tree))
		return -ENOMEM;
	process = observation_add_process(tree->obs);
	if (!process)
		return -ENOMEM;
	index = tree->obs->process_cnt - 1;
	process->pid = pid;
	process->parent_pid = parent_pid;
	process->comm = intern(tree, comm);
	process->exe = process->command = "";
	process->start_ns = at_ns;
	memset(&tree->processes[index], 0, sizeof(tree->processes[index]));
	tree->processes[index].is_live = true;
	tree->processes[index].inspect_at_ns = at_ns + inspect_after_ns[0];
	if (pid_table_put(&tree->by_pid, pid, index))
		return -ENOMEM;
	return (long)index;
}

/* A forked process is its parent's twin until it runs exec: same file, same addresses. Its
 * modules it is asked for itself: each process owns its list. */
static void inherit(struct process_tree *tree, size_t child, size_t parent)
{
	struct obs_process *to = &tree->obs->processes[child];
	const struct obs_process *from = &tree->obs->processes[parent];

	to->exe = from->exe;
	to->command = from->command;
	to->toolchain = from->toolchain;
	to->has_event_loop = false; /* the descriptor is inherited, the loop is not */
	to->python_hexversion = from->python_hexversion;
	to->gil_is_known = from->gil_is_known;
	to->is_free_threaded = from->is_free_threaded;
	tree->processes[child].gil = tree->processes[parent].gil;
	tree->processes[child].is_settled = tree->processes[parent].is_settled;
	if (tree->processes[child].is_settled)
		tree->listener.gil_found(tree->listener.context, to->pid,
					 &tree->processes[child].gil);
}

int process_tree_born(struct process_tree *tree, pid_t pid, pid_t tid, pid_t parent_pid,
		      const char *comm, uint64_t at_ns)
{
	long parent, child = process_tree_find_live(tree, pid);

	if (child >= 0 && tid != pid) {
		/* A thread: whether there is a GIL matters from now on. */
		if (!tree->processes[child].is_settled)
			tree->processes[child].inspect_at_ns = at_ns;
		return 0;
	}
	if (child >= 0)
		process_tree_leader_died(tree, pid); /* the number came round */
	parent = parent_pid ? pid_table_find(&tree->by_pid, parent_pid) : -1;
	child = process_tree_add(tree, pid, parent_pid, comm, at_ns);
	if (child < 0)
		return (int)child;
	if (parent >= 0)
		inherit(tree, (size_t)child, (size_t)parent);
	return 0;
}

int process_tree_exec(struct process_tree *tree, pid_t pid, const char *comm, const char *exe,
		      uint64_t at_ns)
{
	long index = pid_table_find(&tree->by_pid, pid);
	struct obs_process *process;

	if (index < 0)
		index = process_tree_add(tree, pid, 0, comm, at_ns);
	if (index < 0)
		return (int)index;
	process = &tree->obs->processes[index];
	process->comm = intern(tree, comm);
	process->exe = intern(tree, exe);
	process->command = process->toolchain = "";
	process->is_exec = true;
	process->has_event_loop = false;
	process->listening_cnt = 0;
	process->python_hexversion = 0;
	process->gil_is_known = process->is_free_threaded = false;
	memset(&tree->processes[index], 0, sizeof(tree->processes[index]));
	tree->processes[index].is_live = true;
	process->exited = false;
	tree->processes[index].inspect_at_ns = at_ns + inspect_after_ns[0];
	if ((size_t)index < tree->first_live)
		tree->first_live = (size_t)index;
	return 0;
}

void process_tree_leader_died(struct process_tree *tree, pid_t pid)
{
	long index = process_tree_find_live(tree, pid);

	if (index >= 0) {
		tree->processes[index].is_live = false;
		tree->obs->processes[index].exited = true;
	}
	while (tree->first_live < tree->obs->process_cnt &&
	       !tree->processes[tree->first_live].is_live)
		tree->first_live++;
}

static void inspect_sockets(struct process_tree *tree, struct obs_process *process)
{
	bool had_event_loop = process->has_event_loop;

	inspect_descriptors(process, &tree->listeners);
	process->has_event_loop |= had_event_loop;
}

static void inspect_one(struct process_tree *tree, size_t index, uint64_t now_ns)
{
	struct obs_process *process = &tree->obs->processes[index];
	struct tree_process *known = &tree->processes[index];
	size_t step = known->inspect_cnt++;
	struct gil_range before;
	bool is_settled;

	if (step >= INSPECT_STEP_CNT)
		step = INSPECT_STEP_CNT - 1;
	known->inspect_at_ns = now_ns + inspect_after_ns[step];
	before = known->gil;
	if (inspect_process(tree->obs, process, &known->gil) == -ESRCH)
		return;
	inspect_sockets(tree, process);
	if (tree->listener.inspected)
		tree->listener.inspected(tree->listener.context, process->pid);
	/* No CPython after a while: there is no GIL to tell from other locks. */
	is_settled = process->gil_is_known || known->inspect_cnt >= SETTLE_INSPECT_CNT;
	if ((is_settled && !known->is_settled) || known->gil.start != before.start)
		tree->listener.gil_found(tree->listener.context, process->pid, &known->gil);
	known->is_settled |= is_settled;
}

/* Thousands of processes are looked at again less often. */
static void spread_looks(struct process_tree *tree, size_t index, uint64_t took_ns, uint64_t now_ns)
{
	struct tree_process *known = &tree->processes[index];
	uint64_t pause_ns;

	tree->inspect_cost_ns = (7 * tree->inspect_cost_ns + took_ns) / 8;
	pause_ns = tree->live_cnt * tree->inspect_cost_ns * COST_INVERSE;
	if (known->inspect_cnt > SETTLE_INSPECT_CNT && known->inspect_at_ns < now_ns + pause_ns)
		known->inspect_at_ns = now_ns + pause_ns;
}

void process_tree_inspect_due(struct process_tree *tree, uint64_t now_ns)
{
	uint64_t began_ns = clock_ns(CLOCK_MONOTONIC), before_ns = began_ns, after_ns, live_cnt = 0;
	size_t i = tree->resume_at > tree->first_live ? tree->resume_at : tree->first_live;

	for (; i < tree->obs->process_cnt; i++) {
		live_cnt += tree->processes[i].is_live;
		if (!tree->processes[i].is_live || tree->processes[i].inspect_at_ns > now_ns)
			continue;
		inspect_one(tree, i, now_ns);
		after_ns = clock_ns(CLOCK_MONOTONIC);
		spread_looks(tree, i, after_ns - before_ns, now_ns);
		before_ns = after_ns;
		if (after_ns - began_ns > INSPECT_CALL_MAX_NS) {
			tree->resume_at = i + 1;
			return;
		}
	}
	if (!tree->resume_at)
		tree->live_cnt = live_cnt;
	tree->resume_at = 0;
}

bool process_tree_knows(const struct process_tree *tree, pid_t pid)
{
	return pid_table_find(&tree->by_pid, pid) >= 0;
}

bool process_tree_has(const struct process_tree *tree, pid_t pid)
{
	return process_tree_find_live(tree, pid) >= 0;
}

const struct obs_process *process_tree_get(const struct process_tree *tree, pid_t pid)
{
	long index = pid_table_find(&tree->by_pid, pid);

	return index < 0 ? NULL : &tree->obs->processes[index];
}

struct gil_range process_tree_gil(const struct process_tree *tree, pid_t pid)
{
	long index = pid_table_find(&tree->by_pid, pid);

	return index < 0 ? (struct gil_range){ 0 } : tree->processes[index].gil;
}
