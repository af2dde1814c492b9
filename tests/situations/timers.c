/* Waiting for time to pass, and for signals. */
#include "situation.h"
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static void nap(const struct place *place)
{
	(void)place;
	for (int i = 0; i < WAITS; i++)
		pause_ms(WAIT_MS);
}

static void nap_in_microseconds(const struct place *place)
{
	(void)place;
	for (int i = 0; i < WAITS; i++)
		usleep(WAIT_MS * 1000);
}

static void sleep_until_instants(const struct place *place)
{
	struct timespec next;

	(void)place;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int i = 0; i < WAITS; i++) {
		next.tv_nsec += WAIT_MS * 1000000;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

static void select_nothing(const struct place *place)
{
	(void)place;
	for (int i = 0; i < WAITS; i++) {
		struct timeval timeout = { .tv_usec = WAIT_MS * 1000 };

		must(select(0, NULL, NULL, NULL, &timeout), "select");
	}
}

static void poll_nothing(const struct place *place)
{
	(void)place;
	for (int i = 0; i < WAITS; i++)
		must(poll(NULL, 0, WAIT_MS), "poll");
}

static void read_timerfd(const struct place *place)
{
	struct itimerspec every = { .it_interval.tv_nsec = WAIT_MS * 1000000,
				    .it_value.tv_nsec = WAIT_MS * 1000000 };
	int fd = (int)must(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
	uint64_t expired;

	(void)place;
	must(timerfd_settime(fd, 0, &every, NULL), "timerfd_settime");
	for (int i = 0; i < WAITS; i++)
		must(read(fd, &expired, sizeof(expired)), "read");
}

static void heed(int signal_number)
{
	(void)signal_number;
}

static void ring_every_interval(void)
{
	struct itimerval every = { .it_interval.tv_usec = WAIT_MS * 1000,
				   .it_value.tv_usec = WAIT_MS * 1000 };

	signal(SIGALRM, heed);
	must(setitimer(ITIMER_REAL, &every, NULL), "setitimer");
}

static void pause_for_alarm(const struct place *place)
{
	(void)place;
	ring_every_interval();
	for (int i = 0; i < WAITS; i++)
		pause();
}

static void suspend_for_alarm(const struct place *place)
{
	sigset_t none;

	(void)place;
	sigemptyset(&none);
	ring_every_interval();
	for (int i = 0; i < WAITS; i++)
		sigsuspend(&none);
}

static void block_signal(int number, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, number);
	must(sigprocmask(SIG_BLOCK, set, NULL), "sigprocmask");
}

static void await_signal_until_timeout(const struct place *place)
{
	struct timespec timeout = { .tv_nsec = WAIT_MS * 1000000 };
	sigset_t set;

	(void)place;
	block_signal(SIGUSR1, &set);
	for (int i = 0; i < WAITS; i++)
		if (sigtimedwait(&set, NULL, &timeout) > 0)
			exit(1);
}

static void signal_program(const struct place *place)
{
	pid_t pid;

	announce("-");
	pid = await_pid(place);
	do
		pause_ms(WAIT_MS);
	while (!kill(pid, SIGUSR1));
}

static void await_signal(const struct place *place)
{
	sigset_t set;
	int number;

	block_signal(SIGUSR1, &set);
	begin_with_pid(place);
	for (int i = 0; i < WAITS; i++)
		must(-sigwait(&set, &number), "sigwait");
}

static void pause_for_signal(const struct place *place)
{
	signal(SIGUSR1, heed);
	begin_with_pid(place);
	for (int i = 0; i < WAITS; i++)
		pause();
}

const struct situation timer_situations[] = {
	{ "nanosleep", nap, NULL },
	{ "usleep", nap_in_microseconds, NULL },
	{ "clock_nanosleep", sleep_until_instants, NULL },
	{ "select_nothing", select_nothing, NULL },
	{ "poll_nothing", poll_nothing, NULL },
	{ "timerfd_read", read_timerfd, NULL },
	{ "pause_alarm", pause_for_alarm, NULL },
	{ "sigsuspend_alarm", suspend_for_alarm, NULL },
	{ "sigtimedwait_timeout", await_signal_until_timeout, NULL },
	{ "sigwait", await_signal, signal_program },
	{ "pause_signal", pause_for_signal, signal_program },
	{ NULL, NULL, NULL },
};
