/* Hands the table of system calls (inspect's) to the probes, whose header can't include it. */
#include "syscalls.h"
#include "syscall_table.h"
#include "wire.h"
#include <assert.h>
#include <stddef.h>
#include <sys/syscall.h>

#define ASSERT_SAME(how) \
	static_assert((int)CALL_##how == (int)SYSCALL_##how, "the wire has other numbers")

ASSERT_SAME(UNKNOWN);
ASSERT_SAME(FD);
ASSERT_SAME(FD_WRITE);
ASSERT_SAME(FILE_LOCK);
ASSERT_SAME(FUTEX);
ASSERT_SAME(FUTEX_WAITV);
ASSERT_SAME(SLEEP);
ASSERT_SAME(CHILD);
ASSERT_SAME(CLONE);
ASSERT_SAME(POLL);
ASSERT_SAME(SELECT);
ASSERT_SAME(EVENT_LOOP);
ASSERT_SAME(IPC);
ASSERT_SAME(SIGNAL);
ASSERT_SAME(PATH);
ASSERT_SAME(MEMORY);
ASSERT_SAME(RESTART);
ASSERT_SAME(PATH_AT);
ASSERT_SAME(STORAGE);
ASSERT_SAME(QUEUE);

void syscall_table_fill(uint8_t *table)
{
	for (int i = 0; i < WIRE_SYSCALL_CNT; i++)
		table[i] = (uint8_t)syscall_wait_of(i);
}

/* Calls that can ask for something without waiting for it. */
static const struct {
	int call;
	enum wire_asking asking;
} asking_calls[] = {
	{ SYS_read, ASKING_READ },
	{ SYS_readv, ASKING_READ },
	{ SYS_accept, ASKING_READ },
	{ SYS_accept4, ASKING_READ },
	{ SYS_recvmsg, ASKING_RECVMSG },
	{ SYS_recvfrom, ASKING_RECV },
	{ SYS_recvmmsg, ASKING_RECV },
#ifdef SYS_poll
	{ SYS_poll, ASKING_SET },
	{ SYS_select, ASKING_SET },
	{ SYS_epoll_wait, ASKING_SET },
#endif
	{ SYS_ppoll, ASKING_SET },
	{ SYS_pselect6, ASKING_SET },
	{ SYS_epoll_pwait, ASKING_SET },
#ifdef SYS_epoll_pwait2
	{ SYS_epoll_pwait2, ASKING_SET },
#endif
	{ SYS_io_uring_enter, ASKING_RING },
	{ SYS_sched_yield, ASKING_YIELD },
};

void asking_table_fill(uint8_t *table)
{
	for (size_t i = 0; i < sizeof(asking_calls) / sizeof(asking_calls[0]); i++)
		table[asking_calls[i].call] = (uint8_t)asking_calls[i].asking;
}
