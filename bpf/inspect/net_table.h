/*
 * The sockets of a network namespace, as /proc/PID/net/{tcp,tcp6,udp,udp6,unix} list them.
 */
#ifndef CLASSIFY_NET_TABLE_H
#define CLASSIFY_NET_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One file each. Reading one of TCP walks the hash table of all connections of the machine, which
 * takes a millisecond or more: read only what is needed. */
enum net_table { NET_TCP, NET_TCP6, NET_UDP, NET_UDP6, NET_UNIX, NET_TABLE_CNT };

/* An address and a port in host byte order; the port is 0 where there is none. */
struct net_endpoint {
	uint8_t address[16]; /* the first four bytes, unless is_v6 */
	bool is_v6;
	uint16_t port;
};

struct net_socket {
	uint64_t inode;
	enum net_table table;
	bool is_listening;
	struct net_endpoint local;  /* unused for unix */
	struct net_endpoint remote; /* port 0: not connected */
	const char *path;	    /* unix: "" when unnamed, "@..." when abstract; as long as
				     * the line that it was parsed from */
};

/* "255.255.255.255:65535" and its likes in IPv6 fit. */
#define NET_ENDPOINT_TEXT_MAX 64

/*
 * Takes a line of net/tcp, tcp6, udp or udp6 (parse_inet) or of net/unix apart; @line is cut at
 * its end. False for the heading and for what is malformed. Sockets without an inode (orphans,
 * TIME_WAIT) are parsed too, with inode 0.
 */
bool net_table_parse_inet(const char *line, enum net_table table, struct net_socket *socket);
bool net_table_parse_unix(char *line, struct net_socket *socket);

/*
 * Calls @visit with each socket of @table in the network namespace of @pid. Returns 0 or -errno
 * (-ENOENT for IPv6 where there is none).
 */
int net_table_read(pid_t pid, enum net_table table,
		   void (*visit)(const struct net_socket *socket, void *context), void *context);

/*
 * The same, but of TCP for the listening sockets only: the kernel lists them before all others, so
 * that the connections of a large host need not be read. Of unix sockets, all are visited.
 */
int net_table_read_listeners(pid_t pid, enum net_table table,
			     void (*visit)(const struct net_socket *socket, void *context),
			     void *context);

/*
 * The table that lists the socket which is open as @fd in @directory, a /proc/PID/fd, by the
 * kernel's word. NET_TABLE_CNT when none does: @protocol then has its name ("NETLINK"), or "" when
 * the kernel does not tell.
 */
#define NET_PROTOCOL_MAX 32
enum net_table net_table_of(const char *directory, const char *fd, char protocol[NET_PROTOCOL_MAX]);

/* Writes "10.0.0.5:443" or "[::1]:443" to @text; an IPv4 address mapped into IPv6 as IPv4. */
void net_endpoint_format(const struct net_endpoint *endpoint, char text[NET_ENDPOINT_TEXT_MAX]);

#endif
