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
	assert_int_equal(table[SYS_openat], SYSCALL_PATH);
	assert_int_equal(table[SYS_restart_syscall], SYSCALL_RESTART);
	assert_int_equal(table[SYS_getpid], SYSCALL_UNKNOWN);
}

static void calls_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(syscall_name(SYS_read), "read");
	assert_string_equal(syscall_name(SYS_restart_syscall), "restart_syscall");
	assert_null(syscall_name(WIRE_SYSCALL_CNT));
	assert_null(syscall_name(UINT32_MAX));
}

/* Whatever the table says of a call, it has a name for the reader. */
static void every_call_that_waits_has_a_name(void **state)
{
	uint8_t table[WIRE_SYSCALL_CNT] = { 0 };

	(void)state;
	syscall_table_fill(table);
	for (unsigned int i = 0; i < WIRE_SYSCALL_CNT; i++)
		if (table[i])
			assert_non_null(syscall_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_wait_as_they_do),
		cmocka_unit_test(calls_have_their_names),
		cmocka_unit_test(every_call_that_waits_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
