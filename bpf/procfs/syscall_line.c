/* System calls that wait, and the line of /proc that names them; see syscall_line.h. */
#include "syscall_line.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

struct syscall_entry {
	const char *name;
	enum syscall_kind kind;
};

#define CALL(call, how) [SYS_##call] = { #call, how }

/* Calls that are not here are told by the thread's state: uninterruptible is the disk's, as in
 * open(), stat(), unlink() and the like. */
static const struct syscall_entry calls[] = {
	CALL(read, CALL_FD_READ),
	CALL(pread64, CALL_FD_READ),
	CALL(readv, CALL_FD_READ),
	CALL(preadv, CALL_FD_READ),
	CALL(preadv2, CALL_FD_READ),
	CALL(recvfrom, CALL_FD_READ),
	CALL(recvmsg, CALL_FD_READ),
	CALL(recvmmsg, CALL_FD_READ),
	CALL(accept, CALL_FD_READ),
	CALL(accept4, CALL_FD_READ),
	CALL(connect, CALL_FD_READ),
	CALL(getdents64, CALL_FD_READ),
	CALL(splice, CALL_FD_READ),
	CALL(ioctl, CALL_FD_READ),
	CALL(write, CALL_FD_WRITE),
	CALL(pwrite64, CALL_FD_WRITE),
	CALL(writev, CALL_FD_WRITE),
	CALL(pwritev, CALL_FD_WRITE),
	CALL(pwritev2, CALL_FD_WRITE),
	CALL(sendto, CALL_FD_WRITE),
	CALL(sendmsg, CALL_FD_WRITE),
	CALL(sendmmsg, CALL_FD_WRITE),
	CALL(sendfile, CALL_FD_WRITE),
	CALL(fsync, CALL_FD_WRITE),
	CALL(fdatasync, CALL_FD_WRITE),
	CALL(sync_file_range, CALL_FD_WRITE),
	CALL(syncfs, CALL_FD_WRITE),
	CALL(fallocate, CALL_FD_WRITE),
	CALL(ftruncate, CALL_FD_WRITE),
	CALL(flock, CALL_FILE_LOCK),
	CALL(fcntl, CALL_FILE_LOCK),
	CALL(futex, CALL_FUTEX),
#ifdef SYS_futex_waitv
	CALL(futex_waitv, CALL_SYNC),
#endif
	CALL(semop, CALL_SYNC),
	CALL(semtimedop, CALL_SYNC),
	CALL(nanosleep, CALL_SLEEP),
	CALL(clock_nanosleep, CALL_SLEEP),
	CALL(wait4, CALL_CHILD),
	CALL(waitid, CALL_CHILD),
	/* Waiting in these is vfork's, for the child's exec. */
	CALL(clone, CALL_CHILD),
#ifdef SYS_clone3
	CALL(clone3, CALL_CHILD),
#endif
#ifdef SYS_vfork
	CALL(vfork, CALL_CHILD),
	CALL(poll, CALL_POLL),
	CALL(select, CALL_SELECT),
	CALL(epoll_wait, CALL_EPOLL),
	CALL(pause, CALL_SIGNAL),
#endif
	CALL(ppoll, CALL_POLL),
	CALL(pselect6, CALL_SELECT),
	CALL(epoll_pwait, CALL_EPOLL),
#ifdef SYS_epoll_pwait2
	CALL(epoll_pwait2, CALL_EPOLL),
#endif
	CALL(io_uring_enter, CALL_RING),
	CALL(io_getevents, CALL_RING),
	CALL(msgrcv, CALL_IPC),
	CALL(msgsnd, CALL_IPC),
	CALL(mq_timedreceive, CALL_IPC),
	CALL(mq_timedsend, CALL_IPC),
	CALL(rt_sigsuspend, CALL_SIGNAL),
	CALL(rt_sigtimedwait, CALL_SIGNAL),
	CALL(mmap, CALL_MEMORY),
	CALL(munmap, CALL_MEMORY),
	CALL(mremap, CALL_MEMORY),
	CALL(mprotect, CALL_MEMORY),
	CALL(madvise, CALL_MEMORY),
	CALL(brk, CALL_MEMORY),
	CALL(restart_syscall, CALL_RESTART),
};

static const struct syscall_entry *find(long number)
{
	bool is_listed = number >= 0 && (size_t)number < sizeof(calls) / sizeof(calls[0]);

	return is_listed && calls[number].name ? &calls[number] : NULL;
}

enum syscall_kind syscall_kind_of(long number)
{
	const struct syscall_entry *entry = find(number);

	return entry ? entry->kind : CALL_UNKNOWN;
}

const char *syscall_name_of(long number)
{
	const struct syscall_entry *entry = find(number);

	return entry ? entry->name : NULL;
}

bool syscall_line_parse(const char *text, struct syscall_line *line)
{
	uint64_t *arg = line->arg;

	memset(line, 0, sizeof(*line));
	line->is_running = !strncmp(text, "running", 7);
	if (line->is_running)
		return true;

	int got = sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &line->number, &arg[0], &arg[1],
			 &arg[2], &arg[3], &arg[4], &arg[5]);

	return got == 1 + SYSCALL_ARG_CNT || (got >= 1 && line->number == -1);
}
