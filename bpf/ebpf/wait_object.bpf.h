/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* From a descriptor or a socket to the reason and object of a wait on it. */
#ifndef CLASSIFY_WAIT_OBJECT_BPF_H
#define CLASSIFY_WAIT_OBJECT_BPF_H

#include "task.bpf.h"
#include "disk.bpf.h"
#include "far_end.bpf.h"
#include "wait_name.bpf.h"

#define AF_UNIX	   1
#define AF_INET	   2
#define AF_INET6   10
#define AF_NETLINK 16

#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define IPPROTO_UDPLITE 136
#define IPPROTO_MPTCP	262

#define SOCK_STREAM	   1
#define SOCK_BINDPORT_LOCK 8
#define EPHEMERAL_PORT_MIN 32768 /* unless net.ipv4.ip_local_port_range says otherwise */
#define TCP_LISTEN	   10

/* Majors of terminals: 4 tty, 5 /dev/tty and console, 136 to 143 pseudo-terminals. */
static __always_inline bool device_is_tty(u32 dev)
{
	u32 major = dev >> 20;

	return major == 4 || major == 5 || (major >= 136 && major <= 143);
}

/* IPv4 addresses are written as IPv6 has them. */
static __always_inline void inet_address(u64 address[2], struct sock *sk, u16 family,
					 bool is_remote)
{
	const void *from =
		is_remote ? &sk->__sk_common.skc_v6_daddr : &sk->__sk_common.skc_v6_rcv_saddr;

	if (family == AF_INET6) {
		bpf_probe_read_kernel(address, 2 * sizeof(u64), from);
		return;
	}
	address[0] = 0;
	address[1] = 0xffff0000ull | (u64)(is_remote ? BPF_CORE_READ(sk, __sk_common.skc_daddr)
						     : BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr))
					     << 32;
}

static __always_inline u32 socket_netns(struct sock *sk)
{
	if (!bpf_core_field_exists(sk->__sk_common.skc_net.net))
		return 0;
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* Ports that nobody listens on anywhere, as those of nearly all outbound connections, are told by a
 * bit. */
static __always_inline bool port_is_listened_on(struct sock *sk, u32 port)
{
	struct wire_port key = { .port = port };

	if (!(listening_filter[(port / 64) & 1023] & 1ull << port % 64))
		return false;
	key.netns = socket_netns(sk);
	return bpf_map_lookup_elem(&listening_ports, &key);
}

/*
 * Ports are used again, so how @sk came by its own counts, too. One that accept() made shares its
 * listener's, but not SOCK_BINDPORT_LOCK, the note of having asked for it by number. One that
 * connect() chose is kept apart from all that were bound: both its fast ways to share it are -1.
 * What bind() chose for a client is of the ephemeral range, where few listeners are that nobody
 * saw.
 */
static __always_inline bool connection_is_accepted(struct sock *sk, u32 port)
{
	struct inet_bind_bucket *bucket =
		BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_bind_hash);

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK)
		return false;
	if (bucket && BPF_CORE_READ(bucket, fastreuse) < 0 &&
	    BPF_CORE_READ(bucket, fastreuseport) < 0)
		return false;
	return port_is_listened_on(sk, port) || (bucket && port < EPHEMERAL_PORT_MIN);
}

/* A datagram socket that asked for its port by number and speaks to nobody in particular serves
 * whoever sends to that port. A client takes any port, or connects. */
static __always_inline bool is_datagram_server(struct sock *sk, u16 remote_port)
{
	return !remote_port && BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK;
}

static __always_inline void inet_describe(struct wire_wait_key *key, struct sock *sk, u16 family,
					  bool is_tcp, bool is_write)
{
	u32 local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	u16 remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));

	key->kind = is_tcp ? WIRE_KIND_TCP : WIRE_KIND_UDP;
	key->reason = WIRE_NETWORK;
	if (is_tcp && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN) {
		key->reason = WIRE_ACCEPT;
		key->direction = WIRE_LISTENING;
	} else if (is_tcp ? connection_is_accepted(sk, local_port)
			  : is_datagram_server(sk, remote_port)) {
		/* An accepted connection or the like: to read from it is to wait for work. */
		key->reason = is_write ? WIRE_NETWORK : WIRE_ACCEPT;
		key->direction = WIRE_INBOUND;
	} else if (remote_port) {
		key->direction = WIRE_OUTBOUND;
	}
	key->port = key->direction == WIRE_OUTBOUND ? remote_port : local_port;
	inet_address(key->id, sk, family, key->direction == WIRE_OUTBOUND);
}

/* As far as addresses tell, @key's far end is on this host: in 127.0.0.0/8, or the same address as
 * the near end. */
static __always_inline bool is_this_host(const struct wire_wait_key *key, struct sock *sk,
					 u16 family)
{
	u64 local[2];

	if (family == AF_UNIX)
		return true;
	inet_address(local, sk, family, false);
	if (key->id[0] == local[0] && key->id[1] == local[1])
		return true;
	return !key->id[0] && (key->id[1] & 0xffffffffffull) == 0x7fffff0000ull;
}

/* Global for the sake of the stack, of which all that call each other share 512 bytes. */
__noinline int far_end_describe(const struct wire_wait_key *key, u64 socket, u32 family)
{
	struct sock *sk = (struct sock *)socket;

	if (key && is_this_host(key, sk, family))
		endpoint_note(key, socket_netns(sk));
	return 0;
}

#define UNIX_PATH_WORDS 14

/* An endpoint's identity is a hash of its name: what it accepts, and its clients' peers, have the
 * same one. FNV-1a, a word at a time. */
static __always_inline u64 unix_address_hash(struct unix_address *address)
{
	const char *path = (const char *)address +
			   bpf_core_field_offset(struct unix_address, name) +
			   bpf_core_field_offset(struct sockaddr_un, sun_path);
	u32 len = BPF_CORE_READ(address, len) - sizeof(unsigned short);
	u64 hash = 14695981039346656037ull;

	if (len > 108)
		return 0;
	for (u32 i = 0; i < UNIX_PATH_WORDS; i++) {
		u32 left = len > 8 * i ? len - 8 * i : 0;
		u64 word = 0;

		bpf_probe_read_kernel(&word, left < sizeof(word) ? left : sizeof(word),
				      path + 8 * i);
		hash = (hash ^ word) * 1099511628211ull;
	}
	return hash;
}

/* Global as far_end_describe is. */
__noinline int unix_describe(struct wire_wait_key *key, u64 socket, u32 is_write)
{
	struct sock *sk = (struct sock *)socket;
	struct unix_sock *unix_sk = (void *)sk;
	struct unix_address *address = BPF_CORE_READ(unix_sk, addr);
	struct sock *peer = BPF_CORE_READ(unix_sk, peer);

	if (!key)
		return 0;
	key->kind = WIRE_KIND_UNIX;
	key->reason = WIRE_IPC;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN) {
		key->reason = WIRE_ACCEPT;
		key->direction = WIRE_LISTENING;
	} else if (address) {
		key->reason = is_write ? WIRE_IPC : WIRE_ACCEPT;
		key->direction = WIRE_INBOUND;
	} else if (peer) {
		address = BPF_CORE_READ((struct unix_sock *)peer, addr);
		if (address)
			key->direction = WIRE_OUTBOUND;
	}
	if (!address)
		return 0;
	key->id[0] = unix_address_hash(address);
	name_unix_address(key, address);
	return 0;
}

/* Sockets of other families and protocols are named by these. One that has subscribed to news of
 * the kernel's waits for them, else for an answer. */
static __always_inline void other_describe(struct wire_wait_key *key, struct sock *sk, u16 family,
					   u16 protocol)
{
	key->kind = WIRE_KIND_SOCKET;
	key->reason = family == AF_NETLINK ? WIRE_IPC : WIRE_NETWORK;
	key->id[0] = family;
	key->id[1] = protocol;
	if (family == AF_NETLINK && BPF_CORE_READ((struct netlink_sock *)sk, subscriptions))
		key->direction = WIRE_LISTENING;
}

/*
 * Fills reason, kind, direction and identity of a wait on the socket @socket (a struct sock *) into
 * @key. A global function, like file_describe: the verifier checks it once, not at every call.
 * Kernel pointers cross into global functions as numbers.
 */
__noinline int socket_describe(struct wire_wait_key *key, u64 socket, u32 is_write)
{
	struct sock *sk = (struct sock *)socket;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	u16 protocol = BPF_CORE_READ(sk, sk_protocol);
	bool is_tcp = protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
	bool is_udp = protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;

	if (!key)
		return 0;
	if (family == AF_UNIX)
		unix_describe(key, socket, is_write);
	else if ((family == AF_INET || family == AF_INET6) && (is_tcp || is_udp))
		inet_describe(key, sk, family, is_tcp, is_write);
	else
		other_describe(key, sk, family, protocol);
	if (key->direction == WIRE_OUTBOUND)
		far_end_describe(key, socket, family);
	return 0;
}

/* Eight characters as the (little-endian) word they are read as. */
#define WORD(a, b, c, d, e, f, g, h)                                                   \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)

/* Anonymous files tell what they are by the name of their dentry. */
static __always_inline void anon_describe(struct wire_wait_key *key, struct file *file)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);

	key->kind = WIRE_KIND_ANON;
	key->reason = WIRE_OTHER;
	bpf_probe_read_kernel_str(key->id, sizeof(key->id), name);
	switch (key->id[0]) {
	case WORD('[', 'e', 'v', 'e', 'n', 't', 'f', 'd'):
		key->reason = WIRE_SYNC;
		return;
	case WORD('[', 't', 'i', 'm', 'e', 'r', 'f', 'd'):
		key->reason = WIRE_TIMER;
		return;
	case WORD('[', 's', 'i', 'g', 'n', 'a', 'l', 'f'):
	case WORD('[', 'f', 'a', 'n', 'o', 't', 'i', 'f'):
	case WORD('i', 'n', 'o', 't', 'i', 'f', 'y', 0):
		key->reason = WIRE_IPC;
		return;
	case WORD('[', 'p', 'i', 'd', 'f', 'd', ']', 0):
		key->reason = WIRE_CHILD;
		return;
	case WORD('[', 'e', 'v', 'e', 'n', 't', 'p', 'o'):
	case WORD('[', 'i', 'o', '_', 'u', 'r', 'i', 'n'):
		key->reason = WIRE_POLL;
		return;
	}
}

/* Since 6.9 it has a file system of its own, and isn't anonymous. */
static __always_inline void pidfd_describe(struct wire_wait_key *key)
{
	key->kind = WIRE_KIND_ANON;
	key->reason = WIRE_CHILD;
	key->id[0] = WORD('[', 'p', 'i', 'd', 'f', 'd', ']', 0);
	key->id[1] = 0;
}

/* Since 6.2 a number can be declared to be a pointer that is followed without a helper. */
extern void *bpf_rdonly_cast(const void *object, __u32 type_id) __ksym __weak;

/* A thread's descriptors, read where its task_struct can be followed without a helper. */
struct descriptor_table {
	u64 slots; /* struct file ** */
	u32 slot_cnt;
	u32 pad;
};

static __always_inline struct file *file_of_descriptor(const struct descriptor_table *table, u32 fd)
{
	struct file *file = 0;

	if (fd < table->slot_cnt)
		bpf_probe_read_kernel(&file, sizeof(file), (struct file **)table->slots + fd);
	return file;
}

/* The pointer at @slot, one of a thread's descriptors. */
static __always_inline u64 file_in_slot(struct file **slot)
{
	u64 file = 0;

	if (bpf_rdonly_cast) {
		/* Any type that begins with a pointer serves to read one. */
		struct list_head *known =
			bpf_rdonly_cast(slot, bpf_core_type_id_kernel(struct list_head));

		return (u64)known->next;
	}
	bpf_probe_read_kernel(&file, sizeof(file), slot);
	return file;
}

static __always_inline u64 file_inode_number(struct file *file)
{
	if (bpf_rdonly_cast) {
		struct file *known = bpf_rdonly_cast(file, bpf_core_type_id_kernel(struct file));

		return known->f_inode->i_ino;
	}
	return BPF_CORE_READ(file, f_inode, i_ino);
}

static __always_inline u32 file_generation(struct file *file)
{
	if (bpf_rdonly_cast) {
		struct file *known = bpf_rdonly_cast(file, bpf_core_type_id_kernel(struct file));

		return known->f_inode->i_generation;
	}
	return BPF_CORE_READ(file, f_inode, i_generation);
}

/* Whether what @key says of @file holds as long as that is open. Sockets that don't stream may be
 * connected to one end after the other. */
static __always_inline bool file_is_settled(const struct wire_wait_key *key, struct file *file)
{
	struct socket *socket;

	if (key->kind == WIRE_KIND_UDP)
		return false;
	if (key->kind != WIRE_KIND_UNIX)
		return true;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, type) == SOCK_STREAM;
}

/* The socket behind @file, which is one. */
static __always_inline struct sock *file_sock(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* The same for a wait on the open file @file_address (a struct file *). */
__noinline int file_describe(struct wire_wait_key *key, u64 file_address, u32 is_write)
{
	struct file *file = (struct file *)file_address;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 mode = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	u32 device;

	if (!key)
		return 0;
	if (mode == S_IFSOCK)
		return socket_describe(key, (u64)file_sock(file), is_write);
	if (!mode) {
		anon_describe(key, file);
		return 0;
	}
	key->reason = WIRE_DISK;
	inode_identify(key, inode, mode);
	switch (mode) {
	case S_IFIFO:
		key->kind = WIRE_KIND_PIPE;
		key->reason = WIRE_IPC;
		if (BPF_CORE_READ(inode, i_sb, s_magic) == PIPEFS_MAGIC)
			return 0;
		break;
	case S_IFCHR:
		device = BPF_CORE_READ(inode, i_rdev);
		key->kind = device_is_tty(device) ? WIRE_KIND_TTY : WIRE_KIND_DEVICE;
		key->reason = device_is_tty(device) ? WIRE_TTY : WIRE_DEVICE;
		break;
	case S_IFDIR:
		key->kind = WIRE_KIND_DIRECTORY;
		break;
	case S_IFBLK:
		key->kind = WIRE_KIND_BLOCK;
		key->flags |= file_wait_flags(file);
		break;
	default:
		if (BPF_CORE_READ(inode, i_sb, s_magic) == PID_FS_MAGIC) {
			pidfd_describe(key);
			return 0;
		}
		key->kind = WIRE_KIND_FILE;
		if (inode_is_of_kernel(inode))
			key->reason = WIRE_DEVICE;
		key->flags |= file_wait_flags(file);
		break;
	}
	name_file(key, file);
	return 0;
}

#endif
