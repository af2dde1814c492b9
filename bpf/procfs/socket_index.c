/* Knows sockets by inode; see socket_index.h. */
#include "socket_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "net_listeners.h"

#define SLOTS_FIRST 256
/* Reading tables may take this share of one CPU, as the inverse. */
#define COST_INVERSE 50

void socket_index_init(struct socket_index *index, struct observation *obs)
{
	memset(index, 0, sizeof(*index));
	index->obs = obs;
	far_ends_init(&index->far_ends, obs);
}

void socket_index_release(struct socket_index *index)
{
	for (uint32_t i = 0; i < index->namespace_cnt; i++)
		free(index->namespaces[i]);
	free(index->slots);
	far_ends_release(&index->far_ends);
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

static void note_listening_port(struct socket_table *table, uint16_t port)
{
	table->listening_ports[port / 8] |= (uint8_t)(1U << port % 8);
}

static void clear(struct socket_index *index)
{
	memset(index->slots, 0, index->slot_cnt * sizeof(*index->slots));
	index->used_cnt = 0;
}

/* Where @inode is, made if need be; -1 when out of memory. */
static int namespace_at(struct socket_index *index, uint32_t inode)
{
	uint32_t at;

	for (at = 0; at < index->namespace_cnt; at++)
		if (index->namespaces[at]->inode == inode)
			return (int)at;
	if (at == SOCKET_NAMESPACES_MAX) {
		at = index->next_namespace++ % SOCKET_NAMESPACES_MAX;
		clear(index); /* slots know their namespace by its place */
		memset(index->namespaces[at], 0, sizeof(*index->namespaces[at]));
	} else {
		index->namespaces[at] = calloc(1, sizeof(*index->namespaces[at]));
		if (!index->namespaces[at])
			return -1;
		index->namespace_cnt++;
	}
	index->namespaces[at]->inode = inode;
	return (int)at;
}

struct table_reading {
	struct socket_index *index;
	uint32_t namespace;
};

static void add(const struct net_socket *socket, void *context)
{
	const struct table_reading *reading = context;
	struct socket_index *index = reading->index;
	const char *path = "";

	if (socket->is_listening)
		note_listening_port(&index->namespaces[reading->namespace]->tables[socket->table],
				    socket->local.port);
	if (!socket->inode)
		return;
	/* Sockets that are gone stay until the index is full. */
	if (index->used_cnt >= SOCKET_INDEX_MAX)
		clear(index);
	if (index->used_cnt >= index->slot_cnt / 2 && !grow(index))
		return;
	if (*socket->path)
		path = observation_intern(index->obs, socket->path, strlen(socket->path));

	struct socket_slot *slot = slot_of(index->slots, index->slot_cnt, socket->inode);

	index->used_cnt += slot->inode == 0;
	*slot = (struct socket_slot){
		.inode = socket->inode,
		.table = socket->table,
		.namespace = reading->namespace,
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

static void read_table(struct socket_index *index, pid_t tid, enum net_table at, uint64_t now_ns)
{
	uint64_t cost_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int namespace = namespace_at(index, net_namespace_of(tid));
	struct table_reading reading = { index, (uint32_t) namespace };
	struct socket_table *table;

	if (namespace < 0)
		return;
	table = &index->namespaces[namespace]->tables[at];
	if (now_ns < table->next_read_ns)
		return;
	memset(table->listening_ports, 0, sizeof(table->listening_ports));
	net_table_read(tid, at, add, &reading);
	cost_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cost_ns;
	table->next_read_ns = now_ns + cost_ns * COST_INVERSE;
	index->cost_ns += cost_ns;
}

/* An inet socket may be connected later; a unix socket's path stays. */
static bool is_settled(const struct socket_slot *slot)
{
	return slot->table == NET_UNIX || slot->is_listening || slot->remote.port;
}

static enum wait_direction direction_of(const struct socket_index *index,
					const struct socket_slot *slot)
{
	const struct socket_namespace *namespace = index->namespaces[slot->namespace];
	const uint8_t *listening_ports = namespace->tables[slot->table].listening_ports;
	uint16_t port = slot->local.port;

	if (slot->is_listening)
		return DIRECTION_LISTENING;
	/* An accepted unix socket bears the path of its listener, a connecting one has none. */
	if (slot->table == NET_UNIX)
		return *slot->path ? DIRECTION_INBOUND : DIRECTION_NONE;
	if (listening_ports[port / 8] & 1U << port % 8)
		return DIRECTION_INBOUND;
	return slot->remote.port ? DIRECTION_OUTBOUND : DIRECTION_NONE;
}

static void describe(const struct socket_index *index, const struct socket_slot *slot,
		     struct socket_facts *facts)
{
	facts->is_known = is_settled(slot);
	facts->direction = direction_of(index, slot);
	if (slot->table == NET_UNIX)
		snprintf(facts->name, sizeof(facts->name), "%s", slot->path);
	else /* an inbound connection is named by the port it came to: its far end is any */
		net_endpoint_format(facts->direction == DIRECTION_OUTBOUND ? &slot->remote
									   : &slot->local,
				    facts->name);
}

/* Unix sockets are left out: the tables don't tell what one is connected to. */
static void ask_far_end(struct socket_index *index, const struct socket_slot *slot, pid_t tid,
			const struct socket_facts *facts)
{
	const char *name;

	if (facts->direction != DIRECTION_OUTBOUND || !far_end_is_here(&slot->local, &slot->remote))
		return;
	name = observation_intern(index->obs, facts->name, strlen(facts->name));
	if (name)
		far_ends_ask(&index->far_ends, facts->kind, name, &slot->remote,
			     index->namespaces[slot->namespace]->inode, tid);
}

void socket_index_find(struct socket_index *index, pid_t tid, int fd, uint64_t inode,
		       uint64_t now_ns, struct socket_facts *facts)
{
	static const enum object_kind kinds[NET_TABLE_CNT] = { OBJECT_TCP, OBJECT_TCP, OBJECT_UDP,
							       OBJECT_UDP, OBJECT_UNIX };
	char directory[32], name[16], protocol[NET_PROTOCOL_MAX];
	const struct socket_slot *slot = lookup(index, inode);
	enum net_table table;

	memset(facts, 0, sizeof(*facts));
	snprintf(directory, sizeof(directory), "/proc/%d/fd", (int)tid);
	snprintf(name, sizeof(name), "%d", fd);
	table = slot ? slot->table : net_table_of(directory, name, protocol);
	if (table == NET_TABLE_CNT) { /* another family, or closed by now */
		facts->kind = OBJECT_SOCKET;
		facts->is_known = *protocol != '\0';
		snprintf(facts->name, sizeof(facts->name), "%s", protocol);
		return;
	}
	facts->kind = kinds[table];
	if (!slot || !is_settled(slot))
		read_table(index, tid, table, now_ns);
	slot = lookup(index, inode);
	if (!slot)
		return;
	describe(index, slot, facts);
	ask_far_end(index, slot, tid, facts);
}
