/* Waiting for whichever of several descriptors is ready first: select, poll, epoll. */
#include "situation.h"
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* --- poll and select --- */

static void poll_one(const struct place *place)
{
	struct pollfd polled = { .fd = tcp_connect(AF_INET, place->address), .events = POLLIN };

	for (int i = 0; i < WAITS; i++) {
		give_byte(polled.fd);
		must(poll(&polled, 1, -1), "poll");
		take_byte(polled.fd);
	}
}

static void ppoll_one(const struct place *place)
{
	struct pollfd polled = { .fd = tcp_connect(AF_INET, place->address), .events = POLLIN };
	struct timespec timeout = { .tv_sec = 10 };

	for (int i = 0; i < WAITS; i++) {
		give_byte(polled.fd);
		must(ppoll(&polled, 1, &timeout, NULL), "ppoll");
		take_byte(polled.fd);
	}
}

/* Only the last of them ever becomes ready. */
static void poll_several(const struct place *place)
{
	int fds[2], fd = tcp_connect(AF_INET, place->address);
	struct pollfd polled[] = {
		{ .fd = eventfd(0, 0), .events = POLLIN },
		{ .fd = udp_bound(), .events = POLLIN },
		{ .fd = pipe(fds) ? -1 : fds[0], .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		must(poll(polled, sizeof(polled) / sizeof(polled[0]), -1), "poll");
		take_byte(fd);
	}
}

static void poll_until_timeout(const struct place *place)
{
	struct pollfd polled = { .fd = tcp_connect(AF_INET, place->address), .events = POLLIN };

	for (int i = 0; i < WAITS; i++)
		if (poll(&polled, 1, WAIT_MS))
			exit(1);
}

static void poll_pipe(const struct place *place)
{
	struct pollfd polled = { .fd = STDIN_FILENO, .events = POLLIN };

	begin(place);
	for (int i = 0; i < WAITS; i++) {
		must(poll(&polled, 1, -1), "poll");
		take_byte(STDIN_FILENO);
	}
}

static void select_one(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address);
	fd_set set;

	for (int i = 0; i < WAITS; i++) {
		FD_ZERO(&set);
		FD_SET(fd, &set);
		give_byte(fd);
		must(select(fd + 1, &set, NULL, NULL, NULL), "select");
		take_byte(fd);
	}
}

/* --- epoll --- */

static int loop_with(int fd)
{
	int loop = (int)must(epoll_create1(0), "epoll_create1");
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	must(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	return loop;
}

static void await(int loop)
{
	struct epoll_event event;

	must(epoll_wait(loop, &event, 1, -1), "epoll_wait");
}

static void epoll_client(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address), loop = loop_with(fd);

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		await(loop);
		take_byte(fd);
	}
}

static void epoll_nested(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address), loop = loop_with(loop_with(fd));

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		await(loop);
		take_byte(fd);
	}
}

static void epoll_accept(const struct place *place)
{
	int server = tcp_server_at(place->address), loop = loop_with(server);

	for (int i = 0; i < WAITS; i++) {
		await(loop);
		close((int)must(accept(server, NULL, NULL), "accept"));
	}
}

static void epoll_inbound(const struct place *place)
{
	int fd = (int)must(accept(tcp_server_at(place->address), NULL, NULL), "accept");
	int loop = loop_with(fd);

	for (int i = 0; i < WAITS; i++) {
		await(loop);
		take_byte(fd);
	}
}

static void epoll_stdin(const struct place *place)
{
	int loop = loop_with(STDIN_FILENO);

	begin(place);
	for (int i = 0; i < WAITS; i++) {
		await(loop);
		take_byte(STDIN_FILENO);
	}
}

static void child_computes_and_posts(void *fd)
{
	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		must(eventfd_write(*(int *)fd, 1), "eventfd_write");
	}
}

static void epoll_eventfd(const struct place *place)
{
	int fd = (int)must(eventfd(0, EFD_SEMAPHORE), "eventfd"), loop = loop_with(fd);
	pid_t child = spawn(child_computes_and_posts, &fd);
	eventfd_t value;

	(void)place;
	for (int i = 0; i < WAITS; i++) {
		await(loop);
		must(eventfd_read(fd, &value), "eventfd_read");
	}
	reap(child);
}

static void epoll_timerfd(const struct place *place)
{
	struct itimerspec every = { .it_interval.tv_nsec = WAIT_MS * 1000000,
				    .it_value.tv_nsec = WAIT_MS * 1000000 };
	int fd = (int)must(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
	int loop = loop_with(fd);
	uint64_t expired;

	(void)place;
	must(timerfd_settime(fd, 0, &every, NULL), "timerfd_settime");
	for (int i = 0; i < WAITS; i++) {
		await(loop);
		must(read(fd, &expired, sizeof(expired)), "read");
	}
}

static void child_computes_and_signals(void *unused)
{
	(void)unused;
	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		must(kill(getppid(), SIGUSR1), "kill");
	}
}

static void epoll_signalfd(const struct place *place)
{
	struct signalfd_siginfo info;
	int fd, loop;
	sigset_t set;
	pid_t child;

	(void)place;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	fd = (int)must(signalfd(-1, &set, 0), "signalfd");
	loop = loop_with(fd);
	child = spawn(child_computes_and_signals, NULL);
	for (int i = 0; i < WAITS; i++) {
		await(loop);
		must(read(fd, &info, sizeof(info)), "read");
	}
	reap(child);
}

static void epoll_until_timeout(const struct place *place)
{
	int loop = loop_with(tcp_connect(AF_INET, place->address));
	struct epoll_event event;

	for (int i = 0; i < WAITS; i++)
		if (epoll_wait(loop, &event, 1, WAIT_MS))
			exit(1);
}

const struct situation loop_situations[] = {
	{ "poll_one", poll_one, answer_over_tcp },
	{ "ppoll_one", ppoll_one, answer_over_tcp },
	{ "poll_several", poll_several, answer_over_tcp },
	{ "poll_timeout", poll_until_timeout, answer_over_tcp },
	{ "poll_pipe", poll_pipe, give_to_stdin },
	{ "select_one", select_one, answer_over_tcp },
	{ "epoll_client", epoll_client, answer_over_tcp },
	{ "epoll_nested", epoll_nested, answer_over_tcp },
	{ "epoll_accept", epoll_accept, come_and_go_over_tcp },
	{ "epoll_inbound", epoll_inbound, ask_over_tcp },
	{ "epoll_pipe", epoll_stdin, give_to_stdin },
	{ "epoll_eventfd", epoll_eventfd, NULL },
	{ "epoll_timerfd", epoll_timerfd, NULL },
	{ "epoll_signalfd", epoll_signalfd, NULL },
	{ "epoll_timeout", epoll_until_timeout, answer_over_tcp },
	{ NULL, NULL, NULL },
};
