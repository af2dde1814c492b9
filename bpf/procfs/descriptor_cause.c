/* Looks at one descriptor of the target; see descriptor_cause.h. */
#include "descriptor_cause.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "proc_file.h"
#include "socket_index.h"
#include "wait_cause.h"

#define ANON_PREFIX "anon_inode:"

/* What each anonymous file is for; the kernel writes some names with brackets, some without. */
static const struct anon_kind {
	const char *name;
	enum wait_reason reason;
} anon_kinds[] = {
	{ "eventfd", WAIT_SYNC },   { "timerfd", WAIT_TIMER }, { "signalfd", WAIT_IPC },
	{ "inotify", WAIT_IPC },    { "fanotify", WAIT_IPC },  { "pidfd", WAIT_CHILD },
	{ "eventpoll", WAIT_POLL }, { "io_uring", WAIT_POLL },
};

void wait_cause_set_name(const struct wait_context *context, struct wait_cause *cause,
			 const char *name)
{
	const char *copy = observation_intern(context->obs, name, strlen(name));

	cause->name = copy ? copy : "";
}

/*
 * A connection that is too new for the tables is taken for what the last one that was known was:
 * the connections of a process are mostly of one kind.
 */
static void guess_socket(const struct wait_context *context, struct wait_cause *cause)
{
	const struct wait_cause *last = context->last_socket;

	cause->is_provisional = true;
	if (!last->name || last->kind != cause->kind)
		return;
	cause->direction = last->direction;
	cause->name = last->name;
}

/* Sockets of other families are named by their protocol. */
static enum wait_reason other_socket_reason(const struct socket_facts *facts)
{
	if (!facts->is_known)
		return WAIT_OTHER;
	return !strncmp(facts->name, "NETLINK", strlen("NETLINK")) ? WAIT_IPC : WAIT_NETWORK;
}

static void socket_cause(const struct wait_context *context, int fd, uint64_t inode,
			 struct wait_cause *cause)
{
	struct socket_facts facts;

	socket_index_find(context->sockets, context->tid, fd, inode, context->now_ns, &facts);
	cause->kind = facts.kind;
	cause->direction = facts.direction;
	wait_cause_set_name(context, cause, facts.name);
	if (!facts.is_known)
		guess_socket(context, cause);
	else if (facts.direction == DIRECTION_INBOUND || facts.direction == DIRECTION_OUTBOUND)
		*context->last_socket = *cause;
	cause->reason = facts.kind == OBJECT_UNIX     ? WAIT_IPC
			: facts.kind == OBJECT_SOCKET ? other_socket_reason(&facts)
						      : WAIT_NETWORK;
	/* To read from what was accepted is to wait for work; to write to it is not. */
	if (cause->direction == DIRECTION_LISTENING ||
	    (cause->direction == DIRECTION_INBOUND && !cause->is_write))
		cause->reason = WAIT_ACCEPT;
}

static void anon_cause(const struct wait_context *context, const char *name,
		       struct wait_cause *cause)
{
	const char *bare = name + (*name == '[');

	cause->kind = OBJECT_ANON;
	cause->reason = WAIT_OTHER;
	for (size_t i = 0; i < sizeof(anon_kinds) / sizeof(anon_kinds[0]); i++)
		if (!strncmp(bare, anon_kinds[i].name, strlen(anon_kinds[i].name)))
			cause->reason = anon_kinds[i].reason;
	wait_cause_set_name(context, cause, name);
}

/* Majors of terminals: 4 tty, 5 /dev/tty and console, 136 to 143 pseudo-terminals. */
static bool is_tty(const struct statx *status)
{
	uint32_t device = status->stx_rdev_major;

	return device == 4 || device == 5 || (device >= 136 && device <= 143);
}

static void path_cause(const struct wait_context *context, int fd, const char *path,
		       struct wait_cause *cause)
{
	char link[64];
	struct statx status = { .stx_mode = S_IFREG };
	struct device_number device;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)context->tid, fd);
	/* A network file system that hangs must not take us with it: no questions to servers. */
	statx(AT_FDCWD, link, AT_STATX_DONT_SYNC, STATX_TYPE, &status);
	device = (struct device_number){ status.stx_dev_major, status.stx_dev_minor };
	cause->reason = WAIT_DISK;
	cause->kind = OBJECT_FILE;
	wait_cause_set_name(context, cause, path);
	switch (status.stx_mode & S_IFMT) {
	case S_IFIFO:
		cause->reason = WAIT_IPC;
		cause->kind = OBJECT_PIPE;
		return;
	case S_IFCHR:
		cause->reason = is_tty(&status) ? WAIT_TTY : WAIT_DEVICE;
		cause->kind = is_tty(&status) ? OBJECT_TTY : OBJECT_DEVICE;
		return;
	case S_IFDIR:
		cause->kind = OBJECT_DIRECTORY;
		break;
	case S_IFBLK:
		cause->kind = OBJECT_BLOCK;
		return;
	}
	cause->device = device;
}

bool descriptor_cause(const struct wait_context *context, int fd, bool is_write,
		      struct wait_cause *cause)
{
	char name[32], link[4096];
	uint64_t inode;

	/* By thread, not by process: the descriptors of a main thread that has ended are gone. */
	snprintf(name, sizeof(name), "fd/%d", fd);
	if (fd < 0 || proc_file_readlink(context->tid, name, link, sizeof(link)) <= 0)
		return false;
	cause->is_write = is_write;
	if (sscanf(link, "socket:[%lu]", &inode) == 1) {
		socket_cause(context, fd, inode, cause);
	} else if (!strncmp(link, "pipe:[", 6)) {
		cause->reason = WAIT_IPC;
		cause->kind = OBJECT_PIPE;
		wait_cause_set_name(context, cause, link);
	} else if (!strncmp(link, ANON_PREFIX, strlen(ANON_PREFIX))) {
		anon_cause(context, link + strlen(ANON_PREFIX), cause);
	} else {
		path_cause(context, fd, link, cause);
	}
	return true;
}
