/* Whom a socket speaks to, seen live: what must not be taken for the same, because a port, a
 * descriptor or a moment is. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"
#include "ebpf_world.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* since 6.3 */
#endif

/* Below the range from which the kernel takes ports. */
#define LOW_PORT     20000
#define LOW_PORT_CNT 1000
#define POLL_CNT     20

/* The child is a copy of the test, so what it needs it finds where the test put it. */
static struct {
	struct sockaddr_in inet, other_inet;
	struct sockaddr_un local[2];
	socklen_t local_len[2];
	int fd, other_fd;
	char name[WORLD_NAME_BYTES], other_name[WORLD_NAME_BYTES];
} world;

static int read_one(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : 1;
}

static void assert_ended_well(const struct live *live)
{
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

static int connect_inet(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&world.inet, sizeof(world.inet)), 0);
	return fd;
}

/* --- ports that were listened on --- */

static int serve_and_close_listener(void *unused)
{
	int client;

	(void)unused;
	if (listen(world.fd, 1))
		return 1;
	client = accept(world.fd, NULL, NULL);
	close(world.fd);
	return read_one(client);
}

static void an_accepted_connection_outlives_its_listener(void **state)
{
	struct live *live = *state;
	int client;

	/* Asked for by number, but from where the kernel takes ports. */
	close(world_tcp_socket(&world.inet, world.name));
	world.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(world.fd, (struct sockaddr *)&world.inet, sizeof(world.inet)), 0);
	live_begin(live, serve_and_close_listener, NULL);
	close(world.fd);
	live_until_blocked(live, live->pid, SYS_accept, LIVE_ANY, 1);
	client = connect_inet();
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_ACCEPT, OBJECT_TCP, DIRECTION_INBOUND, world.name);
	assert_int_equal(live_wait_ns(live, WAIT_NETWORK), 0);
	close(client);
}

static int read_fd(void *unused)
{
	(void)unused;
	return read_one(world.fd);
}

/* A socket bound to a port that no socket is bound to unless it asks for it by number. */
static int low_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	world.inet = (struct sockaddr_in){ .sin_family = AF_INET,
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	for (int i = 0; i < LOW_PORT_CNT; i++) {
		world.inet.sin_port = htons((uint16_t)(LOW_PORT + i));
		if (bind(fd, (struct sockaddr *)&world.inet, sizeof(world.inet)))
			continue;
		snprintf(world.name, sizeof(world.name), "127.0.0.1:%d", LOW_PORT + i);
		return fd;
	}
	fail_msg("no free port");
	return -1;
}

/* Nobody watched while there was a listener. */
static void attach_knows_a_connection_whose_listener_is_gone(void **state)
{
	struct live *live = *state;
	int server, client;

	server = low_socket();
	assert_int_equal(listen(server, 1), 0);
	client = connect_inet();
	world.fd = accept(server, NULL, NULL);
	close(server);
	live_attach(live, read_fd, NULL, SYS_read, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_ACCEPT, OBJECT_TCP, DIRECTION_INBOUND, world.name);
	assert_int_equal(live_wait_ns(live, WAIT_NETWORK), 0);
	close(world.fd);
	close(client);
}

static int listen_once(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1, error;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	error = bind(fd, (struct sockaddr *)&world.other_inet, sizeof(world.other_inet)) ||
		listen(fd, 1);
	close(fd);
	return error;
}

static int ask_at(int fd)
{
	if (connect(fd, (struct sockaddr *)&world.inet, sizeof(world.inet)))
		return 1;
	return read_one(fd);
}

static int ask_from_port_by_number(void *unused)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)unused;
	if (listen_once() ||
	    bind(fd, (struct sockaddr *)&world.other_inet, sizeof(world.other_inet)))
		return 1;
	return ask_at(fd);
}

/* The kernel's choice of a port is narrowed to the one. */
static int ask_from_port_by_chance(void *unused)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint32_t port = ntohs(world.other_inet.sin_port), range = port | port << 16;

	(void)unused;
	if (listen_once() || setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range)))
		return 1;
	return ask_at(fd);
}

static void assert_asks_from_port(struct live *live, int (*program)(void *))
{
	int server = world_tcp_socket(&world.inet, world.name), client;
	struct timeval deadline = { .tv_sec = LIVE_DEADLINE_S };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	close(world_tcp_socket(&world.other_inet, world.other_name));
	assert_int_equal(listen(server, 1), 0);
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	live_begin(live, program, NULL);
	client = accept(server, NULL, NULL);
	assert_true(client >= 0);
	assert_int_equal(getpeername(client, (struct sockaddr *)&from, &len), 0);
	assert_int_equal(from.sin_port, world.other_inet.sin_port);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_NETWORK, OBJECT_TCP, DIRECTION_OUTBOUND, world.name);
	assert_int_equal(live_wait_ns(live, WAIT_ACCEPT), 0);
	close(client);
	close(server);
}

static void a_client_bound_to_such_a_port_is_outbound(void **state)
{
	assert_asks_from_port(*state, ask_from_port_by_number);
}

static void a_client_given_such_a_port_is_outbound(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint32_t range = 0;
	bool has_range = !setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range));

	close(fd);
	if (!has_range) {
		print_message("SKIPPED: this kernel has no IP_LOCAL_PORT_RANGE\n");
		skip();
	}
	assert_asks_from_port(*state, ask_from_port_by_chance);
}

/* --- one socket, several far ends --- */

static void until_readable(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&polled, 1, LIVE_DEADLINE_S * 1000), 1);
}

static int udp_socket(struct sockaddr_in *address, char *name)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	snprintf(name, WORLD_NAME_BYTES, "127.0.0.1:%u", ntohs(address->sin_port));
	return fd;
}

static int ask_two_over_udp(void *unused)
{
	const struct sockaddr_in *servers[] = { &world.inet, &world.other_inet };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), error = 0;

	(void)unused;
	for (int i = 0; i < 2 && !error; i++)
		error = connect(fd, (const struct sockaddr *)servers[i], sizeof(*servers[i])) ||
			send(fd, "x", 1, 0) != 1 || read_one(fd);
	return error;
}

static void answer_over_udp(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char byte;

	assert_int_equal(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len), 1);
	assert_int_equal(sendto(fd, &byte, 1, 0, (struct sockaddr *)&from, len), 1);
}

static void a_udp_socket_asks_whom_it_is_connected_to(void **state)
{
	struct live *live = *state;
	int first = udp_socket(&world.inet, world.name);
	int second = udp_socket(&world.other_inet, world.other_name);

	live_begin(live, ask_two_over_udp, NULL);
	until_readable(first);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	answer_over_udp(first);
	until_readable(second);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	answer_over_udp(second);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_NETWORK, OBJECT_UDP, DIRECTION_OUTBOUND, world.name);
	live_row(live, WAIT_NETWORK, OBJECT_UDP, DIRECTION_OUTBOUND, world.other_name);
	close(second);
	close(first);
}

/* Of unix datagrams only sending waits for the far end: until that has room. */
static int send_to_two(void *unused)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)unused;
	for (int i = 0; i < 2; i++) {
		if (connect(fd, (struct sockaddr *)&world.local[i], world.local_len[i]))
			return 1;
		while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
			;
		if (errno != EAGAIN || write(fd, "x", 1) != 1)
			return 1;
	}
	return 0;
}

static int unix_server(int i, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	world.local[i] = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(world.local[i].sun_path, sizeof(world.local[i].sun_path), "%s", path);
	world.local_len[i] = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	world.local[i].sun_path[0] = 0; /* abstract */
	assert_int_equal(bind(fd, (struct sockaddr *)&world.local[i], world.local_len[i]), 0);
	return fd;
}

static void a_unix_datagram_goes_to_whom_it_is_connected_to(void **state)
{
	struct live *live = *state;
	char paths[2][64];
	int servers[2];

	for (int i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "@classify-sockets-%d-%d", getpid(), i);
		servers[i] = unix_server(i, paths[i]);
	}
	live_begin(live, send_to_two, NULL);
	for (int i = 0; i < 2; i++) {
		until_readable(servers[i]);
		live_until_blocked(live, live->pid, SYS_write, LIVE_ANY, 1);
		assert_int_equal(read_one(servers[i]), 0);
	}
	live_end(live);
	assert_ended_well(live);
	for (int i = 0; i < 2; i++) {
		live_row(live, WAIT_IPC, OBJECT_UNIX, DIRECTION_OUTBOUND, paths[i]);
		close(servers[i]);
	}
}

/* --- one moment, several files --- */

static void *send_and_wake(void *unused)
{
	uint64_t one = 1;

	(void)unused;
	for (int i = 0; i < POLL_CNT; i++) {
		struct timespec pause = { .tv_nsec = 2000000 };

		nanosleep(&pause, NULL);
		send(world.fd, "x", 1, MSG_DONTWAIT);
		if (write(world.other_fd, &one, sizeof(one)) != sizeof(one))
			return &world;
	}
	return NULL;
}

/* A worker answers somebody and then wakes the thread that polls, as servers with a pool do. */
static int poll_beside_sender(void *unused)
{
	int ends[2], never[2];
	struct pollfd polled[2] = { { .events = POLLIN }, { .events = POLLIN } };
	uint64_t count;
	pthread_t worker;
	void *failed;

	(void)unused;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || pipe(never))
		return 1;
	world.fd = ends[0];
	polled[0].fd = world.other_fd = eventfd(0, 0);
	polled[1].fd = never[0];
	if (pthread_create(&worker, NULL, send_and_wake, NULL))
		return 1;
	for (uint64_t sum = 0; sum < POLL_CNT; sum += count)
		if (poll(polled, 2, -1) < 1 ||
		    read(world.other_fd, &count, sizeof(count)) != sizeof(count))
			return 1;
	pthread_join(worker, &failed);
	return failed ? 1 : 0;
}

static void who_polls_an_eventfd_is_woken_by_it(void **state)
{
	struct live *live = *state;

	live_begin(live, poll_beside_sender, NULL);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_SYNC, OBJECT_ANON, DIRECTION_NONE, "eventfd");
	for (size_t i = 0; i < live->obs.wait_cnt; i++)
		assert_int_not_equal(live->obs.waits[i].kind, OBJECT_UNIX);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(an_accepted_connection_outlives_its_listener),
		LIVE_TEST(attach_knows_a_connection_whose_listener_is_gone),
		LIVE_TEST(a_client_bound_to_such_a_port_is_outbound),
		LIVE_TEST(a_client_given_such_a_port_is_outbound),
		LIVE_TEST(a_udp_socket_asks_whom_it_is_connected_to),
		LIVE_TEST(a_unix_datagram_goes_to_whom_it_is_connected_to),
		LIVE_TEST(who_polls_an_eventfd_is_woken_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
