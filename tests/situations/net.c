/* Loopback sockets for the situations. */
#include "situation.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

socklen_t loopback(int family, int port, struct sockaddr_storage *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	if (family == AF_INET6) {
		in6.sin6_addr = in6addr_loopback;
		*(struct sockaddr_in6 *)address = in6;
		return sizeof(in6);
	}
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*(struct sockaddr_in *)address = in;
	return sizeof(in);
}

static int bound_socket(int family, int type, int port)
{
	int fd = (int)must(socket(family, type, 0), "socket"), one = 1;
	struct sockaddr_storage address;
	socklen_t len = loopback(family, port, &address);

	must(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), "SO_REUSEPORT");
	must(bind(fd, (struct sockaddr *)&address, len), "bind");
	return fd;
}

static int connected_socket(int family, int type, const char *port)
{
	int fd = (int)must(socket(family, type, 0), "socket");
	struct sockaddr_storage address;
	socklen_t len = loopback(family, atoi(port), &address);

	must(connect(fd, (struct sockaddr *)&address, len), "connect");
	return fd;
}

static int port_of(int fd)
{
	struct sockaddr_in6 address; /* the port is at the same place in both families */
	socklen_t len = sizeof(address);

	must(getsockname(fd, (struct sockaddr *)&address, &len), "getsockname");
	return ntohs(address.sin6_port);
}

int tcp_server(int family)
{
	int fd = bound_socket(family, SOCK_STREAM, 0);

	must(listen(fd, 16), "listen");
	return fd;
}

int tcp_server_at(const char *port)
{
	int fd = bound_socket(AF_INET, SOCK_STREAM, atoi(port));

	must(listen(fd, 16), "listen");
	return fd;
}

int tcp_connect(int family, const char *port)
{
	return connected_socket(family, SOCK_STREAM, port);
}

int udp_bound(void)
{
	return bound_socket(AF_INET, SOCK_DGRAM, 0);
}

int udp_connected(const char *port)
{
	return connected_socket(AF_INET, SOCK_DGRAM, port);
}

void announce_port(int socket)
{
	announce("%d", port_of(socket));
}

int tcp_connect_to_program(void)
{
	int reserved = bound_socket(AF_INET, SOCK_STREAM, 0), port = port_of(reserved), fd;
	struct sockaddr_storage address;
	socklen_t len = loopback(AF_INET, port, &address);

	announce("%d", port);
	for (;;) {
		fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
		if (!connect(fd, (struct sockaddr *)&address, len))
			return fd;
		if (errno != ECONNREFUSED)
			must(-1, "connect");
		close(fd);
		pause_ms(1);
	}
}

void shrink_buffers(int socket)
{
	int bytes = PAGE_BYTES;

	must(setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), "SO_RCVBUF");
	must(setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), "SO_SNDBUF");
}
