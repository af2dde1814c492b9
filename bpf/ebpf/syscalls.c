/* System calls by number: how each waits, and its name. The table is the machine's own (SYS_*). */
#include "syscalls.h"
#include "wire.h"
#include <stddef.h>
#include <sys/syscall.h>

struct syscall_entry {
	uint16_t number;
	uint8_t how;
	const char *name;
};

#define ENTRY(how, call)               \
	{                              \
		SYS_##call, how, #call \
	}

static const struct syscall_entry entries[] = {
	ENTRY(SYSCALL_FD, read),
	ENTRY(SYSCALL_FD, pread64),
	ENTRY(SYSCALL_FD, readv),
	ENTRY(SYSCALL_FD, preadv),
	ENTRY(SYSCALL_FD, preadv2),
	ENTRY(SYSCALL_FD, recvfrom),
	ENTRY(SYSCALL_FD, recvmsg),
	ENTRY(SYSCALL_FD, recvmmsg),
	ENTRY(SYSCALL_FD, accept),
	ENTRY(SYSCALL_FD, accept4),
	ENTRY(SYSCALL_FD, connect),
	ENTRY(SYSCALL_FD, getdents64),
	ENTRY(SYSCALL_FD, splice),
	ENTRY(SYSCALL_FD, tee),
	ENTRY(SYSCALL_FD, ioctl),
	ENTRY(SYSCALL_FD, readahead),
	ENTRY(SYSCALL_FD, fadvise64),
	ENTRY(SYSCALL_FD, lseek),
	ENTRY(SYSCALL_FD, fstat),
	ENTRY(SYSCALL_FD, copy_file_range),
	ENTRY(SYSCALL_FD, shutdown),
	ENTRY(SYSCALL_FD_WRITE, write),
	ENTRY(SYSCALL_FD_WRITE, pwrite64),
	ENTRY(SYSCALL_FD_WRITE, writev),
	ENTRY(SYSCALL_FD_WRITE, pwritev),
	ENTRY(SYSCALL_FD_WRITE, pwritev2),
	ENTRY(SYSCALL_FD_WRITE, sendto),
	ENTRY(SYSCALL_FD_WRITE, sendmsg),
	ENTRY(SYSCALL_FD_WRITE, sendmmsg),
	ENTRY(SYSCALL_FD_WRITE, sendfile),
	ENTRY(SYSCALL_FD_WRITE, fsync),
	ENTRY(SYSCALL_FD_WRITE, fdatasync),
	ENTRY(SYSCALL_FD_WRITE, sync_file_range),
	ENTRY(SYSCALL_FD_WRITE, syncfs),
	ENTRY(SYSCALL_FD_WRITE, fallocate),
	ENTRY(SYSCALL_FD_WRITE, ftruncate),
	ENTRY(SYSCALL_FILE_LOCK, flock),
	ENTRY(SYSCALL_FILE_LOCK, fcntl),
	ENTRY(SYSCALL_FUTEX, futex),
#ifdef SYS_futex_waitv
	ENTRY(SYSCALL_FUTEX_WAITV, futex_waitv),
#endif
	ENTRY(SYSCALL_SLEEP, nanosleep),
	ENTRY(SYSCALL_SLEEP, clock_nanosleep),
	ENTRY(SYSCALL_CHILD, wait4),
	ENTRY(SYSCALL_CHILD, waitid),
	ENTRY(SYSCALL_CLONE, clone),
	ENTRY(SYSCALL_CHILD, clone3),
#ifdef SYS_vfork
	ENTRY(SYSCALL_MEMORY, fork),
	ENTRY(SYSCALL_CHILD, vfork),
#endif
#ifdef SYS_poll
	ENTRY(SYSCALL_POLL, poll),
#endif
	ENTRY(SYSCALL_POLL, ppoll),
#ifdef SYS_select
	ENTRY(SYSCALL_SELECT, select),
#endif
	ENTRY(SYSCALL_SELECT, pselect6),
#ifdef SYS_epoll_wait
	ENTRY(SYSCALL_EVENT_LOOP, epoll_wait),
#endif
	ENTRY(SYSCALL_EVENT_LOOP, epoll_pwait),
	ENTRY(SYSCALL_EVENT_LOOP, epoll_pwait2),
	ENTRY(SYSCALL_EVENT_LOOP, io_uring_enter),
	ENTRY(SYSCALL_EVENT_LOOP, io_getevents),
	ENTRY(SYSCALL_IPC, msgrcv),
	ENTRY(SYSCALL_IPC, msgsnd),
	ENTRY(SYSCALL_IPC, semop),
	ENTRY(SYSCALL_IPC, semtimedop),
	ENTRY(SYSCALL_IPC, mq_timedreceive),
	ENTRY(SYSCALL_IPC, mq_timedsend),
#ifdef SYS_pause
	ENTRY(SYSCALL_SIGNAL, pause),
#endif
	ENTRY(SYSCALL_SIGNAL, rt_sigsuspend),
	ENTRY(SYSCALL_SIGNAL, rt_sigtimedwait),
#ifdef SYS_open
	ENTRY(SYSCALL_PATH, open),
	ENTRY(SYSCALL_PATH, creat),
	ENTRY(SYSCALL_PATH, stat),
	ENTRY(SYSCALL_PATH, lstat),
	ENTRY(SYSCALL_PATH, access),
	ENTRY(SYSCALL_PATH, unlink),
	ENTRY(SYSCALL_PATH, rename),
	ENTRY(SYSCALL_PATH, mkdir),
	ENTRY(SYSCALL_PATH, rmdir),
	ENTRY(SYSCALL_PATH, readlink),
	ENTRY(SYSCALL_PATH, link),
	ENTRY(SYSCALL_PATH, symlink),
	ENTRY(SYSCALL_PATH, chmod),
	ENTRY(SYSCALL_PATH, chown),
#endif
	ENTRY(SYSCALL_PATH, openat),
	ENTRY(SYSCALL_PATH, openat2),
	ENTRY(SYSCALL_PATH, newfstatat),
	ENTRY(SYSCALL_PATH, statx),
	ENTRY(SYSCALL_PATH, faccessat),
	ENTRY(SYSCALL_PATH, faccessat2),
	ENTRY(SYSCALL_PATH, unlinkat),
	ENTRY(SYSCALL_PATH, renameat),
	ENTRY(SYSCALL_PATH, renameat2),
	ENTRY(SYSCALL_PATH, mkdirat),
	ENTRY(SYSCALL_PATH, linkat),
	ENTRY(SYSCALL_PATH, symlinkat),
	ENTRY(SYSCALL_PATH, readlinkat),
	ENTRY(SYSCALL_PATH, fchmodat),
	ENTRY(SYSCALL_PATH, fchownat),
	ENTRY(SYSCALL_PATH, utimensat),
	ENTRY(SYSCALL_PATH, truncate),
	ENTRY(SYSCALL_PATH, statfs),
	ENTRY(SYSCALL_PATH, chdir),
	ENTRY(SYSCALL_PATH, getxattr),
	ENTRY(SYSCALL_PATH, lgetxattr),
	ENTRY(SYSCALL_PATH, sync),
	ENTRY(SYSCALL_PATH, close), /* the descriptor is gone already: last writes, lingering */
	ENTRY(SYSCALL_PATH, execve),
	ENTRY(SYSCALL_PATH, execveat),
	ENTRY(SYSCALL_MEMORY, mmap),
	ENTRY(SYSCALL_MEMORY, munmap),
	ENTRY(SYSCALL_MEMORY, mprotect),
	ENTRY(SYSCALL_MEMORY, mremap),
	ENTRY(SYSCALL_MEMORY, madvise),
	ENTRY(SYSCALL_MEMORY, msync),
	ENTRY(SYSCALL_MEMORY, brk),
	ENTRY(SYSCALL_UNKNOWN, exit),
	ENTRY(SYSCALL_UNKNOWN, exit_group),
	ENTRY(SYSCALL_RESTART, restart_syscall),
};

void syscall_table_fill(uint8_t *table)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		table[entries[i].number] = entries[i].how;
}

const char *syscall_name(unsigned int number)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (entries[i].number == number)
			return entries[i].name;
	return NULL;
}
