/* Waiting at UDP sockets, as a client and as a server. */
#include "situation.h"
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* Answers each datagram after WAIT_MS. */
static void answer(const struct place *place)
{
	int fd = udp_bound();
	struct sockaddr_storage from;
	char byte;

	(void)place;
	announce_port(fd);
	for (;;) {
		socklen_t len = sizeof(from);

		must(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len), "recvfrom");
		pause_ms(WAIT_MS);
		if (sendto(fd, &byte, 1, 0, (struct sockaddr *)&from, len) < 0)
			return;
	}
}

static void never_answer(const struct place *place)
{
	int fd = udp_bound();

	(void)place;
	announce_port(fd);
	hold_until_end(fd);
}

/* Sends a datagram every WAIT_MS to where the program will be; it's lost until then. */
static void ask(const struct place *place)
{
	int reserved = udp_bound();
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	(void)place;
	must(getsockname(reserved, (struct sockaddr *)&address, &len), "getsockname");
	announce_port(reserved);
	close(reserved);
	await_begin(place);
	for (;;) {
		pause_ms(WAIT_MS);
		sendto(udp_bound(), "x", 1, 0, (struct sockaddr *)&address, len);
	}
}

static void recv_answers(const struct place *place)
{
	int fd = udp_connected(place->address);
	char byte;

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		must(recv(fd, &byte, 1, 0), "recv");
	}
}

/* Without connect(): whoever answers is heard. */
static void recvfrom_anyone(const struct place *place)
{
	int fd = (int)must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct sockaddr_storage address;
	socklen_t len = loopback(AF_INET, atoi(place->address), &address);
	char byte;

	for (int i = 0; i < WAITS; i++) {
		must(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, len), "sendto");
		must(recvfrom(fd, &byte, 1, 0, NULL, NULL), "recvfrom");
	}
}

static void serve(const struct place *place)
{
	int fd = (int)must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct sockaddr_storage address;
	socklen_t len = loopback(AF_INET, atoi(place->address), &address);

	must(bind(fd, (struct sockaddr *)&address, len), "bind");
	begin(place);
	take_bytes(fd);
}

static void recv_until_timeout(const struct place *place)
{
	int fd = udp_connected(place->address);
	struct timeval timeout = { .tv_usec = WAIT_MS * 1000 };
	char byte;

	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), "SO_RCVTIMEO");
	for (int i = 0; i < WAITS; i++)
		if (recv(fd, &byte, 1, 0) >= 0)
			exit(1);
}

const struct situation udp_situations[] = {
	{ "udp_recv", recv_answers, answer },
	{ "udp_recvfrom_anyone", recvfrom_anyone, answer },
	{ "udp_serve", serve, ask },
	{ "udp_recv_timeout", recv_until_timeout, never_answer },
	{ NULL, NULL, NULL },
};
