/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The TCP connections that the tree opened, and, for the user side that asks now and then, how far
 * each has got: whether a request is out on it to which nothing has come yet.
 */
#ifndef CLASSIFY_FLIGHT_BPF_H
#define CLASSIFY_FLIGHT_BPF_H

#include "task.bpf.h"
#include "loop.bpf.h"
#include "wait_object.bpf.h"

#ifndef TCP_ESTABLISHED
#define TCP_ESTABLISHED 1
#endif
#define TCP_SYN_SENT   2
#define TCP_CLOSE_WAIT 8

struct connection {
	u32 remote_port; /* as in the socket: tells it from another at the same address */
	u32 end;	 /* enum wire_connection_state, once it has ended */
	u32 written;	 /* at its end */
	u32 received;
	u32 answered; /* `write_seq` when an answer came last: see connection_answers */
};

/* By the address of its socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct connection);
} connections SEC(".maps");

/* About as many as there are in the map: 0 spares the user side the looking. */
__u64 connection_cnt = 0;

/*
 * A request is out if not all that was written has been acknowledged; or if the far end's last word
 * was an acknowledgement and no data, and it wasn't one of a keep-alive probe, which comes long
 * after the data.
 */
static __always_inline bool has_request_out(u64 socket)
{
	struct inet_connection_sock *inet = (struct inet_connection_sock *)socket;
	struct tcp_sock *tcp = (struct tcp_sock *)socket;

	if (BPF_CORE_READ(tcp, snd_una) != BPF_CORE_READ(tcp, write_seq))
		return true;
	return BPF_CORE_READ(tcp, snd_wl1) == BPF_CORE_READ(tcp, rcv_nxt) &&
	       (s32)(BPF_CORE_READ(tcp, lsndtime) - BPF_CORE_READ(inet, icsk_ack.lrcvtime)) >= 0;
}

/* @flags: BPF_ANY for a new one, BPF_NOEXIST for one that may be known. */
static __always_inline void connection_add(u64 socket, u64 flags)
{
	struct connection made = {
		.remote_port = BPF_CORE_READ((struct sock *)socket, __sk_common.skc_dport),
	};

	if (!has_request_out(socket))
		made.answered = BPF_CORE_READ((struct tcp_sock *)socket, write_seq);

	if (!bpf_map_update_elem(&connections, &socket, &made, flags))
		__sync_fetch_and_add(&connection_cnt, 1);
	else if (!bpf_map_lookup_elem(&connections, &socket))
		count_loss(WIRE_LOST_CONNECTION);
}

/* The connection leaves the established state: what came on it until then. */
static __always_inline void connection_end(u64 socket, int new_state)
{
	struct connection *known = bpf_map_lookup_elem(&connections, &socket);
	struct tcp_sock *tcp = (struct tcp_sock *)socket;

	if (!known || known->end)
		return;
	known->written = BPF_CORE_READ(tcp, write_seq);
	known->received = BPF_CORE_READ(tcp, rcv_nxt);
	known->end = new_state == TCP_CLOSE_WAIT ? WIRE_CONNECTION_LEFT : WIRE_CONNECTION_CLOSED;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_connection_state, struct sock *sk, int old_state, int new_state)
{
	struct thread_ctx *thread;

	if (!is_observing || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	if (new_state == TCP_SYN_SENT) {
		thread = thread_find(bpf_get_current_task_btf());
		if (thread && thread->head.is_followed)
			connection_add((u64)sk, BPF_ANY);
	} else if (old_state == TCP_ESTABLISHED || old_state == TCP_SYN_SENT) {
		if (new_state != TCP_ESTABLISHED && connection_cnt)
			connection_end((u64)sk, new_state);
	}
	return 0;
}

/* The tree had the open file @file before it was observed: is it a connection to others? */
static __always_inline void connection_seed(struct file *file)
{
	struct sock *sk = file_sock(file);
	struct wire_wait_key key = {};

	socket_describe(&key, (u64)sk, 0);
	if (key.kind == WIRE_KIND_TCP && key.direction == WIRE_OUTBOUND)
		connection_add((u64)sk, BPF_NOEXIST);
}

/* Looks at what adopted processes have open. */
SEC("iter/task_file")
int seed_files(struct bpf_iter__task_file *iter)
{
	struct task_struct *task = iter->task;
	struct file *file = iter->file;
	struct thread_ctx *thread;
	u32 mode;

	if (!task || !file)
		return 0;
	thread = thread_find(task);
	if (!thread || !thread->head.is_followed)
		return 0;
	mode = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	if (mode == S_IFSOCK)
		connection_seed(file);
	else if (!mode)
		loop_seed(thread, task, file, iter->fd);
	return 0;
}

/*
 * Data has come on the connection of @socket: is it an answer? Not if nothing was written since the
 * last: a subscriber's, a server that pushes. What isn't known counts as one.
 */
static __always_inline bool connection_answers(u64 socket)
{
	struct connection *known = bpf_map_lookup_elem(&connections, &socket);
	u32 written = BPF_CORE_READ((struct tcp_sock *)socket, write_seq);

	if (!known)
		return true;
	if (known->answered == written)
		return false;
	known->answered = written;
	return true;
}

/* Fills @told; returns whether the socket is still that of @known. */
static __always_inline bool connection_tell(struct wire_connection *told,
					    const struct connection *known)
{
	struct sock *sk = (struct sock *)told->socket;
	struct tcp_sock *tcp = (struct tcp_sock *)told->socket;
	u32 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	if (known->end) {
		told->written = known->written;
		told->received = known->received;
		told->state = known->end;
		return false;
	}
	told->written = BPF_CORE_READ(tcp, write_seq);
	told->received = BPF_CORE_READ(tcp, rcv_nxt);
	told->state = WIRE_CONNECTION_AT_REST;
	if (state == TCP_SYN_SENT || (state == TCP_ESTABLISHED && has_request_out(told->socket)))
		told->state = WIRE_CONNECTION_ASKS;
	return (state == TCP_SYN_SENT || state == TCP_ESTABLISHED) &&
	       BPF_CORE_READ(sk, __sk_common.skc_dport) == known->remote_port;
}

/* Tells of each connection; of one that has ended for the last time. */
SEC("iter/bpf_map_elem")
int tell_connections(struct bpf_iter__bpf_map_elem *iter)
{
	const struct connection *value = iter->value;
	const u64 *key = iter->key;
	struct wire_connection told = {};
	struct connection known;
	u64 socket;

	if (!key || !value)
		return 0;
	known = *value;
	socket = told.socket = *key;
	if (!connection_tell(&told, &known)) {
		if (!bpf_map_delete_elem(&connections, &socket))
			__sync_fetch_and_add(&connection_cnt, -1);
		if (!known.end)
			return 0;
	}
	bpf_seq_write(iter->meta->seq, &told, sizeof(told));
	return 0;
}

#endif
