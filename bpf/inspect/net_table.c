/* Reads the socket tables of a network namespace; see net_table.h. */
#include "net_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "proc_file.h"

/* TCP_LISTEN and __SO_ACCEPTCON as the tables print them. */
#define TCP_STATE_LISTEN      0x0a
#define UNIX_FLAG_ACCEPTS_CON 0x10000

/* The kernel prints each 32-bit word of an address as a number: its bytes are in memory order. */
static bool parse_address(const char *hex, uint8_t address[16], bool *is_v6)
{
	size_t digits = strlen(hex);

	if (digits != 8 && digits != 32)
		return false;
	*is_v6 = digits == 32;
	for (size_t word = 0; word < digits / 8; word++) {
		char text[9] = { 0 };
		uint32_t value;

		memcpy(text, hex + 8 * word, 8);
		value = (uint32_t)strtoul(text, NULL, 16);
		memcpy(address + 4 * word, &value, sizeof(value));
	}
	return true;
}

bool net_table_parse_inet(const char *line, enum net_table table, struct net_socket *socket)
{
	char local[33], remote[33];
	unsigned local_port, remote_port, state;

	memset(socket, 0, sizeof(*socket));
	if (sscanf(line,
		   " %*d: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
		   local, &local_port, remote, &remote_port, &state, &socket->inode) != 6)
		return false;
	socket->table = table;
	socket->is_listening = (table == NET_TCP || table == NET_TCP6) && state == TCP_STATE_LISTEN;
	socket->local.port = (uint16_t)local_port;
	socket->remote.port = (uint16_t)remote_port;
	socket->path = "";
	return parse_address(local, socket->local.address, &socket->local.is_v6) &&
	       parse_address(remote, socket->remote.address, &socket->remote.is_v6);
}

bool net_table_parse_unix(char *line, struct net_socket *socket)
{
	unsigned flags;
	int inode_end = 0;

	memset(socket, 0, sizeof(*socket));
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%*x: %*x %*x %x %*x %*x %lu%n", &flags, &socket->inode, &inode_end) !=
		    2 ||
	    inode_end == 0)
		return false;
	socket->table = NET_UNIX;
	socket->is_listening = flags & UNIX_FLAG_ACCEPTS_CON;
	socket->path = line + inode_end;
	socket->path += *socket->path == ' ';
	return true;
}

static int read_table(pid_t pid, enum net_table table, bool is_for_listeners,
		      void (*visit)(const struct net_socket *socket, void *context), void *context)
{
	static const char *const names[NET_TABLE_CNT] = { "net/tcp", "net/tcp6", "net/udp",
							  "net/udp6", "net/unix" };
	FILE *in = proc_file_open(pid, names[table]);
	struct net_socket socket;
	char *line = NULL;
	size_t line_size = 0;

	if (!in)
		return -errno;
	while (getline(&line, &line_size, in) > 0) {
		if (!(table == NET_UNIX ? net_table_parse_unix(line, &socket)
					: net_table_parse_inet(line, table, &socket)))
			continue;
		if (is_for_listeners && table != NET_UNIX && !socket.is_listening)
			break;
		visit(&socket, context);
	}
	free(line);
	fclose(in);
	return 0;
}

int net_table_read(pid_t pid, enum net_table table,
		   void (*visit)(const struct net_socket *socket, void *context), void *context)
{
	return read_table(pid, table, false, visit, context);
}

int net_table_read_listeners(pid_t pid, enum net_table table,
			     void (*visit)(const struct net_socket *socket, void *context),
			     void *context)
{
	return read_table(pid, table, true, visit, context);
}

enum net_table net_table_of(const char *directory, const char *fd, char protocol[NET_PROTOCOL_MAX])
{
	static const struct {
		const char *name;
		enum net_table table;
	} protocols[] = {
		{ "TCP", NET_TCP },   { "TCPv6", NET_TCP6 },	   { "MPTCP", NET_TCP },
		{ "UDP", NET_UDP },   { "UDPv6", NET_UDP6 },	   { "MPTCPv6", NET_TCP6 },
		{ "UNIX", NET_UNIX }, { "UNIX-STREAM", NET_UNIX },
	};
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", directory, fd);
	ssize_t len = getxattr(path, "system.sockprotoname", protocol, NET_PROTOCOL_MAX - 1);

	protocol[len > 0 ? len : 0] = '\0';
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (!strcmp(protocol, protocols[i].name))
			return protocols[i].table;
	return NET_TABLE_CNT;
}

void net_endpoint_format(const struct net_endpoint *endpoint, char text[NET_ENDPOINT_TEXT_MAX])
{
	static const uint8_t v4_in_v6[12] = { [10] = 0xff, [11] = 0xff };
	char address[INET6_ADDRSTRLEN] = "";
	const uint8_t *bytes = endpoint->address;
	bool is_v6 = endpoint->is_v6;

	if (is_v6 && !memcmp(bytes, v4_in_v6, sizeof(v4_in_v6))) {
		bytes += sizeof(v4_in_v6);
		is_v6 = false;
	}
	inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes, address, sizeof(address));
	snprintf(text, NET_ENDPOINT_TEXT_MAX, is_v6 ? "[%s]:%u" : "%s:%u", address,
		 (unsigned)endpoint->port);
}
