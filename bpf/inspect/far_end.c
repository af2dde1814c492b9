/* Finds who listens at the far end of a connection on this host; see far_end.h. */
#include "far_end.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "net_listeners.h"
#include "proc_file.h"

#define SCAN_INTERVAL_NS    1000000000ull
#define SPENT_MAX_NS	    500000000ull
#define DESCRIPTORS_MAX	    16384
#define PROCESSES_PER_CLOCK 8

static const uint8_t v4_in_v6[12] = { [10] = 0xff, [11] = 0xff };

void far_ends_init(struct far_ends *ends, struct observation *obs)
{
	memset(ends, 0, sizeof(*ends));
	ends->obs = obs;
	servers_init(&ends->servers, obs);
}

static void scan_end(struct far_ends *ends)
{
	if (ends->processes)
		closedir(ends->processes);
	ends->processes = NULL;
	ends->done_cnt = ends->scanned_cnt;
}

void far_ends_release(struct far_ends *ends)
{
	scan_end(ends);
	free(ends->ends);
	servers_release(&ends->servers);
	memset(ends, 0, sizeof(*ends));
}

static struct far_end *find(const struct far_ends *ends, enum object_kind kind, const char *name)
{
	for (size_t i = 0; i < ends->cnt; i++)
		if (ends->ends[i].kind == kind && !strcmp(ends->ends[i].name, name))
			return &ends->ends[i];
	return NULL;
}

int far_ends_ask(struct far_ends *ends, enum object_kind kind, const char *name,
		 const struct net_endpoint *remote, uint32_t netns, pid_t asker)
{
	struct far_end *known = find(ends, kind, name);

	if (known) {
		known->is_ambiguous |= netns && known->netns != netns;
		return 0;
	}
	if (!netns)
		netns = net_namespace_of(asker);
	if (!netns || ends->cnt == FAR_ENDS_MAX)
		return 0;
	if (!ends->ends)
		ends->ends = calloc(FAR_ENDS_MAX, sizeof(*ends->ends));
	if (!ends->ends)
		return -ENOMEM;
	ends->ends[ends->cnt++] = (struct far_end){
		.kind = kind,
		.name = name,
		.remote = *remote,
		.netns = netns,
		.asker = asker,
		.owner_name = "",
	};
	return 0;
}

/* The address in the form that IPv6 has for both. */
static void address_of(const struct net_endpoint *endpoint, uint8_t address[16])
{
	memcpy(address, endpoint->address, 16);
	if (endpoint->is_v6)
		return;
	memcpy(address, v4_in_v6, sizeof(v4_in_v6));
	memcpy(address + 12, endpoint->address, 4);
}

static bool is_any_address(const struct net_endpoint *endpoint)
{
	static const uint8_t any[16];

	return !memcmp(endpoint->address, any, endpoint->is_v6 ? 16 : 4);
}

bool far_end_is_here(const struct net_endpoint *local, const struct net_endpoint *remote)
{
	uint8_t from[16], to[16];

	address_of(local, from);
	address_of(remote, to);
	return !memcmp(from, to, 16) || (!memcmp(to, v4_in_v6, 12) && to[12] == 127);
}

/* An IPv6 socket that listens on any address takes IPv4 connections, too (unless it was told not
 * to, and then there is another one that does). */
static bool is_served_by(const struct far_end *end, const struct net_socket *socket, bool *is_exact)
{
	uint8_t wanted[16], offered[16];

	*is_exact = true;
	if (end->kind == OBJECT_UNIX)
		return socket->is_listening && !strcmp(end->name, socket->path);
	if (socket->local.port != end->remote.port)
		return false;
	if (end->kind == OBJECT_TCP ? !socket->is_listening : socket->remote.port != 0)
		return false;
	address_of(&end->remote, wanted);
	address_of(&socket->local, offered);
	if (!memcmp(wanted, offered, sizeof(wanted)))
		return true;
	*is_exact = false;
	return is_any_address(&socket->local) &&
	       (socket->local.is_v6 || !memcmp(wanted, v4_in_v6, sizeof(v4_in_v6)));
}

static bool lists(enum net_table table, enum object_kind kind)
{
	switch (table) {
	case NET_TCP:
	case NET_TCP6:
		return kind == OBJECT_TCP;
	case NET_UDP:
	case NET_UDP6:
		return kind == OBJECT_UDP;
	default:
		return kind == OBJECT_UNIX;
	}
}

/* One reading of a table serves all endpoints of a namespace. */
struct listing {
	struct far_ends *ends;
	uint32_t netns;
};

static void note_listener(const struct net_socket *socket, void *context)
{
	const struct listing *listing = context;

	for (size_t i = listing->ends->done_cnt; i < listing->ends->cnt; i++) {
		struct far_end *end = &listing->ends->ends[i];
		bool is_exact;

		if (end->is_listed || end->netns != listing->netns || !socket->inode ||
		    !lists(socket->table, end->kind) || !is_served_by(end, socket, &is_exact) ||
		    (end->is_exact && !is_exact))
			continue;
		if (is_exact && !end->is_exact)
			end->listener_cnt = 0;
		end->is_exact = is_exact;
		if (end->listener_cnt < FAR_END_LISTENERS_MAX)
			end->listeners[end->listener_cnt++] = socket->inode;
	}
}

/* A process whose tables are those of @end's namespace; 0: none is known (any more). */
static pid_t table_reader(const struct far_end *end)
{
	if (net_namespace_of(getpid()) == end->netns)
		return getpid();
	return net_namespace_of(end->asker) == end->netns ? end->asker : 0;
}

static void read_table(pid_t reader, enum net_table table, struct listing *listing)
{
	if (table == NET_UDP || table == NET_UDP6)
		net_table_read(reader, table, note_listener, listing);
	else
		net_table_read_listeners(reader, table, note_listener, listing);
}

/* Looks for the listeners of all endpoints in the namespace of @first. */
static void list_network(struct far_ends *ends, const struct far_end *first)
{
	struct listing listing = { .ends = ends, .netns = first->netns };
	pid_t reader = table_reader(first);
	bool is_wanted[NET_TABLE_CNT] = { false };

	for (size_t i = ends->done_cnt; i < ends->cnt; i++)
		for (int table = 0; table < NET_TABLE_CNT; table++)
			if (ends->ends[i].netns == listing.netns && !ends->ends[i].is_listed)
				is_wanted[table] |=
					lists((enum net_table)table, ends->ends[i].kind);
	for (int table = 0; reader && table < NET_TABLE_CNT; table++)
		if (is_wanted[table])
			read_table(reader, (enum net_table)table, &listing);
	for (size_t i = ends->done_cnt; i < ends->cnt; i++)
		if (ends->ends[i].netns == listing.netns)
			ends->ends[i].is_listed = true;
}

static void scan_begin(struct far_ends *ends)
{
	bool has_listeners = false;

	for (size_t i = ends->done_cnt; i < ends->cnt; i++) {
		if (!ends->ends[i].is_listed)
			list_network(ends, &ends->ends[i]);
		has_listeners |= ends->ends[i].listener_cnt > 0;
	}
	ends->scanned_cnt = ends->cnt;
	if (has_listeners)
		ends->processes = opendir("/proc");
	if (!ends->processes)
		scan_end(ends);
}

static void set_owner(struct far_ends *ends, struct far_end *end, pid_t pid)
{
	char comm[64] = "", text[96];
	ssize_t len = proc_file_read(pid, "comm", comm, sizeof(comm));
	const char *name;

	if (len <= 0)
		return;
	comm[strcspn(comm, "\n")] = '\0';
	len = snprintf(text, sizeof(text), "%s[%d]", comm, (int)pid);
	name = observation_intern(ends->obs, text, (size_t)len);
	if (!name)
		return;
	end->owner = pid;
	end->owner_name = name;
	if (!ends->is_over)
		servers_add(&ends->servers, pid, name, ends->now_ns);
}

/* Of several that have it open it is the first: numbers rise, so a server's parent comes before
 * its workers. But what systemd listens on is served by whom it gave it to. */
static void note_owner(struct far_ends *ends, uint64_t inode, pid_t pid)
{
	for (size_t i = ends->done_cnt; i < ends->scanned_cnt; i++) {
		struct far_end *end = &ends->ends[i];

		if (end->owner > 1)
			continue;
		for (size_t j = 0; j < end->listener_cnt; j++)
			if (end->listeners[j] == inode)
				set_owner(ends, end, pid);
	}
}

static void scan_process(struct far_ends *ends, pid_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	unsigned long inode;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);

	for (int seen = 0; dir && seen < DESCRIPTORS_MAX && (entry = readdir(dir)); seen++) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (len <= 0)
			continue;
		link[len] = '\0';
		if (sscanf(link, "socket:[%lu]", &inode) == 1)
			note_owner(ends, inode, pid);
	}
	if (dir)
		closedir(dir);
}

static bool is_scan_done(const struct far_ends *ends)
{
	for (size_t i = ends->done_cnt; i < ends->scanned_cnt; i++)
		if (ends->ends[i].listener_cnt && ends->ends[i].owner <= 1)
			return false;
	return true;
}

static void scan_for(struct far_ends *ends, uint64_t until_ns)
{
	struct dirent *entry;

	for (int cnt = 1; !is_scan_done(ends) && (entry = readdir(ends->processes)); cnt++) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0)
			scan_process(ends, pid);
		if (cnt % PROCESSES_PER_CLOCK == 0 && clock_ns(CLOCK_THREAD_CPUTIME_ID) >= until_ns)
			return;
	}
	scan_end(ends);
}

/* Those that nobody was found for get a second chance: a listener may have been about to open, a
 * budget too small, and tables that are read while they change miss some. */
static void ask_again(struct far_ends *ends)
{
	for (size_t i = ends->done_cnt; i-- > 0;) {
		struct far_end *end = &ends->ends[i];

		if (end->owner)
			continue;
		end->listener_cnt = 0;
		end->is_listed = end->is_exact = false;
		ends->done_cnt = i;
	}
}

static void look(struct far_ends *ends, uint64_t budget_ns)
{
	uint64_t from_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	if (!ends->processes)
		scan_begin(ends);
	if (ends->processes)
		scan_for(ends, clock_ns(CLOCK_THREAD_CPUTIME_ID) + budget_ns);
	ends->spent_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - from_ns;
}

void far_ends_look(struct far_ends *ends, uint64_t now_ns, uint64_t budget_ns, bool is_last)
{
	ends->is_over = is_last;
	ends->now_ns = is_last ? ends->now_ns : now_ns;
	servers_look(&ends->servers, ends->now_ns, is_last);
	if (ends->spent_ns > SPENT_MAX_NS)
		return;
	if (ends->processes) {
		look(ends, budget_ns);
	} else if (!is_last && ends->done_cnt < ends->cnt && now_ns >= ends->next_scan_ns) {
		ends->next_scan_ns = now_ns + SCAN_INTERVAL_NS;
		look(ends, budget_ns);
	}
	if (!is_last || ends->processes)
		return;
	ask_again(ends);
	if (ends->done_cnt < ends->cnt)
		look(ends, budget_ns);
}

int far_ends_book(const struct far_ends *ends, struct observation *obs)
{
	return servers_book(&ends->servers, obs);
}

const char *far_ends_find(const struct far_ends *ends, enum object_kind kind, const char *name)
{
	const struct far_end *end = find(ends, kind, name);

	return end && !end->is_ambiguous ? end->owner_name : "";
}
