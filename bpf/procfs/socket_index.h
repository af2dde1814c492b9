/*
 * From the inode of a socket, which is all that /proc/PID/fd tells, to what it is connected to.
 */
#ifndef CLASSIFY_SOCKET_INDEX_H
#define CLASSIFY_SOCKET_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "far_end.h"
#include "net_table.h"
#include "observation/observation.h"

/* Larger hosts exist; what does not fit is a socket of unknown far end. */
#define SOCKET_INDEX_MAX 65536

struct socket_slot {
	uint64_t inode; /* 0: free */
	enum net_table table;
	uint32_t namespace; /* place in `namespaces` */
	bool is_listening;
	struct net_endpoint local;
	struct net_endpoint remote;
	const char *path; /* interned; "" if none */
};

/* A table is not read again before @next_read_ns: on a large host that takes milliseconds. */
struct socket_table {
	uint64_t next_read_ns;
	uint8_t listening_ports[65536 / 8];
};

/* Ports mean something within a network namespace only. */
struct socket_namespace {
	uint32_t inode; /* as in /proc/PID/ns/net */
	struct socket_table tables[NET_TABLE_CNT];
};

/* Beyond these the oldest is forgotten, with all sockets. */
#define SOCKET_NAMESPACES_MAX 16

struct socket_index {
	struct observation *obs; /* where paths are interned */
	struct socket_slot *slots;
	size_t slot_cnt; /* a power of two */
	size_t used_cnt;
	struct socket_namespace *namespaces[SOCKET_NAMESPACES_MAX];
	uint32_t namespace_cnt;
	uint32_t next_namespace;  /* to be forgotten */
	struct far_ends far_ends; /* of outbound connections that don't leave the host */
	uint64_t cost_ns;	  /* CPU time spent on reading tables */
};

/* What a socket is to the tree. */
struct socket_facts {
	bool is_known; /* false: it may be known later, when the table is read again */
	enum object_kind kind;
	enum wait_direction direction;
	char name[128]; /* "10.0.0.5:443", a path, "netlink", "" */
};

void socket_index_init(struct socket_index *index, struct observation *obs);
void socket_index_release(struct socket_index *index);

/*
 * Describes the socket @inode that thread @tid has open as @fd, at instant @now_ns. If it is not
 * known, or has no far end yet, its table is read (again), when that is not too costly.
 */
void socket_index_find(struct socket_index *index, pid_t tid, int fd, uint64_t inode,
		       uint64_t now_ns, struct socket_facts *facts);

#endif
