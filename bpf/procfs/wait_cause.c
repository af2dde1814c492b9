/* Tells why a thread waits; see wait_cause.h. */
#include "wait_cause.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "descriptor_cause.h"
#include "interest_set.h"
#include "proc_file.h"
#include "syscall_line.h"
#include "syscall_table.h"

/* glibc, musl, Go and Rust all mark a mutex that has waiters with 2. */
#define MUTEX_CONTENDED 2

static void unknown_cause(const struct wait_context *context, char state, long number,
			  struct wait_cause *cause)
{
	char text[32];
	const char *name = syscall_name(number);

	snprintf(text, sizeof(text), "syscall %ld", number);
	cause->kind = OBJECT_SYSCALL;
	cause->reason = state == 'D' ? WAIT_DISK : WAIT_OTHER;
	wait_cause_set_name(context, cause, name ? name : text);
}

static void futex_cause(const struct wait_context *context, const uint64_t *arg,
			struct wait_cause *cause)
{
	uint64_t address = arg[0];
	int op = (int)arg[1] & FUTEX_CMD_MASK;
	bool is_timed = arg[3] != 0;
	char name[32];

	cause->kind = OBJECT_FUTEX;
	cause->reason = WAIT_SYNC;
	if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 ||
	    ((op == FUTEX_WAIT || (op == FUTEX_WAIT_BITSET && !is_timed)) &&
	     (uint32_t)arg[2] == MUTEX_CONTENDED))
		cause->reason = WAIT_LOCK;
	if (address >= context->gil.start && address < context->gil.end)
		cause->reason = WAIT_GIL;
	if (cause->reason == WAIT_GIL)
		snprintf(name, sizeof(name), "GIL"); /* a wait for it may be on any word of it */
	else
		snprintf(name, sizeof(name), "0x%lx", address);
	wait_cause_set_name(context, cause, name);
}

static void timer_cause(struct wait_cause *cause)
{
	cause->reason = WAIT_TIMER;
	cause->timed_out = true;
}

static void poll_cause(const struct wait_context *context, const struct syscall_line *line,
		       struct wait_cause *cause)
{
	struct interest_set set;
	bool is_ppoll = !strcmp(syscall_name(line->number), "ppoll");
	bool has_timeout = is_ppoll ? line->arg[2] != 0 : (int)line->arg[2] >= 0;

	if (line->arg[1] == 0) {
		timer_cause(cause);
		return;
	}
	if (!interest_of_poll(context, line->arg[0], line->arg[1], &set))
		set.cnt = 0;
	if (set.cnt != 1 || !descriptor_cause(context, set.fd[0], set.is_write[0], cause))
		interest_cause(context, &set, has_timeout, cause);
}

static void select_cause(const struct wait_context *context, const struct syscall_line *line,
			 struct wait_cause *cause)
{
	struct interest_set set;

	if (!interest_of_select(context, line->arg[0], line->arg[1], line->arg[2], &set))
		set.cnt = 0;
	if (line->arg[0] == 0 || (!line->arg[1] && !line->arg[2] && !line->arg[3])) {
		timer_cause(cause);
		return;
	}
	if (set.cnt != 1 || !descriptor_cause(context, set.fd[0], set.is_write[0], cause))
		interest_cause(context, &set, line->arg[4] != 0, cause);
}

static void epoll_cause(const struct wait_context *context, const struct syscall_line *line,
			struct wait_cause *cause)
{
	struct interest_set set;
	bool is_pointer = !strcmp(syscall_name(line->number), "epoll_pwait2");
	bool has_timeout = is_pointer ? line->arg[3] != 0 : (int)line->arg[3] >= 0;

	if (!interest_of_epoll(context, (int)line->arg[0], &set))
		set.cnt = 0;
	interest_cause(context, &set, has_timeout, cause);
	cause->via_event_loop = true;
}

static void ring_cause(const struct wait_context *context, struct wait_cause *cause)
{
	struct interest_set set;

	if (!interest_of_all(context, &set))
		set.cnt = 0;
	interest_cause(context, &set, false, cause);
	cause->via_event_loop = true;
}

static void event_loop_cause(const struct wait_context *context, const struct syscall_line *line,
			     struct wait_cause *cause)
{
	if (line->number == SYS_io_uring_enter || line->number == SYS_io_getevents)
		ring_cause(context, cause);
	else
		epoll_cause(context, line, cause);
}

static void simple_cause(const struct wait_context *context, enum wait_reason reason, long number,
			 struct wait_cause *cause)
{
	cause->reason = reason;
	cause->kind = OBJECT_SYSCALL;
	wait_cause_set_name(context, cause, syscall_name(number));
}

static void child_cause(struct wait_cause *cause)
{
	cause->reason = WAIT_CHILD;
	cause->kind = OBJECT_CHILD;
}

/* Unless it is vfork's, for the child's exec, the wait is for the copy of the address space. */
static void clone_cause(const struct wait_context *context, const struct syscall_line *line,
			struct wait_cause *cause)
{
	if (line->arg[0] & CLONE_VFORK)
		child_cause(cause);
	else
		simple_cause(context, WAIT_PAGING, line->number, cause);
}

static void call_cause(const struct wait_context *context, char state,
		       const struct syscall_line *line, struct wait_cause *cause)
{
	enum syscall_wait how = syscall_wait_of(line->number);

	switch (how) {
	case CALL_FD:
	case CALL_FD_WRITE:
	case CALL_FILE_LOCK:
		if (!descriptor_cause(context, (int)line->arg[0], how == CALL_FD_WRITE, cause))
			unknown_cause(context, state, line->number, cause);
		if (how == CALL_FILE_LOCK)
			cause->reason = WAIT_LOCK;
		return;
	case CALL_FUTEX:
		futex_cause(context, line->arg, cause);
		return;
	case CALL_SLEEP:
		timer_cause(cause);
		return;
	case CALL_CLONE:
		clone_cause(context, line, cause);
		return;
	case CALL_CHILD:
		child_cause(cause);
		return;
	case CALL_POLL:
		poll_cause(context, line, cause);
		return;
	case CALL_SELECT:
		select_cause(context, line, cause);
		return;
	case CALL_EVENT_LOOP:
		event_loop_cause(context, line, cause);
		return;
	case CALL_FUTEX_WAITV:
		simple_cause(context, WAIT_SYNC, line->number, cause);
		return;
	case CALL_SIGNAL:
		cause->is_internal = true; /* mostly of a child's end, or of nothing at all */
		simple_cause(context, WAIT_IPC, line->number, cause);
		return;
	case CALL_IPC:
	case CALL_QUEUE:
		simple_cause(context, WAIT_IPC, line->number, cause);
		return;
	case CALL_MEMORY:
		simple_cause(context, WAIT_PAGING, line->number, cause);
		return;
	default:
		unknown_cause(context, state, line->number, cause);
	}
}

/* The flags that descriptor @fd was opened with; 0 if they can't be read. */
static unsigned int open_flags(const struct wait_context *context, int fd)
{
	char name[32], text[512];
	unsigned int flags = 0;
	const char *line;

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	if (proc_file_read(context->tid, name, text, sizeof(text)) <= 0)
		return 0;
	line = strstr(text, "flags:");
	return line && sscanf(line, "flags: %o", &flags) == 1 ? flags : 0;
}

static enum wait_operation disk_operation(const struct wait_context *context,
					  const struct syscall_line *line, enum object_kind kind)
{
	enum wait_operation operation = syscall_operation(line->number);
	unsigned int flags;

	if (operation != OPERATION_READ && operation != OPERATION_WRITE)
		return operation;
	if (kind != OBJECT_FILE && kind != OBJECT_BLOCK)
		return operation;
	flags = open_flags(context, (int)line->arg[0]);
	if (flags & O_DIRECT)
		return OPERATION_DIRECT;
	return operation == OPERATION_WRITE && flags & O_DSYNC ? OPERATION_SYNC : operation;
}

void wait_cause_of_syscall(const struct wait_context *context, char state,
			   const struct syscall_line *line, const struct wait_cause *before,
			   struct wait_cause *cause)
{
	if (syscall_wait_of(line->number) == CALL_RESTART && before->name) {
		*cause = *before;
		return;
	}
	*cause = (struct wait_cause){ .reason = WAIT_OTHER, .name = "" };
	if (state == 'T' || state == 't')
		cause->reason = WAIT_STOPPED;
	else if (line->number < 0)
		cause->reason = state == 'D' ? WAIT_PAGING : WAIT_OTHER;
	else
		call_cause(context, state, line, cause);
	if (cause->reason == WAIT_DISK && line->number >= 0)
		cause->operation = disk_operation(context, line, cause->kind);
}

/* Parts of the names of the kernel functions that threads sleep in, 4.18 to 6.18. */
static const struct sleep_place {
	const char *part;
	enum wait_reason reason;
	enum object_kind kind;
	bool is_event_loop;
} sleep_places[] = {
	{ "futex", WAIT_SYNC, OBJECT_FUTEX, false },
	{ "nanosleep", WAIT_TIMER, OBJECT_NONE, false },
	{ "do_wait", WAIT_CHILD, OBJECT_CHILD, false },
	{ "kernel_wait", WAIT_CHILD, OBJECT_CHILD, false },
	{ "accept", WAIT_ACCEPT, OBJECT_TCP, false },
	{ "ep_poll", WAIT_POLL, OBJECT_EPOLL, true },
	{ "epoll", WAIT_POLL, OBJECT_EPOLL, true },
	{ "poll_schedule", WAIT_POLL, OBJECT_EPOLL, false },
	{ "pipe", WAIT_IPC, OBJECT_PIPE, false },
	{ "unix_", WAIT_IPC, OBJECT_UNIX, false },
	{ "tcp_", WAIT_NETWORK, OBJECT_TCP, false },
	{ "inet_", WAIT_NETWORK, OBJECT_TCP, false },
	{ "sk_", WAIT_NETWORK, OBJECT_SOCKET, false },
	{ "skb_", WAIT_NETWORK, OBJECT_SOCKET, false },
	{ "n_tty", WAIT_TTY, OBJECT_TTY, false },
	{ "sigsuspend", WAIT_IPC, OBJECT_NONE, false },
	{ "sigtimedwait", WAIT_IPC, OBJECT_NONE, false },
	{ "rwsem", WAIT_LOCK, OBJECT_NONE, false },
	{ "eventfd", WAIT_SYNC, OBJECT_ANON, false },
};

void wait_cause_of_wchan(const struct wait_context *context, char state, const char *wchan,
			 struct wait_cause *cause)
{
	*cause = (struct wait_cause){ .reason = WAIT_OTHER, .name = "" };
	if (state == 'T' || state == 't') {
		cause->reason = WAIT_STOPPED;
		return;
	}
	for (size_t i = 0; i < sizeof(sleep_places) / sizeof(sleep_places[0]); i++) {
		if (!strstr(wchan, sleep_places[i].part))
			continue;
		cause->reason = sleep_places[i].reason;
		cause->kind = sleep_places[i].kind;
		cause->via_event_loop = sleep_places[i].is_event_loop;
		cause->timed_out = cause->reason == WAIT_TIMER;
		return;
	}
	if (state == 'D')
		cause->reason = WAIT_DISK;
	if (*wchan && strcmp(wchan, "0"))
		wait_cause_set_name(context, cause, wchan);
	cause->kind = *cause->name ? OBJECT_SYSCALL : OBJECT_NONE;
}

int wait_cause_rank(const struct wait_cause *cause)
{
	static const int ranks[WAIT_REASON_CNT] = {
		[WAIT_NETWORK] = 9, [WAIT_DISK] = 9,	[WAIT_PAGING] = 9, [WAIT_DEVICE] = 9,
		[WAIT_IPC] = 8,	    [WAIT_TIMER] = 6,	[WAIT_POLL] = 5,   [WAIT_ACCEPT] = 4,
		[WAIT_TTY] = 4,	    [WAIT_LOCK] = 3,	[WAIT_GIL] = 3,	   [WAIT_SYNC] = 2,
		[WAIT_CHILD] = 2,   [WAIT_STOPPED] = 1, [WAIT_OTHER] = 1,
	};

	return cause->is_internal ? ranks[WAIT_SYNC] : ranks[cause->reason];
}
