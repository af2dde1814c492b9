/* What the terminal shows while an observation takes its time to end. */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "observation/observation.h"
#include "observer.h"
#include "options.h"
#include "source.h"

#define PATIENCE_MS 500
#define COLUMNS	    40

/* An observer whose end takes until something is shown, or so long that something would be. */
static struct {
	struct observer observer;
	struct observer_options options;
	const char *what;
	int terminal; /* the side that sees what is shown */
	int64_t finish_ms;
} fake;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_shown(int timeout_ms)
{
	struct pollfd shown = { .fd = fake.terminal, .events = POLLIN };

	return poll(&shown, 1, timeout_ms) == 1;
}

static int fake_finish(struct observer *observer, struct observation *obs)
{
	int64_t began_ms = now_ms();

	(void)observer;
	(void)obs;
	do {
		fake.options.progress(fake.options.progress_context, fake.what);
		fake.finish_ms = now_ms() - began_ms;
	} while (!is_shown(10) && fake.finish_ms < 2 * PATIENCE_MS);
	return 0;
}

static void fake_free(struct observer *observer)
{
	(void)observer;
}

static const struct observer_ops fake_ops = { .finish = fake_finish, .free = fake_free };

struct observer *ebpf_observer_new(const struct observer_options *options, int *error, char *why,
				   size_t why_size)
{
	(void)error;
	(void)why;
	(void)why_size;
	fake.options = *options;
	fake.observer.ops = &fake_ops;
	return &fake.observer;
}

struct observer *procfs_observer_new(const struct observer_options *options, int *error, char *why,
				     size_t why_size)
{
	return ebpf_observer_new(options, error, why, why_size);
}

/* Ends an observation that tells @what meanwhile. What the terminal shows goes to @text. */
static void finish(bool is_quiet, const char *what, char *text, size_t size)
{
	const struct winsize window = { .ws_row = 24, .ws_col = COLUMNS };
	const struct options options = { .is_quiet = is_quiet };
	int slave, kept = dup(STDERR_FILENO);
	struct observation obs = { 0 };
	struct source source;
	char why[REASON_SIZE];
	size_t len = 0;
	ssize_t got;

	assert_int_equal(openpty(&fake.terminal, &slave, NULL, NULL, &window), 0);
	dup2(slave, STDERR_FILENO);
	fake.what = what;
	int error = source_open(&source, &options, NULL, why, sizeof(why));

	if (!error)
		error = source_finish(&source, &obs);
	source_release(&source);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(slave);
	while ((got = read(fake.terminal, text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(fake.terminal);
	assert_int_equal(error, 0);
}

static void progress_is_shown_when_it_takes_long(void **state)
{
	char text[1024];

	(void)state;
	finish(false, "reading /bin/x", text, sizeof(text));
	assert_true(fake.finish_ms >= PATIENCE_MS);
	assert_non_null(strstr(text, "\rclassify: reading /bin/x ..."));
}

static void progress_is_erased(void **state)
{
	char text[1024], *erased;

	(void)state;
	finish(false, "reading /bin/x", text, sizeof(text));
	erased = strrchr(text, '.') + 1;
	assert_int_equal(strlen(erased), 2 + strlen("classify: reading /bin/x ..."));
	assert_int_equal(strspn(erased + 1, " "), strlen(erased) - 2);
	assert_int_equal(erased[strlen(erased) - 1], '\r');
}

static void progress_keeps_to_one_line(void **state)
{
	char text[1024], *line;

	(void)state;
	finish(false,
	       "reading debug information of /\n\x1b[2J/with/a/name/that/is/longer/than/the/line",
	       text, sizeof(text));
	assert_null(strchr(text, '\n'));
	assert_null(strchr(text, '\x1b'));
	for (line = strtok(text, "\r"); line; line = strtok(NULL, "\r"))
		assert_in_range(strlen(line), 1, COLUMNS - 1);
}

static void nothing_is_shown_when_quiet(void **state)
{
	char text[1024];

	(void)state;
	finish(true, "reading /bin/x", text, sizeof(text));
	assert_string_equal(text, "");
	assert_true(fake.finish_ms >= PATIENCE_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_is_shown_when_it_takes_long),
		cmocka_unit_test(progress_is_erased),
		cmocka_unit_test(progress_keeps_to_one_line),
		cmocka_unit_test(nothing_is_shown_when_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
