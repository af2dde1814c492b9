/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an epoll instance watches. A wait that something ended is named by what ended it
 * (ready.bpf.h); a wait that nothing has ended, or its timeout, can only be told by what it was
 * for.
 */
#ifndef CLASSIFY_INTEREST_BPF_H
#define CLASSIFY_INTEREST_BPF_H

#include "task.bpf.h"
#include "wait_object.bpf.h"

/* Of a large set, the items at the top of its tree stand for all. */
#define INTEREST_MAX 7

/* How much a descriptor tells of what its loop is for: clients first, then those it asks itself,
 * then clocks, then what the tree's own threads wake it by. */
static __always_inline u32 interest_rank(const struct wire_wait_key *key)
{
	switch (key->reason) {
	case WIRE_ACCEPT:
	case WIRE_TTY:
		return 5;
	case WIRE_NETWORK:
		return 4;
	case WIRE_IPC:
		return key->direction == WIRE_OUTBOUND ? 4 : 2;
	case WIRE_TIMER:
		return 3;
	case WIRE_POLL:
	case WIRE_OTHER:
		return 0;
	}
	return 1;
}

static __always_inline struct file *interest_file(u64 node)
{
	struct epitem *item = (void *)node - bpf_core_field_offset(struct epitem, rbn);

	return BPF_CORE_READ(item, ffd.file);
}

/* Makes @key a wait for @file, if that tells more. */
static __always_inline void interest_weigh(struct wire_wait_key *key, struct file *file)
{
	struct wire_wait_key found = { .tgid = key->tgid,
				       .flags = key->flags,
				       .syscall = key->syscall };

	file_describe(&found, (u64)file, 0);
	if (interest_rank(&found) > interest_rank(key))
		*key = found;
}

/*
 * Makes @key, a wait in @loop (an eventpoll), a wait for the most telling of what it watches. The
 * loop of a helper thread (@is_helper) that watches but a pipe, or a pair of nameless sockets, is
 * told by it what to do: Node's timers, an asyncio loop beside the main thread. Global, as
 * socket_describe is.
 */
__noinline int interest_describe(struct wire_wait_key *key, u64 loop, u32 is_helper)
{
	u64 nodes[2 * INTEREST_MAX + 1] = { (u64)BPF_CORE_READ((struct eventpoll *)loop,
							       rbr.rb_root.rb_node) };

	if (!key)
		return 0;
		/* Kernels before 6.4 refuse the loop that the compiler makes of it. */
#pragma unroll
	for (u32 i = 0; i < INTEREST_MAX; i++) {
		struct rb_node *node = (struct rb_node *)nodes[i];
		struct file *file = node ? interest_file(nodes[i]) : 0;

		nodes[2 * i + 1] = node ? (u64)BPF_CORE_READ(node, rb_left) : 0;
		nodes[2 * i + 2] = node ? (u64)BPF_CORE_READ(node, rb_right) : 0;
		if (file)
			interest_weigh(key, file);
	}
	if (is_helper && key->reason == WIRE_IPC && key->direction == WIRE_DIRECTION_NONE)
		key->reason = WIRE_SYNC;
	return 0;
}

#endif
