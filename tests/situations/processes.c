/* Waiting for children, and being stopped. Children compute, so that they don't wait themselves. */
#include "situation.h"
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void compute(void *unused)
{
	(void)unused;
	burn_ms(WAIT_MS);
}

static void wait_for_children(const struct place *place)
{
	(void)place;
	for (int i = 0; i < WAITS; i++)
		reap(spawn(compute, NULL));
}

static void waitid_for_children(const struct place *place)
{
	siginfo_t info;

	(void)place;
	for (int i = 0; i < WAITS; i++)
		must(waitid(P_PID, (id_t)spawn(compute, NULL), &info, WEXITED), "waitid");
}

/* The parent sleeps in vfork() itself, until the child has ended or run exec. */
static void vfork_children(const struct place *place)
{
	(void)place;
	for (int i = 0; i < WAITS; i++) {
		pid_t pid = vfork();

		if (!pid) {
			burn_ms(WAIT_MS);
			_exit(0);
		}
		reap((pid_t)must(pid, "vfork"));
	}
}

static void poll_pidfd(const struct place *place)
{
	(void)place;
	for (int i = 0; i < WAITS; i++) {
		pid_t pid = spawn(compute, NULL);
		struct pollfd polled = { .events = POLLIN };

		polled.fd = (int)must(syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
		must(poll(&polled, 1, -1), "poll");
		close(polled.fd);
		reap(pid);
	}
}

extern char **environ;

static void spawn_shell(const struct place *place)
{
	char *argv[] = { "sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done", NULL };
	pid_t pid;

	(void)place;
	must(-posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), "posix_spawn");
	reap(pid);
}

static void run_command(const struct place *place)
{
	(void)place;
	must(system("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"), "system");
}

static void fetch(void *place)
{
	ask_bytes(tcp_connect(AF_INET, ((const struct place *)place)->address));
}

static void wait_for_fetching_child(const struct place *place)
{
	reap(spawn(fetch, (void *)place));
}

static void stop_self(const struct place *place)
{
	begin_with_pid(place);
	raise(SIGSTOP);
}

static bool is_stopped(int pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		exit(1);
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'T';
}

static void continue_later(const struct place *place)
{
	pid_t pid;

	announce("-");
	pid = await_pid(place);
	while (!is_stopped(pid))
		pause_ms(1);
	pause_ms(ALL_WAITS_MS);
	must(kill(pid, SIGCONT), "kill");
}

const struct situation process_situations[] = {
	{ "wait4", wait_for_children, NULL },
	{ "waitid", waitid_for_children, NULL },
	{ "vfork", vfork_children, NULL },
	{ "pidfd_poll", poll_pidfd, NULL },
	{ "posix_spawn", spawn_shell, NULL },
	{ "system", run_command, NULL },
	{ "wait4_fetching", wait_for_fetching_child, answer_over_tcp },
	{ "stopped", stop_self, continue_later },
	{ NULL, NULL, NULL },
};
