/* Commands: held back until they are started, and never started when classify goes away. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "command.h"
#include "identity.h"
#include "signals.h"

struct fixture {
	struct signals signals;
	struct identity identity;
	struct command command;
	char directory[32];
	char marker[64];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/test-command-XXXXXX");
	if (!mkdtemp(fixture->directory))
		return -1;
	snprintf(fixture->marker, sizeof(fixture->marker), "%s/ran", fixture->directory);
	return signals_init(&fixture->signals, true);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	command_release(&fixture->command);
	signals_release(&fixture->signals);
	unlink(fixture->marker);
	rmdir(fixture->directory);
	free(fixture);
	return 0;
}

static void spawn_touch(struct fixture *fixture)
{
	char touch[] = "touch";
	char *argv[] = { touch, fixture->marker, NULL };

	assert_int_equal(
		command_spawn(&fixture->command, argv, &fixture->identity, &fixture->signals), 0);
}

static void test_waits_to_be_started(void **state)
{
	struct fixture *fixture = *state;

	spawn_touch(fixture);
	assert_int_equal(waitpid(fixture->command.pid, NULL, WNOHANG), 0);
	assert_int_equal(access(fixture->marker, F_OK), -1);
	command_start(&fixture->command);
	assert_int_equal(command_reap(&fixture->command), 0);
	assert_int_equal(command_exec_error(&fixture->command), 0);
	assert_int_equal(access(fixture->marker, F_OK), 0);
}

static void test_exits_when_never_started(void **state)
{
	struct fixture *fixture = *state;

	spawn_touch(fixture);
	command_release(&fixture->command);
	int status = command_reap(&fixture->command);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 125);
	assert_int_equal(access(fixture->marker, F_OK), -1);
}

static void test_tells_why_exec_failed(void **state)
{
	struct fixture *fixture = *state;
	char *argv[] = { fixture->marker, NULL };

	assert_int_equal(
		command_spawn(&fixture->command, argv, &fixture->identity, &fixture->signals), 0);
	command_start(&fixture->command);
	assert_int_equal(WEXITSTATUS(command_reap(&fixture->command)), 127);
	assert_int_equal(command_exec_error(&fixture->command), ENOENT);
}

static void test_survives_a_child_killed_early(void **state)
{
	struct fixture *fixture = *state;

	spawn_touch(fixture);
	kill(fixture->command.pid, SIGKILL);
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)fixture->command.pid, &info, WEXITED | WNOWAIT), 0);
	command_start(&fixture->command);
	int status = command_reap(&fixture->command);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(command_exec_error(&fixture->command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waits_to_be_started, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exits_when_never_started, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tells_why_exec_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_survives_a_child_killed_early, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
