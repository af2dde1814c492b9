/* Hands the table of system calls (inspect's) to the probes, whose header can't include it. */
#include "syscalls.h"
#include "syscall_table.h"
#include "wire.h"
#include <assert.h>

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

void syscall_table_fill(uint8_t *table)
{
	for (int i = 0; i < WIRE_SYSCALL_CNT; i++)
		table[i] = (uint8_t)syscall_wait_of(i);
}
