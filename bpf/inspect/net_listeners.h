/*
 * Who listens in each network namespace that processes of the tree are in. Read once per namespace
 * and not per process, and only as often as that costs little: connections, of which a host may
 * have 100,000, are not read.
 */
#ifndef CLASSIFY_NET_LISTENERS_H
#define CLASSIFY_NET_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net_table.h"

/* Beyond these the oldest is forgotten, and read again if need be. */
#define NET_NAMESPACES_MAX 32

struct net_listener {
	uint64_t inode;
	uint16_t port; /* 0: a unix socket */
};

/* What listens of one table, by inode. */
struct net_listening_table {
	struct net_listener *listeners;
	size_t cnt;
	size_t capacity;
	uint64_t next_read_ns;
};

struct net_namespace {
	uint32_t inode; /* as in /proc/PID/ns/net; 0: not to be read */
	struct net_listening_table tables[NET_TABLE_CNT];
};

struct net_listeners {
	struct net_namespace namespaces[NET_NAMESPACES_MAX];
	size_t cnt;
	size_t next; /* to be forgotten */
	/* NULL, or told of each TCP port that somebody listens on when that was read. */
	void (*port_found)(void *context, uint32_t netns, uint16_t port);
	void *context;
};

/* The number of the network namespace of @pid; 0 when it can't be read. */
uint32_t net_namespace_of(pid_t pid);

/* Reads who listens in the namespace of @pid, by @table (NET_TCP, NET_TCP6 or NET_UNIX), unless
 * what is known is so new that reading it again would cost too much. */
void net_listeners_look(struct net_listeners *all, pid_t pid, enum net_table table);

/* Whether the socket @inode listens, as far as was looked: in any namespace, because a listener may
 * be inherited from another. */
bool net_listeners_know(const struct net_listeners *all, uint64_t inode);

void net_listeners_release(struct net_listeners *all);

#endif
