/* Waiting at TCP sockets: as a client, as a server, and as the heir of one. */
#include "situation.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/time.h>
#include <unistd.h>

/* --- partners --- */

static int served(int family)
{
	int server = tcp_server(family);

	announce_port(server);
	return (int)must(accept(server, NULL, NULL), "accept");
}

static void answer_over_ipv6(const struct place *place)
{
	(void)place;
	answer_bytes(served(AF_INET6));
}

static void never_answer(const struct place *place)
{
	(void)place;
	hold_until_end(served(AF_INET));
}

static void read_slowly(const struct place *place)
{
	int server = tcp_server(AF_INET);

	(void)place;
	shrink_buffers(server);
	announce_port(server);
	drain_slowly((int)must(accept(server, NULL, NULL), "accept"));
}

/* Its queue of connections is full, so that it answers no more of them. */
static void never_accept(const struct place *place)
{
	int server = tcp_server(AF_INET);
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	(void)place;
	must(listen(server, 0), "listen");
	must(getsockname(server, (struct sockaddr *)&address, &len), "getsockname");
	must(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, len), "connect");
	announce_port(server);
	hold_until_end(server);
}

static void ask_and_read_slowly(const struct place *place)
{
	(void)place;
	drain_slowly(tcp_connect_to_program());
}

static void reserve_port(const struct place *place)
{
	int server = tcp_server(AF_INET);

	(void)place;
	announce_port(server);
	close(server);
}

/* Its standard input is the program's listening socket, at whose address it calls. */
static void come_and_go_at_stdin(const struct place *place)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	must(getsockname(STDIN_FILENO, (struct sockaddr *)&address, &len), "getsockname");
	announce_port(STDIN_FILENO);
	close(STDIN_FILENO);
	await_begin(place);
	for (;;) {
		int fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");

		pause_ms(WAIT_MS);
		if (connect(fd, (struct sockaddr *)&address, len))
			return;
		close(fd);
	}
}

/* Announces the port that its standard input is connected to. */
static void give_over_connection(const struct place *place)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	must(getpeername(STDIN_FILENO, (struct sockaddr *)&address, &len), "getpeername");
	announce("%d", ntohs(address.sin_port));
	await_begin(place);
	give_bytes(STDIN_FILENO);
}

/* --- programs --- */

static void recv_answers(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address);
	char byte;

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		must(recv(fd, &byte, 1, 0), "recv");
	}
}

static void read_answers(const struct place *place)
{
	ask_bytes(tcp_connect(AF_INET, place->address));
}

static void recvmsg_answers(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address);
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		must(recvmsg(fd, &message, 0), "recvmsg");
	}
}

static void recv_over_ipv6(const struct place *place)
{
	int fd = tcp_connect(AF_INET6, place->address);
	char byte;

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		must(recv(fd, &byte, 1, 0), "recv");
	}
}

static void recv_until_timeout(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address);
	struct timeval timeout = { .tv_usec = WAIT_MS * 1000 };
	char byte;

	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), "SO_RCVTIMEO");
	for (int i = 0; i < WAITS; i++)
		if (recv(fd, &byte, 1, 0) >= 0)
			exit(1);
}

static void connect_until_timeout(const struct place *place)
{
	int fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct timeval timeout = { .tv_usec = ALL_WAITS_MS * 1000 };
	struct sockaddr_storage address;
	socklen_t len = loopback(AF_INET, atoi(place->address), &address);

	must(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)), "SO_SNDTIMEO");
	if (!connect(fd, (struct sockaddr *)&address, len))
		exit(1);
}

static void send_to_slow_reader(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address);

	shrink_buffers(fd);
	fill(fd);
}

static void accept_clients(const struct place *place)
{
	int server = tcp_server_at(place->address);

	for (int i = 0; i < WAITS; i++)
		close((int)must(accept(server, NULL, NULL), "accept"));
}

static void recv_from_client(const struct place *place)
{
	int fd = (int)must(accept(tcp_server_at(place->address), NULL, NULL), "accept");

	take_bytes(fd);
}

static void recv_without_listener(const struct place *place)
{
	int server = tcp_server_at(place->address);
	int fd = (int)must(accept(server, NULL, NULL), "accept");

	close(server);
	take_bytes(fd);
}

static void send_to_slow_client(const struct place *place)
{
	int fd = (int)must(accept(tcp_server_at(place->address), NULL, NULL), "accept");

	shrink_buffers(fd);
	fill(fd);
}

/* A connection to a slow client, which is written to only when there is room. */
static int slow_client(const struct place *place)
{
	int fd = (int)must(accept(tcp_server_at(place->address), NULL, NULL), "accept");

	shrink_buffers(fd);
	must(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	return fd;
}

static void write_page(int fd)
{
	static const char page[PAGE_BYTES];

	if (write(fd, page, sizeof(page)) < 0 && errno != EAGAIN)
		must(-1, "write");
}

static void poll_slow_client(const struct place *place)
{
	struct pollfd polled = { .fd = slow_client(place), .events = POLLOUT };
	long end = now_ms() + ALL_WAITS_MS;

	while (now_ms() < end) {
		must(poll(&polled, 1, -1), "poll");
		write_page(polled.fd);
	}
}

static void select_slow_client(const struct place *place)
{
	int fd = slow_client(place);
	long end = now_ms() + ALL_WAITS_MS;
	fd_set set;

	while (now_ms() < end) {
		FD_ZERO(&set);
		FD_SET(fd, &set);
		must(select(fd + 1, NULL, &set, NULL, NULL), "select");
		write_page(fd);
	}
}

static void child_takes_bytes(void *fd)
{
	take_bytes(*(int *)fd);
}

/* The listener's process goes on to accept(), for a part of the time that its child serves. */
static void fork_for_client(const struct place *place)
{
	int server = tcp_server_at(place->address);
	int fd = (int)must(accept(server, NULL, NULL), "accept");
	pid_t child = spawn(child_takes_bytes, &fd);
	struct timeval timeout = { .tv_usec = ALL_WAITS_MS / 4 * 1000 };

	must(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), "SO_RCVTIMEO");
	accept(server, NULL, NULL);
	reap(child);
}

static void child_accepts(void *port)
{
	int server = tcp_server_at(port);
	struct timeval timeout = { .tv_usec = ALL_WAITS_MS * 1000 };

	must(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), "SO_RCVTIMEO");
	accept(server, NULL, NULL);
}

/* Two processes, each with a listening socket of its own at the same port. */
static void accept_at_shared_port(const struct place *place)
{
	pid_t child = spawn(child_accepts, (void *)place->address);

	child_accepts((void *)place->address);
	reap(child);
}

/* The listening socket was made before the program began: it is its standard input. */
static void accept_at_inherited(const struct place *place)
{
	begin(place);
	for (int i = 0; i < WAITS; i++)
		close((int)must(accept(STDIN_FILENO, NULL, NULL), "accept"));
}

/* As under inetd: the standard input is a connection that somebody else accepted. */
static void recv_from_inherited(const struct place *place)
{
	begin(place);
	take_bytes(STDIN_FILENO);
}

const struct situation tcp_situations[] = {
	{ "tcp_recv", recv_answers, answer_over_tcp },
	{ "tcp_read", read_answers, answer_over_tcp },
	{ "tcp_recvmsg", recvmsg_answers, answer_over_tcp },
	{ "tcp_recv_ipv6", recv_over_ipv6, answer_over_ipv6 },
	{ "tcp_recv_timeout", recv_until_timeout, never_answer },
	{ "tcp_connect", connect_until_timeout, never_accept },
	{ "tcp_send", send_to_slow_reader, read_slowly },
	{ "tcp_accept", accept_clients, come_and_go_over_tcp },
	{ "tcp_recv_inbound", recv_from_client, ask_over_tcp },
	{ "tcp_listener_closed", recv_without_listener, ask_over_tcp },
	{ "tcp_send_inbound", send_to_slow_client, ask_and_read_slowly },
	{ "tcp_poll_to_send", poll_slow_client, ask_and_read_slowly },
	{ "tcp_select_to_send", select_slow_client, ask_and_read_slowly },
	{ "tcp_fork_for_client", fork_for_client, ask_over_tcp },
	{ "tcp_shared_port", accept_at_shared_port, reserve_port },
	{ "tcp_listener_inherited", accept_at_inherited, come_and_go_at_stdin },
	{ "tcp_connection_inherited", recv_from_inherited, give_over_connection },
	{ NULL, NULL, NULL },
};
