/* Who serves a connection's far end: listeners of this process, and of one in another network. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "far_end.h"
#include "net_listeners.h"

#define LOOK_NS 10000000000ull

struct fixture {
	struct observation obs;
	struct far_ends ends;
	char self[64]; /* what this process is called as a far end */
};

static int setup(void **state)
{
	static struct fixture fixture;
	char comm[32] = "";
	FILE *in = fopen("/proc/self/comm", "r");

	if (!in || !fgets(comm, sizeof(comm), in))
		return 1;
	fclose(in);
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(fixture.self, sizeof(fixture.self), "%s[%d]", comm, (int)getpid());
	observation_init(&fixture.obs);
	far_ends_init(&fixture.ends, &fixture.obs);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	far_ends_release(&fixture->ends);
	observation_release(&fixture->obs);
	return 0;
}

static struct net_endpoint endpoint(const char *address, uint16_t port)
{
	struct net_endpoint made = { .port = port, .is_v6 = strchr(address, ':') };

	assert_int_equal(inet_pton(made.is_v6 ? AF_INET6 : AF_INET, address, made.address), 1);
	return made;
}

/* A socket of @type at *@port (0: of its own, which it tells); streams listen. */
static int serve_at(const char *address, int type, uint16_t *port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(*port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(*port) };
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	bool is_v6 = strchr(address, ':');
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, type, 0);

	if (is_v6)
		inet_pton(AF_INET6, address, &v6.sin6_addr);
	else
		inet_pton(AF_INET, address, &v4.sin_addr);
	if (bind(fd, is_v6 ? (void *)&v6 : (void *)&v4, is_v6 ? sizeof(v6) : sizeof(v4)) ||
	    (type == SOCK_STREAM && listen(fd, 4)) ||
	    getsockname(fd, (struct sockaddr *)&bound, &len)) {
		close(fd);
		return -1;
	}
	*port = ntohs(is_v6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
			    : ((struct sockaddr_in *)&bound)->sin_port);
	return fd;
}

static int serve(const char *address, int type, uint16_t *port)
{
	*port = 0;
	return serve_at(address, type, port);
}

static void ask(struct fixture *fixture, enum object_kind kind, const char *name,
		const char *address, uint16_t port)
{
	struct net_endpoint remote = endpoint(address, port);

	assert_int_equal(far_ends_ask(&fixture->ends, kind, name, &remote, 0, getpid()), 0);
}

static const char *answer(struct fixture *fixture, enum object_kind kind, const char *name)
{
	far_ends_look(&fixture->ends, 0, LOOK_NS, true);
	return far_ends_find(&fixture->ends, kind, name);
}

/* Serves at @served, asks for @asked at the same port. */
static const char *serve_and_ask(struct fixture *fixture, int type, const char *served,
				 const char *asked)
{
	enum object_kind kind = type == SOCK_STREAM ? OBJECT_TCP : OBJECT_UDP;
	uint16_t port = 0;
	int fd = serve(served, type, &port);
	const char *found;

	if (fd < 0 && strchr(served, ':'))
		skip(); /* no IPv6 here */
	assert_true(fd >= 0);
	ask(fixture, kind, "asked", asked, port);
	found = answer(fixture, kind, "asked");
	close(fd);
	return found;
}

static void listener_at_the_very_address(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(serve_and_ask(fixture, SOCK_STREAM, "127.0.0.1", "127.0.0.1"),
			    fixture->self);
}

static void listener_at_any_address(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(serve_and_ask(fixture, SOCK_STREAM, "0.0.0.0", "127.0.0.1"),
			    fixture->self);
}

static void listener_at_any_ipv6_address_serves_ipv4(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(serve_and_ask(fixture, SOCK_STREAM, "::", "127.0.0.1"), fixture->self);
}

static void listener_at_an_ipv6_address(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(serve_and_ask(fixture, SOCK_STREAM, "::1", "::1"), fixture->self);
}

static void listener_at_another_address(void **state)
{
	assert_string_equal(serve_and_ask(*state, SOCK_STREAM, "127.0.0.1", "127.0.0.2"), "");
}

static void datagram_socket(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(serve_and_ask(fixture, SOCK_DGRAM, "127.0.0.1", "127.0.0.1"),
			    fixture->self);
}

static void nobody_listens(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;
	int fd = serve("127.0.0.1", SOCK_STREAM, &port);

	close(fd);
	ask(fixture, OBJECT_TCP, "asked", "127.0.0.1", port);
	assert_string_equal(answer(fixture, OBJECT_TCP, "asked"), "");
}

static void unix_listener_by_its_name(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct net_endpoint none = { 0 };
	char name[64];
	int len = snprintf(address.sun_path + 1, 64, "classify-far-end-%d", (int)getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 4), 0);
	snprintf(name, sizeof(name), "@%.60s", address.sun_path + 1);
	assert_int_equal(far_ends_ask(&fixture->ends, OBJECT_UNIX, name, &none, 0, getpid()), 0);
	assert_string_equal(answer(fixture, OBJECT_UNIX, name), fixture->self);
	close(fd);
}

static void asked_for_while_a_scan_is_under_way(void **state)
{
	struct fixture *fixture = *state;
	uint16_t first, second;
	int one = serve("127.0.0.1", SOCK_STREAM, &first);
	int other = serve("127.0.0.1", SOCK_STREAM, &second);

	ask(fixture, OBJECT_TCP, "first", "127.0.0.1", first);
	far_ends_look(&fixture->ends, 0, 0, false);
	ask(fixture, OBJECT_TCP, "second", "127.0.0.1", second);
	assert_string_equal(answer(fixture, OBJECT_TCP, "first"), fixture->self);
	assert_string_equal(answer(fixture, OBJECT_TCP, "second"), fixture->self);
	close(one);
	close(other);
}

static void one_scan_a_second(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;
	int fd = serve("127.0.0.1", SOCK_STREAM, &port);

	ask(fixture, OBJECT_TCP, "nobody", "127.0.0.9", port);
	far_ends_look(&fixture->ends, 1, LOOK_NS, false);
	ask(fixture, OBJECT_TCP, "somebody", "127.0.0.1", port);
	far_ends_look(&fixture->ends, 2, LOOK_NS, false);
	assert_string_equal(far_ends_find(&fixture->ends, OBJECT_TCP, "somebody"), "");
	far_ends_look(&fixture->ends, 1000000001, LOOK_NS, false);
	assert_string_equal(far_ends_find(&fixture->ends, OBJECT_TCP, "somebody"), fixture->self);
	close(fd);
}

static void listener_that_came_late(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;
	int fd = serve("127.0.0.1", SOCK_DGRAM, &port);

	ask(fixture, OBJECT_UDP, "found at once", "127.0.0.1", port);
	ask(fixture, OBJECT_UDP, "asked", "127.0.0.2", port);
	far_ends_look(&fixture->ends, 1, LOOK_NS, false);
	assert_string_equal(far_ends_find(&fixture->ends, OBJECT_UDP, "asked"), "");
	close(fd);
	fd = serve_at("127.0.0.2", SOCK_DGRAM, &port);
	assert_string_equal(answer(fixture, OBJECT_UDP, "asked"), fixture->self);
	close(fd);
}

/* Serves in a network of its own until it is killed; writes its port. */
static void serve_elsewhere(int to)
{
	uint16_t port = 0;

	if (!unshare(CLONE_NEWNET) && serve("0.0.0.0", SOCK_STREAM, &port) < 0)
		port = 0;
	if (write(to, &port, sizeof(port)) == sizeof(port))
		pause();
	_exit(0);
}

static void the_same_address_in_another_network(void **state)
{
	struct fixture *fixture = *state;
	struct net_endpoint remote;
	char expected[64];
	uint16_t port = 0;
	int tell[2];
	pid_t child;

	assert_int_equal(pipe(tell), 0);
	child = fork();
	if (!child)
		serve_elsewhere(tell[1]);
	assert_int_equal(read(tell[0], &port, sizeof(port)), sizeof(port));
	if (port) {
		ask(fixture, OBJECT_TCP, "here", "127.0.0.1", port);
		remote = endpoint("127.0.0.1", port);
		far_ends_ask(&fixture->ends, OBJECT_TCP, "there", &remote, 0, child);
		far_ends_ask(&fixture->ends, OBJECT_TCP, "both", &remote, 0, child);
		far_ends_ask(&fixture->ends, OBJECT_TCP, "both", &remote,
			     net_namespace_of(getpid()), getpid());
		snprintf(expected, sizeof(expected), "test_far_end[%d]", (int)child);
		assert_string_equal(answer(fixture, OBJECT_TCP, "here"), "");
		assert_string_equal(answer(fixture, OBJECT_TCP, "there"), expected);
		assert_string_equal(answer(fixture, OBJECT_TCP, "both"), "");
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(tell[0]);
	close(tell[1]);
	if (!port)
		skip(); /* no right to make a network namespace */
}

static void which_connections_stay_here(void **state)
{
	static const struct {
		const char *local, *remote;
		bool is_here;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", true },
		{ "10.0.0.5", "127.0.0.53", true },
		{ "10.0.0.5", "10.0.0.5", true },
		{ "10.0.0.5", "10.0.0.6", false },
		{ "::1", "::1", true },
		{ "fd00::2", "fd00::2", true },
		{ "fd00::2", "2001:db8::1", false },
		{ "::ffff:10.0.0.5", "10.0.0.5", true },
		{ "::", "::ffff:127.0.0.1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct net_endpoint local = endpoint(cases[i].local, 1);
		struct net_endpoint remote = endpoint(cases[i].remote, 2);

		assert_int_equal(far_end_is_here(&local, &remote), cases[i].is_here);
	}
}

#define FAR_END_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAR_END_TEST(listener_at_the_very_address),
		FAR_END_TEST(listener_at_any_address),
		FAR_END_TEST(listener_at_any_ipv6_address_serves_ipv4),
		FAR_END_TEST(listener_at_an_ipv6_address),
		FAR_END_TEST(listener_at_another_address),
		FAR_END_TEST(datagram_socket),
		FAR_END_TEST(nobody_listens),
		FAR_END_TEST(unix_listener_by_its_name),
		FAR_END_TEST(asked_for_while_a_scan_is_under_way),
		FAR_END_TEST(one_scan_a_second),
		FAR_END_TEST(listener_that_came_late),
		FAR_END_TEST(the_same_address_in_another_network),
		FAR_END_TEST(which_connections_stay_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
