/* How system calls wait, by number; see syscall_table.h. The numbers are the machine's own. */
#include "syscall_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

struct syscall_row {
	const char *name;
	enum syscall_wait how;
};

#define CALL(call, how) [SYS_##call] = { #call, how }

/* What the kernel headers of the oldest baseline (5.10) lack is asked for. */
static const struct syscall_row rows[] = {
	CALL(read, CALL_FD),
	CALL(pread64, CALL_FD),
	CALL(readv, CALL_FD),
	CALL(preadv, CALL_FD),
	CALL(preadv2, CALL_FD),
	CALL(recvfrom, CALL_FD),
	CALL(recvmsg, CALL_FD),
	CALL(recvmmsg, CALL_FD),
	CALL(accept, CALL_FD),
	CALL(accept4, CALL_FD),
	CALL(connect, CALL_FD),
	CALL(getdents64, CALL_FD),
	CALL(splice, CALL_FD),
	CALL(tee, CALL_FD),
	CALL(ioctl, CALL_FD),
	CALL(readahead, CALL_FD),
	CALL(fadvise64, CALL_FD),
	CALL(lseek, CALL_FD),
	CALL(fstat, CALL_FD),
	CALL(copy_file_range, CALL_FD),
	CALL(shutdown, CALL_FD),
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
	CALL(futex_waitv, CALL_FUTEX_WAITV),
#endif
	CALL(nanosleep, CALL_SLEEP),
	CALL(clock_nanosleep, CALL_SLEEP),
	CALL(wait4, CALL_CHILD),
	CALL(waitid, CALL_CHILD),
	CALL(clone, CALL_CLONE),
#ifdef SYS_clone3
	CALL(clone3, CALL_CHILD), /* its flags are in memory; a thread's birth doesn't wait */
#endif
#ifdef SYS_vfork
	CALL(fork, CALL_MEMORY),
	CALL(vfork, CALL_CHILD),
#endif
#ifdef SYS_poll
	CALL(poll, CALL_POLL),
#endif
	CALL(ppoll, CALL_POLL),
#ifdef SYS_select
	CALL(select, CALL_SELECT),
#endif
	CALL(pselect6, CALL_SELECT),
#ifdef SYS_epoll_wait
	CALL(epoll_wait, CALL_EVENT_LOOP),
#endif
	CALL(epoll_pwait, CALL_EVENT_LOOP),
#ifdef SYS_epoll_pwait2
	CALL(epoll_pwait2, CALL_EVENT_LOOP),
#endif
	CALL(io_uring_enter, CALL_EVENT_LOOP),
	CALL(io_getevents, CALL_EVENT_LOOP),
	CALL(io_submit, CALL_STORAGE), /* for room in the device's queue */
	CALL(io_destroy, CALL_STORAGE),
	CALL(msgrcv, CALL_IPC),
	CALL(msgsnd, CALL_IPC),
	CALL(semop, CALL_IPC),
	CALL(semtimedop, CALL_IPC),
	CALL(mq_timedreceive, CALL_QUEUE),
	CALL(mq_timedsend, CALL_QUEUE),
#ifdef SYS_pause
	CALL(pause, CALL_SIGNAL),
#endif
	CALL(rt_sigsuspend, CALL_SIGNAL),
	CALL(rt_sigtimedwait, CALL_SIGNAL),
#ifdef SYS_open
	CALL(open, CALL_PATH),
	CALL(creat, CALL_PATH),
	CALL(stat, CALL_PATH),
	CALL(lstat, CALL_PATH),
	CALL(access, CALL_PATH),
	CALL(unlink, CALL_PATH),
	CALL(rename, CALL_PATH),
	CALL(mkdir, CALL_PATH),
	CALL(rmdir, CALL_PATH),
	CALL(readlink, CALL_PATH),
	CALL(link, CALL_PATH),
	CALL(symlink, CALL_PATH_AT), /* its first argument is but a text */
	CALL(chmod, CALL_PATH),
	CALL(chown, CALL_PATH),
#endif
	CALL(openat, CALL_PATH_AT),
#ifdef SYS_openat2
	CALL(openat2, CALL_PATH_AT),
#endif
	CALL(newfstatat, CALL_PATH_AT),
	CALL(statx, CALL_PATH_AT),
	CALL(faccessat, CALL_PATH_AT),
#ifdef SYS_faccessat2
	CALL(faccessat2, CALL_PATH_AT),
#endif
	CALL(unlinkat, CALL_PATH_AT),
	CALL(renameat, CALL_PATH_AT),
	CALL(renameat2, CALL_PATH_AT),
	CALL(mkdirat, CALL_PATH_AT),
	CALL(linkat, CALL_PATH_AT),
	CALL(symlinkat, CALL_STORAGE),
	CALL(readlinkat, CALL_PATH_AT),
	CALL(fchmodat, CALL_PATH_AT),
	CALL(fchownat, CALL_PATH_AT),
	CALL(utimensat, CALL_PATH_AT),
	CALL(truncate, CALL_PATH),
	CALL(statfs, CALL_PATH),
	CALL(chdir, CALL_PATH),
	CALL(getxattr, CALL_PATH),
	CALL(lgetxattr, CALL_PATH),
	CALL(sync, CALL_STORAGE),
	CALL(msync, CALL_STORAGE), /* nothing but the file behind the mapping can make it wait */
	CALL(close, CALL_STORAGE), /* the descriptor is gone already: last writes, lingering */
	CALL(execve, CALL_PATH),
	CALL(execveat, CALL_PATH_AT),
	CALL(mmap, CALL_MEMORY),
	CALL(munmap, CALL_MEMORY),
	CALL(mprotect, CALL_MEMORY),
	CALL(mremap, CALL_MEMORY),
	CALL(madvise, CALL_MEMORY),
	CALL(brk, CALL_MEMORY),
	CALL(sched_yield, CALL_UNKNOWN),
	CALL(exit, CALL_UNKNOWN),
	CALL(exit_group, CALL_UNKNOWN),
	CALL(restart_syscall, CALL_RESTART),
};

static const struct syscall_row *find(long number)
{
	bool is_listed = number >= 0 && (size_t)number < sizeof(rows) / sizeof(rows[0]);

	return is_listed && rows[number].name ? &rows[number] : NULL;
}

enum syscall_wait syscall_wait_of(long number)
{
	const struct syscall_row *row = find(number);

	return row ? row->how : CALL_UNKNOWN;
}

/* Those whose operation isn't what the way they wait suggests. */
static const struct {
	long number;
	enum wait_operation operation;
} operations[] = {
	{ SYS_fsync, OPERATION_SYNC },
	{ SYS_fdatasync, OPERATION_SYNC },
	{ SYS_sync_file_range, OPERATION_SYNC },
	{ SYS_syncfs, OPERATION_SYNC },
	{ SYS_sync, OPERATION_SYNC },
	{ SYS_msync, OPERATION_SYNC },
	/* What they wait for is the file that they read: the program, what is sent. */
	{ SYS_execve, OPERATION_READ },
	{ SYS_execveat, OPERATION_READ },
	{ SYS_sendfile, OPERATION_READ },
	{ SYS_io_submit, OPERATION_NONE },
	{ SYS_io_destroy, OPERATION_NONE },
	{ SYS_getdents64, OPERATION_METADATA },
	{ SYS_ioctl, OPERATION_METADATA },
	{ SYS_lseek, OPERATION_METADATA },
	{ SYS_fstat, OPERATION_METADATA },
	{ SYS_fallocate, OPERATION_METADATA },
	{ SYS_ftruncate, OPERATION_METADATA },
};

enum wait_operation syscall_operation(long number)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].number == number)
			return operations[i].operation;
	switch (syscall_wait_of(number)) {
	case CALL_FD:
		return OPERATION_READ;
	case CALL_FD_WRITE:
		return OPERATION_WRITE;
	case CALL_PATH:
	case CALL_PATH_AT:
	case CALL_STORAGE:
		return OPERATION_METADATA;
	default:
		return OPERATION_NONE;
	}
}

const char *syscall_name(long number)
{
	const struct syscall_row *row = find(number);

	return row ? row->name : NULL;
}
