/*
 * The processes of the tree as the user side knows them: born, run exec, inspected through /proc,
 * gone. Built straight into the observation's array of processes.
 */
#ifndef CLASSIFY_PROCESS_TREE_H
#define CLASSIFY_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "inspect.h"
#include "net_listeners.h"
#include "pid_table.h"

struct observation;
struct obs_process;

/* A process is inspected for the first time this long after its birth or exec. */
#define PROCESS_TREE_FIRST_LOOK_NS 2000000ull

/* What is known of obs->processes[i] beside what the observation holds. */
struct tree_process {
	struct gil_range gil;
	bool is_settled; /* its GIL is known, or known not to exist */
	bool is_live;
	uint32_t inspect_cnt;
	uint64_t inspect_at_ns; /* when to look (again) */
};

/* What the tree learns that the probes want to know; called from process_tree_inspect_due. */
struct tree_listener {
	void (*gil_found)(void *context, pid_t pid, const struct gil_range *gil);
	/* Somebody listens on @port in the network namespace @netns. */
	void (*port_found)(void *context, uint32_t netns, uint16_t port);
	void *context;
	void (*inspected)(void *context, pid_t pid); /* it is alive; or NULL */
};

struct process_tree {
	struct observation *obs;
	struct tree_listener listener;
	struct net_listeners listeners;
	struct tree_process *processes; /* parallel to obs->processes */
	size_t capacity;
	/* Numbers come round: the youngest process of a number is the one that is meant. */
	struct pid_table by_pid;
	size_t first_live; /* all before it are gone */
	size_t resume_at;  /* where the last round of inspections broke off; 0: it was complete */
	uint64_t live_cnt; /* as of the last complete round */
	uint64_t inspect_cost_ns; /* of one, on average */
};

void process_tree_init(struct process_tree *tree, struct observation *obs,
		       const struct tree_listener *listener);
void process_tree_release(struct process_tree *tree);

/* A process or thread @tid of process @pid was born of @parent_pid (0: not known) at @at_ns, since
 * the beginning of the observation. Returns 0 or -ENOMEM. */
int process_tree_born(struct process_tree *tree, pid_t pid, pid_t tid, pid_t parent_pid,
		      const char *comm, uint64_t at_ns);

/* @pid now runs the file @exe. Returns 0 or -ENOMEM. */
int process_tree_exec(struct process_tree *tree, pid_t pid, const char *comm, const char *exe,
		      uint64_t at_ns);

/* The leader of @pid died: it can't be inspected any more. */
void process_tree_leader_died(struct process_tree *tree, pid_t pid);

/* Inspects the processes whose turn it is; those that time doesn't suffice for, in the next call.
 */
void process_tree_inspect_due(struct process_tree *tree, uint64_t now_ns);

/* Whether a process @pid was ever heard of. */
bool process_tree_knows(const struct process_tree *tree, pid_t pid);

/* Whether a process @pid is known that has not died. */
bool process_tree_has(const struct process_tree *tree, pid_t pid);

/* The process @pid, or NULL; good until the next event. */
const struct obs_process *process_tree_get(const struct process_tree *tree, pid_t pid);

/* The range of @pid's GIL words; {0, 0} when there is none or it isn't known. */
struct gil_range process_tree_gil(const struct process_tree *tree, pid_t pid);

#endif
