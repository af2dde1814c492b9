/* What an executable was built with: this one pretends to be of Go, and most are of neither. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "toolchain.h"

/* As Go 1.18 and later write it: a mark, the size of pointers, flags, and at 32 the version. */
__attribute__((section(".go.buildinfo"), used, aligned(16))) static const char build_info[96] =
	"\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08go1.19.8\xd5\x01";

static void go_is_told_with_its_version(void **state)
{
	char text[TOOLCHAIN_BYTES];

	(void)state;
	toolchain_read(getpid(), text);
	assert_string_equal(text, "go 1.19.8");
}

static void c_is_not_told(void **state)
{
	char text[TOOLCHAIN_BYTES] = "x";
	int ready[2];
	char byte;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("sleep", "sleep", "60", NULL);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0); /* closed by its exec */
	close(ready[0]);
	toolchain_read(pid, text);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_string_equal(text, "");
}

static void who_is_gone_is_not_told(void **state)
{
	char text[TOOLCHAIN_BYTES] = "x";

	(void)state;
	toolchain_read(0x7ffffffe, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(go_is_told_with_its_version),
		cmocka_unit_test(c_is_not_told),
		cmocka_unit_test(who_is_gone_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
