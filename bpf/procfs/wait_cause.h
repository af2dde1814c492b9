/*
 * Why a blocked thread waits: the reason and the object, told from its system call, its state and
 * the descriptors it waits on.
 */
#ifndef CLASSIFY_WAIT_CAUSE_H
#define CLASSIFY_WAIT_CAUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "device_name.h"
#include "inspect.h"
#include "observation/observation.h"

struct socket_index;
struct syscall_line;

struct wait_cause {
	enum wait_reason reason;
	enum object_kind kind;
	enum wait_direction direction;
	const char *name; /* interned */
	enum wait_operation operation;
	struct device_number device; /* that holds the file; 0, 0: none */
	bool via_event_loop;
	bool timed_out;
	bool is_write;
	bool is_provisional; /* its socket is not known yet: ask again */
	bool is_internal;    /* the other end is in the tree, or it waits for a signal */
};

/* Where a thread is asked for, and what helps to tell. */
struct wait_context {
	struct observation *obs; /* names are interned here */
	struct socket_index *sockets;
	uint64_t now_ns;
	struct wait_cause *last_socket; /* of the process: the best guess for an unknown one */
	pid_t pid;
	pid_t tid;
	struct gil_range gil;
};

/*
 * Fills @cause for a thread in state @state ("S", "D", "T", ... of /proc/PID/stat) that is blocked
 * in @line. @before is what it waited for last; a restarted call goes on with it.
 */
void wait_cause_of_syscall(const struct wait_context *context, char state,
			   const struct syscall_line *line, const struct wait_cause *before,
			   struct wait_cause *cause);

/* The same when the system call may not be read: by the kernel function the thread sleeps in
 * (@wchan, "" or "0" when that is hidden, too). Objects stay unknown. */
void wait_cause_of_wchan(const struct wait_context *context, char state, const char *wchan,
			 struct wait_cause *cause);

/*
 * How likely a wait is the reason that the whole tree is quiet: those for something outside come
 * before sleeps, sleeps before waiting for new work, and that before waits inside the tree.
 */
int wait_cause_rank(const struct wait_cause *cause);

#endif
