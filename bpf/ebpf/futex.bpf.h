/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which futexes are known: each is looked at when a process first waits there, told to the user
 * side for a name, and remembered. */
#ifndef CLASSIFY_FUTEX_BPF_H
#define CLASSIFY_FUTEX_BPF_H

#include "task.bpf.h"
#include "futex_layout.h"

/* A word may be looked at while another thread is just changing what surrounds it. */
#define FUTEX_LOOK_MAX 4
/* Events that tell of futexes, at most: a bound for what the user side asks /proc. */
#define FUTEX_EVENT_MAX 65536

struct futex_key {
	u32 tgid;
	u32 pad;
	u64 address;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct futex_key);
	__type(value, struct futex_known);
} futexes SEC(".maps");

__u64 futex_event_cnt = 0;

static inline bool futex_read(const struct futex_wait *wait, void *words, u32 bytes, u64 address)
{
	return !bpf_probe_read_user(words, bytes, (void *)address);
}

/* Global, so that the verifier checks it once. */
__noinline int futex_look(struct futex_wait *wait)
{
	if (wait)
		futex_decide(wait);
	return 0;
}

/* Tells the user side of a futex, which then finds a name for it while the process lives. */
static __always_inline void futex_send(const struct futex_wait *wait)
{
	struct wire_event_futex *event;

	if (__sync_fetch_and_add(&futex_event_cnt, 1) >= FUTEX_EVENT_MAX)
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count_loss(WIRE_LOST_EVENT);
		return;
	}
	__builtin_memset(&event->event, 0, sizeof(event->event));
	event->event.type = WIRE_EVENT_FUTEX;
	event->event.tgid = wait->tgid;
	event->address = wait->address - wait->known.back;
	event->stack = wait->can_read_user ? wait->stack : 0;
	event->thread_pointer = wait->thread_pointer;
	event->op = wait->op;
	event->value = wait->value;
	event->is_timed = wait->is_timed;
	event->is_told = wait->can_read_user;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* How the word is waited for, roughly: what is waited for in another way is another thing. */
static __always_inline u8 futex_manner(const struct futex_wait *wait)
{
	u8 value = wait->value == 0		    ? 0
		   : wait->value == MUTEX_CONTENDED ? 1
		   : wait->value & FUTEX_WAITERS    ? 2
						    : 3;

	return (wait->op & FUTEX_CMD_MASK) << 2 | value;
}

/* A frame of a stack is soon another function's. */
#define STACK_REACH_BYTES (1 << 20)

static __always_inline bool is_on_own_stack(const struct futex_wait *wait)
{
	return wait->address - wait->stack < STACK_REACH_BYTES;
}

static __always_inline bool futex_must_look(const struct futex_wait *wait,
					    const struct futex_known *known)
{
	if (!wait->can_read_user)
		return false;
	return known->manner != futex_manner(wait) || is_on_own_stack(wait) ||
	       (known->kind == WIRE_KIND_FUTEX && known->look_cnt < FUTEX_LOOK_MAX);
}

/* Looks again at what is @known. */
static __always_inline void futex_relook(struct futex_wait *wait, struct futex_known *known)
{
	struct futex_known before = *known;
	bool is_another = before.manner != futex_manner(wait);

	futex_look(wait);
	wait->known.manner = futex_manner(wait);
	wait->known.look_cnt = before.look_cnt + (before.look_cnt < FUTEX_LOOK_MAX);
	wait->known.is_refuted =
		before.is_refuted ||
		(is_another && (before.is_by_value || before.kind == WIRE_KIND_FUTEX));
	if (wait->known.is_by_value && wait->known.is_refuted)
		futex_is(wait, WIRE_KIND_FUTEX, WIRE_SYNC);
	*known = wait->known;
	if (wait->known.back != before.back)
		futex_send(wait);
}

/* Fills @wait->known from what is remembered of the address, or by a look at it. */
static __always_inline void futex_recall(struct futex_wait *wait)
{
	struct futex_known *known, learnt;
	struct futex_key key = {};

	key.tgid = wait->tgid;
	key.address = wait->address;
	known = bpf_map_lookup_elem(&futexes, &key);
	if (!known) {
		futex_look(wait);
		wait->known.manner = futex_manner(wait);
		wait->known.look_cnt = 1;
		learnt = wait->known; /* a copy: see loop_find */
		if (wait->can_read_user)
			bpf_map_update_elem(&futexes, &key, &learnt, BPF_ANY);
		futex_send(wait);
	} else if (futex_must_look(wait, known)) {
		futex_relook(wait, known);
	} else {
		wait->known = *known;
	}
}

/* A stack may become another thread's, and what is unsure is looked at again. */
static __always_inline bool futex_is_settled(const struct futex_wait *wait)
{
	u8 kind = wait->known.kind;

	return wait->can_read_user && kind != WIRE_KIND_JOIN && !is_on_own_stack(wait) &&
	       (kind != WIRE_KIND_FUTEX || wait->known.look_cnt >= FUTEX_LOOK_MAX);
}

__noinline int futex_tell(struct futex_wait *wait)
{
	if (!wait)
		return 0;
	futex_recall(wait);
	if (wait->known.kind == WIRE_KIND_JOIN && wait->can_read_user)
		futex_joined(wait);
	return 0;
}

#endif
