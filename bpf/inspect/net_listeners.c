/* Keeps the listening sockets of network namespaces; see net_listeners.h. */
#include "net_listeners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "proc_file.h"

/* Reading a table may take this share of the time, as the inverse. */
#define COST_INVERSE 50

uint32_t net_namespace_of(pid_t pid)
{
	char link[32];
	uint32_t inode = 0;

	if (proc_file_readlink(pid, "ns/net", link, sizeof(link)) <= 0 ||
	    sscanf(link, "net:[%u]", &inode) != 1)
		return 0;
	return inode;
}

static void release_namespace(struct net_namespace *namespace)
{
	for (int i = 0; i < NET_TABLE_CNT; i++)
		free(namespace->tables[i].listeners);
	memset(namespace, 0, sizeof(*namespace));
}

static struct net_namespace *find_namespace(struct net_listeners *all, uint32_t inode)
{
	struct net_namespace *namespace;

	for (size_t i = 0; i < all->cnt; i++)
		if (all->namespaces[i].inode == inode)
			return &all->namespaces[i];
	if (all->cnt < NET_NAMESPACES_MAX) {
		namespace = &all->namespaces[all->cnt++];
	} else {
		namespace = &all->namespaces[all->next++ % NET_NAMESPACES_MAX];
		release_namespace(namespace);
	}
	namespace->inode = inode;
	return namespace;
}

static void note_listener(const struct net_socket *socket, void *context)
{
	struct net_listening_table *table = context;
	size_t capacity = table->capacity ? 2 * table->capacity : 32;
	struct net_listener *grown;

	if (!socket->is_listening || !socket->inode)
		return;
	if (table->cnt == table->capacity) {
		grown = realloc(table->listeners, capacity * sizeof(*grown));
		if (!grown)
			return;
		table->listeners = grown;
		table->capacity = capacity;
	}
	table->listeners[table->cnt++] = (struct net_listener){ socket->inode, socket->local.port };
}

static int compare_ports(const void *a, const void *b)
{
	const struct net_listener *x = a, *y = b;

	return x->port - y->port;
}

static int compare_inodes(const void *a, const void *b)
{
	const struct net_listener *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Several sockets may listen on a port: each at its address, or workers with SO_REUSEPORT. */
static void tell_ports(const struct net_listeners *all, uint32_t netns,
		       struct net_listening_table *table)
{
	if (!all->port_found || !table->cnt)
		return;
	qsort(table->listeners, table->cnt, sizeof(*table->listeners), compare_ports);
	for (size_t i = 0; i < table->cnt; i++) {
		uint16_t port = table->listeners[i].port;

		if (i + 1 < table->cnt && table->listeners[i + 1].port == port)
			continue;
		if (port)
			all->port_found(all->context, netns, port);
	}
}

static void read_table(const struct net_listeners *all, uint32_t netns, pid_t pid,
		       enum net_table at, struct net_listening_table *table)
{
	uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);

	if (began_ns < table->next_read_ns)
		return;
	table->cnt = 0;
	net_table_read_listeners(pid, at, note_listener, table);
	table->next_read_ns =
		clock_ns(CLOCK_MONOTONIC) + (clock_ns(CLOCK_MONOTONIC) - began_ns) * COST_INVERSE;
	tell_ports(all, netns, table);
	if (table->cnt)
		qsort(table->listeners, table->cnt, sizeof(*table->listeners), compare_inodes);
}

void net_listeners_look(struct net_listeners *all, pid_t pid, enum net_table table)
{
	struct net_namespace *namespace = find_namespace(all, net_namespace_of(pid));

	read_table(all, namespace->inode, pid, table, &namespace->tables[table]);
}

bool net_listeners_know(const struct net_listeners *all, uint64_t inode)
{
	const struct net_listener wanted = { .inode = inode };

	for (size_t i = 0; i < all->cnt; i++) {
		for (int t = 0; t < NET_TABLE_CNT; t++) {
			const struct net_listening_table *table = &all->namespaces[i].tables[t];

			if (table->cnt && bsearch(&wanted, table->listeners, table->cnt,
						  sizeof(wanted), compare_inodes))
				return true;
		}
	}
	return false;
}

void net_listeners_release(struct net_listeners *all)
{
	for (size_t i = 0; i < all->cnt; i++)
		release_namespace(&all->namespaces[i]);
	memset(all, 0, sizeof(*all));
}
