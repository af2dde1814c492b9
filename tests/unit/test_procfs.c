/* The sampler's parsers and decisions that need no process. */
#include <fcntl.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "cause_rows.h"
#include "interest_set.h"
#include "observation/observation.h"
#include "syscall_line.h"
#include "wait_cause.h"

static void syscall_lines(void **state)
{
	struct syscall_line line;

	(void)state;
	assert_true(syscall_line_parse("running\n", &line));
	assert_true(line.is_running);
	assert_true(syscall_line_parse("-1 0x7ffd7eb27c18 0x7f35fb2fd2ad\n", &line));
	assert_false(line.is_running);
	assert_int_equal(line.number, -1);
	assert_true(syscall_line_parse(
		"0 0x3 0x7f35fb183000 0x20000 0x22 0xffffffff 0x0 0x7ffd7eb27c18 0x7f35fb2fd2ad\n",
		&line));
	assert_int_equal(line.number, 0);
	assert_int_equal(line.arg[0], 3);
	assert_int_equal(line.arg[5], 0);
	assert_false(syscall_line_parse("0 0x3 0x7f35fb183000", &line));
	assert_false(syscall_line_parse("", &line));
}

static void epoll_lines(void **state)
{
	int fd;
	bool is_write;

	(void)state;
	assert_true(interest_parse_epoll("tfd:        5 events:       19 data:                5  "
					 "pos:0 ino:3d sdev:7\n",
					 &fd, &is_write));
	assert_int_equal(fd, 5);
	assert_false(is_write);
	assert_true(interest_parse_epoll("tfd:       12 events: 4 data: 0", &fd, &is_write));
	assert_true(is_write);
	assert_false(interest_parse_epoll("flags:\t02", &fd, &is_write));
	assert_false(interest_parse_epoll("", &fd, &is_write));
}

struct futex_case {
	uint64_t address;
	int op;
	uint64_t value;
	uint64_t timeout;
	enum wait_reason reason;
};

static void futexes_tell_locks_from_waiting(void **state)
{
	static const struct futex_case cases[] = {
		{ 0x5000, FUTEX_WAIT_PRIVATE, 2, 0, WAIT_LOCK },
		{ 0x5000, FUTEX_WAIT, 1, 0, WAIT_SYNC },
		{ 0x5000, FUTEX_LOCK_PI_PRIVATE, 0, 0, WAIT_LOCK },
		{ 0x5000, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, 0x7000, WAIT_SYNC },
		{ 0x1000, FUTEX_WAIT_BITSET_PRIVATE, 0, 0x7000, WAIT_GIL },
		{ 0x10cf, FUTEX_WAIT_PRIVATE, 2, 0, WAIT_GIL },
		{ 0x10d0, FUTEX_WAIT_PRIVATE, 2, 0, WAIT_LOCK },
	};
	struct observation obs;
	const struct wait_cause before = { 0 };

	(void)state;
	observation_init(&obs);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct wait_context context = { .obs = &obs,
						      .gil = { .start = 0x1000, .end = 0x10d0 } };
		const struct syscall_line line = {
			.number = SYS_futex,
			.arg = { cases[i].address, (uint64_t)cases[i].op, cases[i].value,
				 cases[i].timeout },
		};
		struct wait_cause cause;

		wait_cause_of_syscall(&context, 'S', &line, &before, &cause);
		assert_int_equal(cause.reason, cases[i].reason);
		assert_int_equal(cause.kind, OBJECT_FUTEX);
	}
	observation_release(&obs);
}

static void states_tell_faults_stops_and_disk(void **state)
{
	struct observation obs;
	const struct wait_context context = { .obs = &obs };
	const struct wait_cause before = { 0 };
	struct syscall_line line = { .number = -1 };
	struct wait_cause cause;

	(void)state;
	observation_init(&obs);
	wait_cause_of_syscall(&context, 'D', &line, &before, &cause);
	assert_int_equal(cause.reason, WAIT_PAGING);
	wait_cause_of_syscall(&context, 'T', &line, &before, &cause);
	assert_int_equal(cause.reason, WAIT_STOPPED);
	line.number = SYS_unlinkat;
	wait_cause_of_syscall(&context, 'D', &line, &before, &cause);
	assert_int_equal(cause.reason, WAIT_DISK);
	assert_int_equal(cause.operation, OPERATION_METADATA);
	wait_cause_of_syscall(&context, 'S', &line, &before, &cause);
	assert_int_equal(cause.reason, WAIT_OTHER);
	line.number = SYS_wait4;
	wait_cause_of_syscall(&context, 'S', &line, &before, &cause);
	assert_int_equal(cause.reason, WAIT_CHILD);
	observation_release(&obs);
}

static enum wait_operation operation_on(int fd, long call, struct wait_cause *cause)
{
	struct observation obs;
	const struct wait_context context = { .obs = &obs, .pid = getpid(), .tid = getpid() };
	const struct wait_cause before = { 0 };
	const struct syscall_line line = { .number = call, .arg = { (uint64_t)fd } };

	observation_init(&obs);
	wait_cause_of_syscall(&context, 'D', &line, &before, cause);
	observation_release(&obs);
	assert_int_equal(cause->reason, WAIT_DISK);
	assert_int_equal(cause->kind, OBJECT_FILE);
	return cause->operation;
}

static void operations_follow_from_call_and_open_flags(void **state)
{
	char path[] = "procfs-test-XXXXXX";
	int fd = mkostemp(path, O_SYNC);
	struct wait_cause cause;
	struct stat status;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(operation_on(fd, SYS_pread64, &cause), OPERATION_READ);
	assert_int_equal(operation_on(fd, SYS_write, &cause), OPERATION_SYNC);
	assert_int_equal(operation_on(fd, SYS_fdatasync, &cause), OPERATION_SYNC);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(cause.device.major, major(status.st_dev));
	assert_int_equal(cause.device.minor, minor(status.st_dev));
	close(fd);
	fd = open(path, O_RDWR);
	assert_int_equal(operation_on(fd, SYS_write, &cause), OPERATION_WRITE);
	if (!fcntl(fd, F_SETFL, O_DIRECT))
		assert_int_equal(operation_on(fd, SYS_write, &cause), OPERATION_DIRECT);
	close(fd);
	unlink(path);
}

static void restarted_call_goes_on_with_its_wait(void **state)
{
	struct observation obs;
	const struct wait_context context = { .obs = &obs };
	const struct wait_cause before = { .reason = WAIT_NETWORK, .name = "10.0.0.5:443" };
	const struct syscall_line line = { .number = SYS_restart_syscall };
	struct wait_cause cause;

	(void)state;
	observation_init(&obs);
	wait_cause_of_syscall(&context, 'S', &line, &before, &cause);
	assert_int_equal(cause.reason, WAIT_NETWORK);
	assert_string_equal(cause.name, "10.0.0.5:443");
	observation_release(&obs);
}

static void kernel_functions_tell_when_calls_are_hidden(void **state)
{
	static const struct {
		const char *wchan;
		char state;
		enum wait_reason reason;
		bool via_event_loop;
	} cases[] = {
		{ "futex_wait_queue", 'S', WAIT_SYNC, false },
		{ "do_epoll_wait", 'S', WAIT_POLL, true },
		{ "ep_poll", 'S', WAIT_POLL, true },
		{ "poll_schedule_timeout.constprop.0", 'S', WAIT_POLL, false },
		{ "hrtimer_nanosleep", 'S', WAIT_TIMER, false },
		{ "inet_csk_accept", 'S', WAIT_ACCEPT, false },
		{ "anon_pipe_read", 'S', WAIT_IPC, false },
		{ "do_wait", 'S', WAIT_CHILD, false },
		{ "folio_wait_bit_common", 'D', WAIT_DISK, false },
		{ "0", 'D', WAIT_DISK, false },
		{ "0", 'S', WAIT_OTHER, false },
		{ "", 'T', WAIT_STOPPED, false },
	};
	struct observation obs;
	const struct wait_context context = { .obs = &obs };

	(void)state;
	observation_init(&obs);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wait_cause cause;

		wait_cause_of_wchan(&context, cases[i].state, cases[i].wchan, &cause);
		assert_int_equal(cause.reason, cases[i].reason);
		assert_int_equal(cause.via_event_loop, cases[i].via_event_loop);
	}
	observation_release(&obs);
}

static int rank(enum wait_reason reason)
{
	return wait_cause_rank(&(struct wait_cause){ .reason = reason });
}

static void outside_ranks_before_timer_idle_and_inside(void **state)
{
	const struct wait_cause inside = { .reason = WAIT_IPC, .is_internal = true };

	(void)state;
	assert_true(rank(WAIT_NETWORK) > rank(WAIT_IPC));
	assert_true(rank(WAIT_IPC) > rank(WAIT_TIMER));
	assert_true(rank(WAIT_TIMER) > rank(WAIT_ACCEPT));
	assert_true(rank(WAIT_ACCEPT) > rank(WAIT_SYNC));
	assert_true(rank(WAIT_TTY) > rank(WAIT_CHILD));
	assert_int_equal(wait_cause_rank(&inside), rank(WAIT_SYNC));
}

static void rows_are_one_per_cause(void **state)
{
	struct observation obs;
	struct cause_rows rows;
	struct wait_cause cause = { .reason = WAIT_NETWORK };

	(void)state;
	observation_init(&obs);
	assert_int_equal(cause_rows_init(&rows, &obs), 0);
	cause.name = observation_intern(&obs, "a", 1);
	cause_rows_find(&rows, 1, &cause)->wait_ns = 5;
	assert_int_equal(cause_rows_find(&rows, 1, &cause)->wait_ns, 5);
	assert_int_equal(cause_rows_find(&rows, 2, &cause)->wait_ns, 0);
	cause.timed_out = true;
	assert_int_equal(cause_rows_find(&rows, 1, &cause)->wait_ns, 0);
	assert_int_equal(obs.wait_cnt, 3);
	cause_rows_release(&rows);
	observation_release(&obs);
}

static void rows_beyond_the_maximum_lose_their_object(void **state)
{
	struct observation obs;
	struct cause_rows rows;
	struct wait_cause cause = { .reason = WAIT_DISK, .kind = OBJECT_FILE };

	(void)state;
	observation_init(&obs);
	assert_int_equal(cause_rows_init(&rows, &obs), 0);
	for (int i = 0; i < CAUSE_ROWS_MAX + 100; i++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "/%d", i);

		cause.name = observation_intern(&obs, name, (size_t)len);
		cause_rows_find(&rows, 1, &cause)->wait_ns += 7;
	}
	assert_int_equal(obs.wait_cnt, CAUSE_ROWS_MAX + 1);
	assert_int_equal(obs.waits[CAUSE_ROWS_MAX].kind, OBJECT_NONE);
	assert_int_equal(obs.waits[CAUSE_ROWS_MAX].reason, WAIT_DISK);
	assert_int_equal(obs.waits[CAUSE_ROWS_MAX].wait_ns, 700);
	cause_rows_release(&rows);
	observation_release(&obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syscall_lines),
		cmocka_unit_test(epoll_lines),
		cmocka_unit_test(futexes_tell_locks_from_waiting),
		cmocka_unit_test(states_tell_faults_stops_and_disk),
		cmocka_unit_test(operations_follow_from_call_and_open_flags),
		cmocka_unit_test(restarted_call_goes_on_with_its_wait),
		cmocka_unit_test(kernel_functions_tell_when_calls_are_hidden),
		cmocka_unit_test(outside_ranks_before_timer_idle_and_inside),
		cmocka_unit_test(rows_are_one_per_cause),
		cmocka_unit_test(rows_beyond_the_maximum_lose_their_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
