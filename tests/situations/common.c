/* What the situations share: time, processes, bytes, and how a program and its partner meet. */
#include "situation.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static const char began[] = "began";

long must(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

void pause_ms(unsigned int ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static long clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void burn_ms(unsigned int ms)
{
	long end = clock_ms(CLOCK_THREAD_CPUTIME_ID) + (long)ms;

	while (clock_ms(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

long now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

void announce(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vprintf(format, values);
	va_end(values);
	putchar('\n');
	fflush(stdout);
}

void path_in(const struct place *place, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", place->dir, name);
}

void await_begin(const struct place *place)
{
	char path[PATH_MAX];

	path_in(place, began, path);
	while (access(path, F_OK))
		pause_ms(1);
}

void begin(const struct place *place)
{
	char path[PATH_MAX];

	path_in(place, began, path);
	close((int)must(open(path, O_CREAT | O_WRONLY, 0600), path));
}

void begin_with_pid(const struct place *place)
{
	char path[PATH_MAX];
	FILE *file;

	path_in(place, "pid", path);
	file = fopen(path, "w");
	must(file ? 0 : -1, path);
	fprintf(file, "%d\n", getpid());
	fclose(file);
	begin(place);
}

pid_t await_pid(const struct place *place)
{
	char path[PATH_MAX];
	FILE *file;
	int pid = 0;

	await_begin(place);
	path_in(place, "pid", path);
	file = fopen(path, "r");
	must(file && fscanf(file, "%d", &pid) == 1 ? 0 : -1, path);
	fclose(file);
	return pid;
}

pid_t spawn(void (*child)(void *), void *argument)
{
	pid_t pid = (pid_t)must(fork(), "fork");

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child(argument);
	_exit(0);
}

void reap(pid_t pid)
{
	must(waitpid(pid, NULL, 0), "waitpid");
}

void take_byte(int fd)
{
	char byte;

	if (must(read(fd, &byte, 1), "read") != 1) {
		fprintf(stderr, "read: the other end is gone\n");
		exit(1);
	}
}

void give_byte(int fd)
{
	must(write(fd, "x", 1), "write");
}

void answer_bytes(int fd)
{
	char byte;

	while (read(fd, &byte, 1) == 1) {
		pause_ms(WAIT_MS);
		if (write(fd, &byte, 1) != 1)
			return;
	}
}

void give_bytes(int fd)
{
	for (int i = 0; i <= WAITS; i++) {
		pause_ms(WAIT_MS);
		if (write(fd, "x", 1) != 1)
			return;
	}
}

void drain_slowly(int fd)
{
	char page[PAGE_BYTES];

	do
		pause_ms(WAIT_MS);
	while (read(fd, page, sizeof(page)) > 0);
}

void hold_until_end(int fd)
{
	(void)fd;
	for (;;)
		pause();
}

void ask_bytes(int fd)
{
	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		take_byte(fd);
	}
}

void take_bytes(int fd)
{
	for (int i = 0; i < WAITS; i++)
		take_byte(fd);
}

void fill(int fd)
{
	static const char page[PAGE_BYTES];
	long end = now_ms() + ALL_WAITS_MS;

	while (now_ms() < end)
		must(write(fd, page, sizeof(page)), "write");
}
