/*
 * From the inode of a socket, which is all that /proc/PID/fd tells, to what it is connected to.
 */
#ifndef CLASSIFY_SOCKET_INDEX_H
#define CLASSIFY_SOCKET_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net_table.h"
#include "observation/observation.h"

/* Larger hosts exist; what does not fit is a socket of unknown far end. */
#define SOCKET_INDEX_MAX 65536

struct socket_slot {
	uint64_t inode; /* 0: free */
	enum net_family family;
	bool is_listening;
	struct net_endpoint local;
	struct net_endpoint remote;
	const char *path; /* interned; "" if none */
};

struct socket_index {
	struct observation *obs; /* where paths are interned */
	struct socket_slot *slots;
	size_t slot_cnt; /* a power of two */
	size_t used_cnt;
	uint8_t listening_ports[65536 / 8]; /* of TCP */
	uint64_t round;			    /* of the last reading of the tables */
};

/* What a socket is to the tree. */
struct socket_facts {
	enum object_kind kind;
	enum wait_direction direction;
	char name[128]; /* "10.0.0.5:443", a path, "" */
};

void socket_index_init(struct socket_index *index, struct observation *obs);
void socket_index_release(struct socket_index *index);

/*
 * Describes the socket @inode of a descriptor of @pid. Tables are read again for a socket that is
 * not known, or has no far end yet, at most once per @round (the caller's count of samples).
 */
void socket_index_find(struct socket_index *index, pid_t pid, uint64_t inode, uint64_t round,
		       struct socket_facts *facts);

#endif
