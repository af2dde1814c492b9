/* The names under which enums are stored and printed: contract, never renamed. */
#include "observation/names.h"

#include <string.h>

#include "observation/observation.h"

#define NAME_TABLE(array)                                 \
	{                                                 \
		array, sizeof(array) / sizeof((array)[0]) \
	}

static const char *const reasons[WAIT_REASON_CNT] = {
	[WAIT_NETWORK] = "network", [WAIT_DISK] = "disk",	[WAIT_IPC] = "ipc",
	[WAIT_LOCK] = "lock",	    [WAIT_GIL] = "gil",		[WAIT_SYNC] = "sync",
	[WAIT_CHILD] = "child",	    [WAIT_TIMER] = "timer",	[WAIT_ACCEPT] = "accept",
	[WAIT_POLL] = "poll",	    [WAIT_TTY] = "tty",		[WAIT_DEVICE] = "device",
	[WAIT_PAGING] = "paging",   [WAIT_STOPPED] = "stopped", [WAIT_OTHER] = "other",
};

static const char *const kinds[OBJECT_KIND_CNT] = {
	[OBJECT_NONE] = "none",
	[OBJECT_TCP] = "tcp",
	[OBJECT_UDP] = "udp",
	[OBJECT_UNIX] = "unix",
	[OBJECT_SOCKET] = "socket",
	[OBJECT_PIPE] = "pipe",
	[OBJECT_FILE] = "file",
	[OBJECT_DIRECTORY] = "directory",
	[OBJECT_BLOCK] = "block",
	[OBJECT_TTY] = "tty",
	[OBJECT_DEVICE] = "device",
	[OBJECT_ANON] = "anon",
	[OBJECT_FUTEX] = "futex",
	[OBJECT_CHILD] = "child",
	[OBJECT_EPOLL] = "epoll",
	[OBJECT_SYSCALL] = "syscall",
	[OBJECT_MUTEX] = "mutex",
	[OBJECT_CONDITION] = "condition",
	[OBJECT_SEMAPHORE] = "semaphore",
	[OBJECT_RWLOCK] = "rwlock",
	[OBJECT_JOIN] = "join",
};

static const char *const operations[OPERATION_CNT] = {
	[OPERATION_NONE] = "none",	     [OPERATION_READ] = "read",
	[OPERATION_WRITE] = "write",	     [OPERATION_DIRECT] = "direct",
	[OPERATION_SYNC] = "sync",	     [OPERATION_METADATA] = "metadata",
	[OPERATION_THROTTLED] = "throttled", [OPERATION_FAULT] = "fault",
	[OPERATION_SWAP] = "swap",
};

static const char *const directions[DIRECTION_CNT] = {
	[DIRECTION_NONE] = "none",
	[DIRECTION_LISTENING] = "listening",
	[DIRECTION_INBOUND] = "inbound",
	[DIRECTION_OUTBOUND] = "outbound",
};

static const char *const languages[LANGUAGE_CNT] = {
	[LANGUAGE_UNKNOWN] = "unknown", [LANGUAGE_C] = "c",	      [LANGUAGE_CPP] = "c++",
	[LANGUAGE_RUST] = "rust",	[LANGUAGE_GO] = "go",	      [LANGUAGE_PYTHON] = "python",
	[LANGUAGE_JIT] = "jit",		[LANGUAGE_KERNEL] = "kernel",
};

static const char *const sources[] = { [SOURCE_EBPF] = "ebpf", [SOURCE_PROCFS] = "procfs" };
static const char *const modes[] = { [TARGET_WRAP] = "wrap", [TARGET_ATTACH] = "attach" };

const struct name_table wait_reason_names = NAME_TABLE(reasons);
const struct name_table object_kind_names = NAME_TABLE(kinds);
const struct name_table wait_direction_names = NAME_TABLE(directions);
const struct name_table wait_operation_names = NAME_TABLE(operations);
const struct name_table frame_language_names = NAME_TABLE(languages);
const struct name_table observation_source_names = NAME_TABLE(sources);
const struct name_table target_mode_names = NAME_TABLE(modes);

const char *name_table_name(const struct name_table *table, int number)
{
	return number >= 0 && number < table->cnt ? table->names[number] : "unknown";
}

int name_table_parse(const struct name_table *table, const char *name)
{
	for (int number = 0; number < table->cnt; number++)
		if (strcmp(table->names[number], name) == 0)
			return number;
	return -1;
}

const char *wait_reason_name(enum wait_reason reason)
{
	return name_table_name(&wait_reason_names, (int)reason);
}

int wait_reason_parse(const char *name)
{
	return name_table_parse(&wait_reason_names, name);
}

const char *object_kind_name(enum object_kind kind)
{
	return name_table_name(&object_kind_names, (int)kind);
}

int object_kind_parse(const char *name)
{
	return name_table_parse(&object_kind_names, name);
}

const char *wait_direction_name(enum wait_direction direction)
{
	return name_table_name(&wait_direction_names, (int)direction);
}

int wait_direction_parse(const char *name)
{
	return name_table_parse(&wait_direction_names, name);
}

const char *wait_operation_name(enum wait_operation operation)
{
	return name_table_name(&wait_operation_names, (int)operation);
}

const char *frame_language_name(enum frame_language language)
{
	return name_table_name(&frame_language_names, (int)language);
}
