/* Partners that several situations share. */
#include "situation.h"
#include <netinet/in.h>
#include <unistd.h>

static void answer_connection(void *fd)
{
	answer_bytes(*(int *)fd);
}

void answer_over_tcp(const struct place *place)
{
	int server = tcp_server(AF_INET);

	(void)place;
	announce_port(server);
	for (;;) {
		int fd = (int)must(accept(server, NULL, NULL), "accept");

		spawn(answer_connection, &fd);
		close(fd);
	}
}

void ask_over_tcp(const struct place *place)
{
	(void)place;
	give_bytes(tcp_connect_to_program());
}

void come_and_go_over_tcp(const struct place *place)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int fd = tcp_connect_to_program();

	(void)place;
	must(getpeername(fd, (struct sockaddr *)&address, &len), "getpeername");
	for (int i = 0; i <= WAITS; i++) {
		close(fd);
		pause_ms(WAIT_MS);
		fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
		if (connect(fd, (struct sockaddr *)&address, len))
			return;
	}
}

void give_to_stdin(const struct place *place)
{
	announce("-");
	await_begin(place);
	give_bytes(STDIN_FILENO);
}

void drain_stdin(const struct place *place)
{
	(void)place;
	announce("-");
	drain_slowly(STDIN_FILENO);
}
