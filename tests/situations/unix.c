/* Waiting at unix sockets: with a path, with an abstract name, and in pairs. */
#include "situation.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t at_path(const struct place *place, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(address->sun_path, sizeof(address->sun_path), "%s/socket", place->dir);
	return (socklen_t)sizeof(*address);
}

static socklen_t at_abstract(const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static int bound(int type, const struct sockaddr_un *address, socklen_t len)
{
	int fd = (int)must(socket(AF_UNIX, type, 0), "socket");

	must(bind(fd, (const struct sockaddr *)address, len), "bind");
	return fd;
}

static int listening(const struct sockaddr_un *address, socklen_t len)
{
	int fd = bound(SOCK_STREAM, address, len);

	must(listen(fd, 16), "listen");
	return fd;
}

static int connected(int type, const struct sockaddr_un *address, socklen_t len)
{
	int fd = (int)must(socket(AF_UNIX, type, 0), "socket");

	must(connect(fd, (const struct sockaddr *)address, len), "connect");
	return fd;
}

/* Connects to the program's socket once that is there. */
static int connected_to_program(int type, const struct place *place)
{
	struct sockaddr_un address;
	socklen_t len = at_path(place, &address);
	int fd = (int)must(socket(AF_UNIX, type, 0), "socket");

	while (connect(fd, (struct sockaddr *)&address, len)) {
		if (errno != ENOENT && errno != ECONNREFUSED)
			must(-1, "connect");
		pause_ms(1);
	}
	return fd;
}

/* --- partners --- */

static void answer(const struct place *place)
{
	struct sockaddr_un address;
	int server = listening(&address, at_path(place, &address));

	announce("-");
	answer_bytes((int)must(accept(server, NULL, NULL), "accept"));
}

static void answer_at_abstract(const struct place *place)
{
	struct sockaddr_un address;
	char name[32];
	int server;

	(void)place;
	snprintf(name, sizeof(name), "situation-%d", getpid());
	server = listening(&address, at_abstract(name, &address));
	announce("%s", name);
	answer_bytes((int)must(accept(server, NULL, NULL), "accept"));
}

static void read_slowly(const struct place *place)
{
	struct sockaddr_un address;
	int server = listening(&address, at_path(place, &address));

	announce("-");
	drain_slowly((int)must(accept(server, NULL, NULL), "accept"));
}

/* The queue of a datagram socket is full after a few, and nobody reads on. */
static void take_datagrams_slowly(const struct place *place)
{
	struct sockaddr_un address;
	int fd = bound(SOCK_DGRAM, &address, at_path(place, &address));

	announce("-");
	drain_slowly(fd);
}

static void ask(const struct place *place)
{
	announce("-");
	give_bytes(connected_to_program(SOCK_STREAM, place));
}

static void send_datagrams(const struct place *place)
{
	announce("-");
	give_bytes(connected_to_program(SOCK_DGRAM, place));
}

static void come_and_go(const struct place *place)
{
	announce("-");
	for (int i = 0; i <= WAITS; i++) {
		close(connected_to_program(SOCK_STREAM, place));
		pause_ms(WAIT_MS);
	}
}

static void answer_over_pair(const struct place *place)
{
	(void)place;
	announce("-");
	answer_bytes(STDIN_FILENO);
}

/* --- programs --- */

static void recv_answers(const struct place *place)
{
	struct sockaddr_un address;

	ask_bytes(connected(SOCK_STREAM, &address, at_path(place, &address)));
}

static void recv_from_abstract(const struct place *place)
{
	struct sockaddr_un address;

	ask_bytes(connected(SOCK_STREAM, &address, at_abstract(place->address, &address)));
}

static void send_to_slow_reader(const struct place *place)
{
	struct sockaddr_un address;
	int fd = connected(SOCK_STREAM, &address, at_path(place, &address));

	shrink_buffers(fd);
	fill(fd);
}

static void send_datagrams_to_slow_reader(const struct place *place)
{
	struct sockaddr_un address;

	fill(connected(SOCK_DGRAM, &address, at_path(place, &address)));
}

static void accept_clients(const struct place *place)
{
	struct sockaddr_un address;
	int server = listening(&address, at_path(place, &address));

	for (int i = 0; i < WAITS; i++)
		close((int)must(accept(server, NULL, NULL), "accept"));
}

static void recv_from_client(const struct place *place)
{
	struct sockaddr_un address;
	int server = listening(&address, at_path(place, &address));

	take_bytes((int)must(accept(server, NULL, NULL), "accept"));
}

static void recv_datagrams(const struct place *place)
{
	struct sockaddr_un address;

	take_bytes(bound(SOCK_DGRAM, &address, at_path(place, &address)));
}

static void ask_over_inherited_pair(const struct place *place)
{
	(void)place;
	ask_bytes(STDIN_FILENO);
}

static void child_computes_and_answers(void *fd)
{
	for (int i = 0; i < WAITS; i++) {
		take_byte(*(int *)fd);
		burn_ms(WAIT_MS);
		give_byte(*(int *)fd);
	}
}

static void ask_child_over_pair(const struct place *place)
{
	int pair[2];
	pid_t child;

	(void)place;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	child = spawn(child_computes_and_answers, &pair[1]);
	ask_bytes(pair[0]);
	reap(child);
}

const struct situation unix_situations[] = {
	{ "unix_read", recv_answers, answer },
	{ "unix_read_abstract", recv_from_abstract, answer_at_abstract },
	{ "unix_write", send_to_slow_reader, read_slowly },
	{ "unix_datagram_write", send_datagrams_to_slow_reader, take_datagrams_slowly },
	{ "unix_accept", accept_clients, come_and_go },
	{ "unix_read_inbound", recv_from_client, ask },
	{ "unix_datagram_read", recv_datagrams, send_datagrams },
	{ "socketpair_outside", ask_over_inherited_pair, answer_over_pair },
	{ "socketpair_inside", ask_child_over_pair, NULL },
	{ NULL, NULL, NULL },
};
