/* Names of waited-on objects: kept as they come, or made from the key itself. */
#include "object_names.h"
#include "device_name.h"
#include "observation/observation.h"
#include "syscall_table.h"
#include "thread_order.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A walk over a whole disk names a million files, of which a report shows ten. */
#define OBJECT_NAMES_MAX 131072
/* Every container brings an overlay of its own. */
#define DEVICES_MAX 1024

void object_names_release(struct object_names *names)
{
	free(names->names);
	futex_names_release(&names->futexes);
	far_ends_release(&names->far_ends);
	free(names->devices);
	memset(names, 0, sizeof(*names));
}

static int names_grow(struct object_names *names)
{
	size_t capacity = names->capacity ? names->capacity * 2 : 256;
	void *grown = reallocarray(names->names, capacity, sizeof(names->names[0]));

	if (!grown)
		return -ENOMEM;
	names->names = grown;
	names->capacity = capacity;
	return 0;
}

/* "/a/b/c" from the components c, b, a; as /proc has it, " (deleted)" follows what has no name any
 * more. */
static void path_join(const struct wire_event_name *event, char *path, size_t size)
{
	uint32_t cnt = event->part_cnt <= WIRE_PATH_PARTS ? event->part_cnt : WIRE_PATH_PARTS;
	size_t used = 0;

	used += (size_t)snprintf(path, size, "%s%s", event->is_truncated ? "..." : "",
				 cnt ? "" : "/");
	for (uint32_t i = cnt; i-- > 0 && used < size;)
		used += (size_t)snprintf(path + used, size - used, "/%.*s%s", WIRE_PART_BYTES - 1,
					 event->part[i], event->cut_parts & 1u << i ? "..." : "");
	if (event->is_deleted && used < size)
		snprintf(path + used, size - used, " (deleted)");
}

/* A unix address; abstract ones are written with '@' for the NUL, as ss and netstat have them. */
static void unix_name(const struct wire_event_name *event, char *name, size_t size)
{
	size_t bytes = event->name_bytes < 108 ? event->name_bytes : 108;
	const char *from = event->part[0];
	size_t used = 0;

	for (size_t i = 0; i < bytes && used + 1 < size; i++) {
		if (!from[i] && from[0])
			break;
		name[used++] = from[i] ? from[i] : '@';
	}
	name[used] = 0;
}

/* The device in the identity of a file, as on the wire: the kernel's number has 20 bits of minor.
 */
static struct device_number device_of(uint32_t number)
{
	return (struct device_number){ .major = number >> 20, .minor = number & 0xfffff };
}

static const char *find_device(struct object_names *names, struct observation *obs, pid_t pid,
			       uint32_t number)
{
	struct named_device *grown;
	char name[DEVICE_NAME_BYTES];
	const char *copy;

	if (!number)
		return ""; /* a directory that is known by its path alone */
	for (size_t i = 0; i < names->device_cnt; i++)
		if (names->devices[i].number == number)
			return names->devices[i].name;
	if (names->device_cnt == DEVICES_MAX)
		return "";
	device_name(pid, device_of(number), name);
	copy = observation_intern(obs, name, strlen(name));
	grown = reallocarray(names->devices, names->device_cnt + 1, sizeof(*grown));
	if (grown)
		names->devices = grown;
	if (!copy || !grown)
		return "";
	grown[names->device_cnt++] = (struct named_device){ number, copy };
	return copy;
}

static bool is_held_by_device(uint32_t kind)
{
	return kind == WIRE_KIND_FILE || kind == WIRE_KIND_DIRECTORY;
}

const char *object_names_device(struct object_names *names, struct observation *obs,
				const struct wire_wait_key *key)
{
	if (!is_held_by_device(key->kind))
		return "";
	return find_device(names, obs, (pid_t)key->tgid, (uint32_t)key->id[0]);
}

int object_names_add(struct object_names *names, struct observation *obs,
		     const struct wire_event_name *event)
{
	char name[WIRE_PATH_PARTS * (WIRE_PART_BYTES + 3) + 16];
	const char *copy;

	if (names->cnt == OBJECT_NAMES_MAX)
		return 0;
	if (names->cnt == names->capacity && names_grow(names))
		return -ENOMEM;
	if (event->kind == WIRE_KIND_UNIX)
		unix_name(event, name, sizeof(name));
	else
		path_join(event, name, sizeof(name));
	copy = observation_intern(obs, name, strlen(name));
	if (!copy)
		return -ENOMEM;
	if (is_held_by_device(event->kind))
		find_device(names, obs, (pid_t)event->event.tgid, (uint32_t)event->id[0]);
	names->names[names->cnt++] = (struct object_name){ .id = { event->id[0], event->id[1] },
							   .kind = event->kind,
							   .name = copy };
	names->is_sorted = false;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct object_name *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(x->id, y->id, sizeof(x->id));
}

/* Names are interned: the same have the same address. */
static int compare_by_name(const void *a, const void *b)
{
	const struct object_name *x = a, *y = b;
	uint32_t device_x = (uint32_t)x->id[0], device_y = (uint32_t)y->id[0];

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (device_x != device_y)
		return device_x < device_y ? -1 : 1;
	return compare_names(a, b);
}

static bool is_same_place(const struct object_name *a, const struct object_name *b)
{
	return a->name == b->name && a->kind == b->kind && (uint32_t)a->id[0] == (uint32_t)b->id[0];
}

static void sort_names(struct object_names *names)
{
	struct object_name *all = names->names;

	qsort(all, names->cnt, sizeof(*all), compare_by_name);
	for (size_t i = 0; i < names->cnt; i++) {
		const struct object_name *first = &all[i];

		if (i && is_same_place(&all[i - 1], &all[i]))
			first = &all[i - 1];
		memcpy(all[i].first_id, first == &all[i] ? first->id : first->first_id,
		       sizeof(first->id));
	}
	qsort(all, names->cnt, sizeof(*all), compare_names);
	names->is_sorted = true;
}

static const struct object_name *find_named(struct object_names *names,
					    const struct wire_wait_key *key)
{
	struct object_name wanted = { .id = { key->id[0], key->id[1] }, .kind = key->kind };

	if (!names->cnt)
		return NULL;
	if (!names->is_sorted)
		sort_names(names);
	return bsearch(&wanted, names->names, names->cnt, sizeof(wanted), compare_names);
}

static const char *find_name(struct object_names *names, const struct wire_wait_key *key)
{
	const struct object_name *found = find_named(names, key);

	return found ? found->name : NULL;
}

void object_names_unify(struct object_names *names, struct wire_wait_key *key)
{
	const struct object_name *found;

	if (!is_held_by_device(key->kind))
		return;
	found = find_named(names, key);
	if (found)
		memcpy(key->id, found->first_id, sizeof(key->id));
}

static void inet_name(const struct wire_wait_key *key, char *name, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)key->id;
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char address[INET6_ADDRSTRLEN] = "";

	if (!memcmp(bytes, mapped, sizeof(mapped))) {
		inet_ntop(AF_INET, bytes + 12, address, sizeof(address));
		snprintf(name, size, "%s:%u", address, key->port);
	} else {
		inet_ntop(AF_INET6, bytes, address, sizeof(address));
		snprintf(name, size, "[%s]:%u", address, key->port);
	}
}

/* By the numbers of linux/socket.h and linux/in.h. */
static void socket_name(const struct wire_wait_key *key, char *name, size_t size)
{
	static const char *const families[] = {
		[AF_NETLINK] = "netlink", [AF_PACKET] = "packet",	[AF_CAN] = "can",
		[AF_TIPC] = "tipc",	  [AF_BLUETOOTH] = "bluetooth", [AF_ALG] = "alg",
		[AF_VSOCK] = "vsock"
	};
	uint64_t family = key->id[0];
	const char *known = NULL;

	if (family == AF_INET || family == AF_INET6) {
		if (key->id[1] == IPPROTO_ICMP || key->id[1] == IPPROTO_ICMPV6)
			known = "icmp";
		else if (key->id[1] == IPPROTO_SCTP)
			known = "sctp";
	} else if (family < sizeof(families) / sizeof(families[0])) {
		known = families[family];
	}
	if (known)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "family %u, protocol %u", (unsigned int)family,
			 (unsigned int)key->id[1]);
}

/* A queue or a set of semaphores of System V, by its number as in ipcs. */
static void system_v_name(const struct wire_wait_key *key, char *name, size_t size)
{
	const char *call = syscall_name(key->syscall);

	if (call && !strncmp(call, "msg", 3))
		snprintf(name, size, "message queue %u", (unsigned int)key->id[1]);
	else if (call && !strncmp(call, "sem", 3))
		snprintf(name, size, "semaphore set %u", (unsigned int)key->id[1]);
}

/* "[eventfd]" is "eventfd" to the reader. */
static void anon_name(const struct wire_wait_key *key, char *name, size_t size)
{
	const char *from = (const char *)key->id;
	int len = (int)strnlen(from, sizeof(key->id));

	if (len && from[0] == '[') {
		from++;
		len--;
	}
	if (len && from[len - 1] == ']')
		len--;
	snprintf(name, size, "%.*s", len, from);
}

static void syscall_describe(const struct wire_wait_key *key, char *name, size_t size)
{
	const char *known = syscall_name(key->syscall);

	if (known)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "syscall %u", key->syscall);
}

/* A device of which no file is known: a ring's blocks came from it. */
static void block_name(struct device_number device, char *name, size_t size)
{
	char found[DEVICE_NAME_BYTES];

	device_name(0, device, found);
	if (found[0])
		snprintf(name, size, "/dev/%.*s", (int)strcspn(found, " "), found);
	else
		snprintf(name, size, "device %u:%u", device.major, device.minor);
}

static void inode_name(const struct wire_wait_key *key, char *name, size_t size)
{
	struct device_number device = device_of((uint32_t)key->id[0]);

	if (!key->id[0])
		return;
	if (key->kind == WIRE_KIND_BLOCK && !key->id[1]) {
		block_name(device, name, size);
		return;
	}

	snprintf(name, size, "inode %llu on device %u:%u", (unsigned long long)key->id[1],
		 device.major, device.minor);
}

static bool is_futex(const struct wire_wait_key *key)
{
	switch (key->kind) {
	case WIRE_KIND_FUTEX:
	case WIRE_KIND_MUTEX:
	case WIRE_KIND_CONDITION:
	case WIRE_KIND_SEMAPHORE:
	case WIRE_KIND_RWLOCK:
	case WIRE_KIND_JOIN:
		return true;
	}
	return false;
}

/* The thread whose end was waited for. wait_convert has sorted the threads by then. */
static void join_name(const struct observation *obs, const struct wire_wait_key *key, char *name,
		      size_t size)
{
	unsigned int tid = (unsigned int)key->id[1];
	const struct obs_thread *joined =
		thread_order_find(obs, (pid_t)key->tgid, (pid_t)key->id[1]);

	if (joined)
		snprintf(name, size, "%s (tid %u)", joined->comm, tid);
	else
		snprintf(name, size, "thread %u", tid);
}

static void futex_name(struct object_names *names, const struct observation *obs,
		       const struct wire_wait_key *key, char *name, size_t size)
{
	const char *place;

	if (key->reason == WIRE_GIL) {
		snprintf(name, size, "GIL");
		return;
	}
	if (key->kind == WIRE_KIND_RWLOCK && !key->id[0]) {
		snprintf(name, size, "address space");
		return;
	}
	if (key->kind == WIRE_KIND_JOIN) {
		join_name(obs, key, name, size);
		return;
	}
	place = futex_names_find(&names->futexes, key->tgid, key->id[0]);
	if (place)
		snprintf(name, size, "%s", place);
	else
		snprintf(name, size, "0x%llx", (unsigned long long)key->id[0]);
}

const char *object_names_describe(struct object_names *names, struct observation *obs,
				  const struct wire_wait_key *key)
{
	const char *known = is_futex(key) ? NULL : find_name(names, key);
	char name[256] = "";

	if (known)
		return known;
	switch (key->kind) {
	case WIRE_KIND_TCP:
	case WIRE_KIND_UDP:
		inet_name(key, name, sizeof(name));
		break;
	case WIRE_KIND_SOCKET:
		socket_name(key, name, sizeof(name));
		break;
	case WIRE_KIND_PIPE:
		snprintf(name, sizeof(name), "pipe:[%llu]", (unsigned long long)key->id[1]);
		break;
	case WIRE_KIND_ANON:
		(key->id[0] ? anon_name : system_v_name)(key, name, sizeof(name));
		break;
	case WIRE_KIND_CHILD:
		snprintf(name, sizeof(name), "%.*s", WIRE_COMM_BYTES, (const char *)key->id);
		break;
	case WIRE_KIND_FUTEX:
	case WIRE_KIND_MUTEX:
	case WIRE_KIND_CONDITION:
	case WIRE_KIND_SEMAPHORE:
	case WIRE_KIND_RWLOCK:
	case WIRE_KIND_JOIN:
		futex_name(names, obs, key, name, sizeof(name));
		break;
	case WIRE_KIND_SYSCALL:
		syscall_describe(key, name, sizeof(name));
		break;
	case WIRE_KIND_FILE:
	case WIRE_KIND_DIRECTORY:
	case WIRE_KIND_BLOCK:
	case WIRE_KIND_TTY:
	case WIRE_KIND_DEVICE:
		inode_name(key, name, sizeof(name));
		break;
	}
	known = observation_intern(obs, name, strlen(name));
	return known ? known : "";
}

const char *object_names_call(struct observation *obs, const struct wire_wait_key *key)
{
	const char *known;
	char name[32] = "";

	if (key->syscall != WIRE_NO_SYSCALL)
		syscall_describe(key, name, sizeof(name));
	known = observation_intern(obs, name, strlen(name));
	return known ? known : "";
}

/* What the tables have: an IPv4 address is no mapped IPv6 one there. */
static void endpoint_address(const struct wire_event_endpoint *event, struct net_endpoint *remote)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const unsigned char *bytes = (const unsigned char *)event->id;

	memset(remote, 0, sizeof(*remote));
	remote->port = (uint16_t)event->port;
	remote->is_v6 = memcmp(bytes, mapped, sizeof(mapped)) != 0;
	if (remote->is_v6)
		memcpy(remote->address, bytes, 16);
	else
		memcpy(remote->address, bytes + 12, 4);
}

int object_names_ask_far_end(struct object_names *names, struct observation *obs,
			     const struct wire_event_endpoint *event)
{
	struct wire_wait_key key = { .kind = (uint8_t)event->kind,
				     .port = (uint16_t)event->port,
				     .id = { event->id[0], event->id[1] } };
	struct net_endpoint remote;

	endpoint_address(event, &remote);
	return far_ends_ask(&names->far_ends, (enum object_kind)event->kind,
			    object_names_describe(names, obs, &key), &remote, event->netns,
			    (pid_t)event->event.tgid);
}

const char *object_names_far_end(const struct object_names *names, const struct wire_wait_key *key,
				 const char *name)
{
	if (key->direction != WIRE_OUTBOUND)
		return "";
	return far_ends_find(&names->far_ends, (enum object_kind)key->kind, name);
}
