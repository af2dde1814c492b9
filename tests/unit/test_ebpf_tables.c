/* System calls by number as the probes are told them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf/syscalls.h"
#include "ebpf/wire.h"
#include "syscall_table.h"

static void calls_wait_as_they_do(void **state)
{
	uint8_t table[WIRE_SYSCALL_CNT] = { 0 };

	(void)state;
	syscall_table_fill(table);
	assert_int_equal(table[SYS_read], SYSCALL_FD);
	assert_int_equal(table[SYS_write], SYSCALL_FD_WRITE);
	assert_int_equal(table[SYS_fsync], SYSCALL_FD_WRITE);
	assert_int_equal(table[SYS_accept4], SYSCALL_FD);
	assert_int_equal(table[SYS_flock], SYSCALL_FILE_LOCK);
	assert_int_equal(table[SYS_futex], SYSCALL_FUTEX);
	assert_int_equal(table[SYS_clock_nanosleep], SYSCALL_SLEEP);
	assert_int_equal(table[SYS_wait4], SYSCALL_CHILD);
	assert_int_equal(table[SYS_ppoll], SYSCALL_POLL);
	assert_int_equal(table[SYS_pselect6], SYSCALL_SELECT);
	assert_int_equal(table[SYS_epoll_pwait], SYSCALL_EVENT_LOOP);
	assert_int_equal(table[SYS_io_uring_enter], SYSCALL_EVENT_LOOP);
	assert_int_equal(table[SYS_semtimedop], SYSCALL_IPC);
	assert_int_equal(table[SYS_openat], SYSCALL_PATH_AT);
	assert_int_equal(table[SYS_restart_syscall], SYSCALL_RESTART);
	assert_int_equal(table[SYS_getpid], SYSCALL_UNKNOWN);
}

static void calls_ask_as_they_do(void **state)
{
	uint8_t table[WIRE_SYSCALL_CNT] = { 0 };

	(void)state;
	asking_table_fill(table);
	assert_int_equal(table[SYS_read], ASKING_READ);
	assert_int_equal(table[SYS_recvfrom], ASKING_RECV);
	assert_int_equal(table[SYS_recvmsg], ASKING_RECVMSG);
	assert_int_equal(table[SYS_ppoll], ASKING_SET);
	assert_int_equal(table[SYS_epoll_pwait], ASKING_SET);
	assert_int_equal(table[SYS_sched_yield], ASKING_YIELD);
	assert_int_equal(table[SYS_write], ASKING_NOT);
	assert_int_equal(table[SYS_clock_nanosleep], ASKING_NOT);
}

/* Calls that are new to the kernel must not fall off the end of the probes' table. */
static void no_call_is_beyond_the_table(void **state)
{
	(void)state;
	for (long number = WIRE_SYSCALL_CNT; number < 4 * WIRE_SYSCALL_CNT; number++)
		assert_int_equal(syscall_wait_of(number), CALL_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_wait_as_they_do),
		cmocka_unit_test(calls_ask_as_they_do),
		cmocka_unit_test(no_call_is_beyond_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
