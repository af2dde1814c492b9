/* Knows sockets by inode; see socket_index.h. */
#include "socket_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256

void socket_index_init(struct socket_index *index, struct observation *obs)
{
	memset(index, 0, sizeof(*index));
	index->obs = obs;
}

void socket_index_release(struct socket_index *index)
{
	free(index->slots);
	memset(index, 0, sizeof(*index));
}

/* The slot of @inode, or the free one where it belongs. There is always a free one. */
static struct socket_slot *slot_of(struct socket_slot *slots, size_t slot_cnt, uint64_t inode)
{
	size_t at = (inode * 0x9e3779b97f4a7c15ULL >> 32) & (slot_cnt - 1);

	while (slots[at].inode && slots[at].inode != inode)
		at = (at + 1) & (slot_cnt - 1);
	return &slots[at];
}

static bool grow(struct socket_index *index)
{
	size_t slot_cnt = index->slot_cnt ? 2 * index->slot_cnt : SLOTS_FIRST;
	struct socket_slot *slots = calloc(slot_cnt, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < index->slot_cnt; i++)
		if (index->slots[i].inode)
			*slot_of(slots, slot_cnt, index->slots[i].inode) = index->slots[i];
	free(index->slots);
	index->slots = slots;
	index->slot_cnt = slot_cnt;
	return true;
}

static void add(const struct net_socket *socket, void *context)
{
	struct socket_index *index = context;
	const char *path = "";

	if (socket->is_listening && socket->family == NET_TCP)
		index->listening_ports[socket->local.port / 8] |=
			(uint8_t)(1U << socket->local.port % 8);
	if (!socket->inode || index->used_cnt >= SOCKET_INDEX_MAX)
		return;
	if (index->used_cnt >= index->slot_cnt / 2 && !grow(index))
		return;
	if (*socket->path)
		path = observation_intern(index->obs, socket->path, strlen(socket->path));

	struct socket_slot *slot = slot_of(index->slots, index->slot_cnt, socket->inode);

	index->used_cnt += slot->inode == 0;
	*slot = (struct socket_slot){
		.inode = socket->inode,
		.family = socket->family,
		.is_listening = socket->is_listening,
		.local = socket->local,
		.remote = socket->remote,
		.path = path ? path : "",
	};
}

static struct socket_slot *lookup(const struct socket_index *index, uint64_t inode)
{
	struct socket_slot *slot;

	if (!index->slot_cnt)
		return NULL;
	slot = slot_of(index->slots, index->slot_cnt, inode);
	return slot->inode ? slot : NULL;
}

static void clear(struct socket_index *index)
{
	if (index->slots)
		memset(index->slots, 0, index->slot_cnt * sizeof(*index->slots));
	memset(index->listening_ports, 0, sizeof(index->listening_ports));
	index->used_cnt = 0;
}

/* A TCP or UDP socket may be connected later; a unix socket's path stays. */
static bool is_settled(const struct socket_slot *slot)
{
	return slot->family == NET_UNIX || slot->is_listening || slot->remote.port;
}

static struct socket_slot *lookup_fresh(struct socket_index *index, pid_t pid, uint64_t inode,
					uint64_t round)
{
	struct socket_slot *slot = lookup(index, inode);

	if ((slot && is_settled(slot)) || index->round == round)
		return slot;
	index->round = round;
	clear(index);
	net_table_read(pid, NET_TCP, add, index);
	net_table_read(pid, NET_UNIX, add, index);
	if (!lookup(index, inode))
		net_table_read(pid, NET_UDP, add, index);
	return lookup(index, inode);
}

static bool is_listening_port(const struct socket_index *index, uint16_t port)
{
	return index->listening_ports[port / 8] & 1U << port % 8;
}

static enum wait_direction direction_of(const struct socket_index *index,
					const struct socket_slot *slot)
{
	if (slot->is_listening)
		return DIRECTION_LISTENING;
	/* An accepted unix socket bears the path of its listener, a connecting one has none. */
	if (slot->family == NET_UNIX)
		return *slot->path ? DIRECTION_INBOUND : DIRECTION_NONE;
	if (slot->family == NET_TCP && is_listening_port(index, slot->local.port))
		return DIRECTION_INBOUND;
	return slot->remote.port ? DIRECTION_OUTBOUND : DIRECTION_NONE;
}

void socket_index_find(struct socket_index *index, pid_t pid, uint64_t inode, uint64_t round,
		       struct socket_facts *facts)
{
	static const enum object_kind kinds[NET_FAMILY_CNT] = {OBJECT_TCP, OBJECT_UDP, OBJECT_UNIX};
	const struct socket_slot *slot = lookup_fresh(index, pid, inode, round);

	memset(facts, 0, sizeof(*facts));
	facts->kind = OBJECT_SOCKET;
	if (!slot)
		return;
	facts->kind = kinds[slot->family];
	facts->direction = direction_of(index, slot);
	if (slot->family == NET_UNIX)
		snprintf(facts->name, sizeof(facts->name), "%s", slot->path);
	else /* an inbound connection is named by the port it came to: its far end is any */
		net_endpoint_format(facts->direction == DIRECTION_OUTBOUND ? &slot->remote
									   : &slot->local,
				    facts->name);
}
