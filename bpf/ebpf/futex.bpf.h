/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a futex is: mutex, condition variable, semaphore, rwlock or the end of a thread. The system
 * call doesn't say; what the word is expected to hold and what lies around it in memory does. Both
 * are looked at when a process first waits at an address, and remembered.
 *
 * The layouts are those of glibc 2.25 to 2.42 and of musl 1.2 on 64-bit machines (docs/design.md
 * says which were tried). What fits none of them stays WIRE_KIND_FUTEX.
 */
#ifndef CLASSIFY_FUTEX_BPF_H
#define CLASSIFY_FUTEX_BPF_H

#include "task.bpf.h"

#define FUTEX_CMD_MASK	     0x7f
#define FUTEX_PRIVATE_FLAG   0x80
#define FUTEX_CLOCK_REALTIME 0x100
#define FUTEX_WAIT	     0
#define FUTEX_LOCK_PI	     6
#define FUTEX_WAIT_BITSET    9
#define FUTEX_LOCK_PI2	     13
/* In the word of a robust mutex, and of musl's locks: somebody waits. */
#define FUTEX_WAITERS  0x80000000u
#define FUTEX_TID_MASK 0x3fffffffu
/* glibc, Go and Rust all mark a mutex that has waiters with 2. */
#define MUTEX_CONTENDED 2

#define TID_MAX	   (1 << 22)
#define WAITER_MAX (1 << 20)
/* A word may be looked at while another thread is just changing what surrounds it. */
#define FUTEX_LOOK_MAX 4
/* Events that tell of futexes, at most: a bound for what the user side asks /proc. */
#define FUTEX_EVENT_MAX 65536

struct futex_key {
	u32 tgid;
	u32 pad;
	u64 address;
};

struct futex_known {
	u8 kind;
	u8 reason;
	u8 is_by_value; /* told by nothing but the expected value: another value refutes it */
	u8 look_cnt;
	u8 back; /* bytes from the word back to the beginning of what it belongs to */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct futex_key);
	__type(value, struct futex_known);
} futexes SEC(".maps");

__u64 futex_event_cnt = 0;

/* A thread's call of futex(), and what became known of it. */
struct futex_wait {
	u64 address;
	u64 stack;	    /* the thread's stack pointer */
	u64 thread_pointer; /* glibc, musl: its struct pthread */
	u32 op;
	u32 value; /* that the word is expected to hold */
	u32 tgid;
	u32 can_read_user;
	u32 is_timed;
	u32 joined; /* the thread whose end is waited for, as its process numbers it */
	struct futex_known known;
};

static __always_inline bool user_read(void *words, u32 bytes, u64 address)
{
	return !bpf_probe_read_user(words, bytes, (void *)address);
}

static __always_inline u64 wide(u32 low, u32 high)
{
	return (u64)high << 32 | low;
}

static __always_inline void futex_is(struct futex_wait *wait, u8 kind, u8 reason)
{
	wait->known.kind = kind;
	wait->known.reason = reason;
}

static __always_inline bool is_private(const struct futex_wait *wait)
{
	return wait->op & FUTEX_PRIVATE_FLAG;
}

static __always_inline bool is_count(u32 cnt)
{
	return cnt && cnt < WAITER_MAX;
}

/*
 * pthread_cond_t waits on one of g_signals[2], of which the first is 8-aligned. Eight bytes before
 * them begin g1_orig_size and wrefs: the waiters in eights, plus flags. Up to 2.40 g_size[2],
 * g_refs[2] (waiters in twos), g1_start and wseq lie before that; from 2.41 on there is no g_refs,
 * and two words that are always 0 follow instead.
 */
static __always_inline bool is_condition(struct futex_wait *wait)
{
	u64 signals = wait->address & ~7ull;
	u32 group = wait->address >> 2 & 1;
	u32 word[12], unused[2];
	u64 position, start;

	if (!user_read(word, sizeof(word), signals - 40))
		return false;
	if (!is_count(word[9] >> 3) || (word[9] & 1) == is_private(wait))
		return false;
	position = wide(word[0], word[1]) >> 1;
	start = wide(word[2], word[3]) >> 1;
	if (start < position && position - start < WAITER_MAX &&
	    is_count(word[group ? 5 : 4] >> 1) && word[group ? 5 : 4] >> 1 <= word[9] >> 3) {
		wait->known.back = wait->address - signals + 40;
		return true;
	}
	wait->known.back = wait->address - signals + 32;
	position = wide(word[2], word[3]) >> 1;
	start = wide(word[4], word[5]);
	return start <= position && position - start < WAITER_MAX && position &&
	       user_read(unused, sizeof(unused), signals + 8) && !unused[0] && !unused[1];
}

/* sem_t: value, waiters, and 0 or 128 for a private or a shared one. A wait without a timeout is by
 * the real-time clock, which nobody else asks for. */
static __always_inline bool is_semaphore(const struct futex_wait *wait)
{
	u32 word[3];

	if (wait->address & 7 || wait->value || (wait->op & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET ||
	    !(wait->is_timed || wait->op & FUTEX_CLOCK_REALTIME))
		return false;
	return user_read(word, sizeof(word), wait->address) && word[0] <= 1 && is_count(word[1]) &&
	       word[2] == (is_private(wait) ? 0 : 128);
}

/* pthread_rwlock_t: readers, writers, wrphase_futex (+8), writers_futex (+12), two unused words,
 * the writer's tid, shared, unused (32 to 48), flags. */
static __always_inline bool is_rwlock(struct futex_wait *wait)
{
	u32 word[13];

	wait->known.back = (wait->address & 7) + 8;
	if (wait->value != 2 && wait->value != 3)
		return false;
	if (!user_read(word, sizeof(word), (wait->address & ~7ull) - 8))
		return false;
	return (word[0] || word[1]) && word[2] <= 3 && word[3] <= 3 && !word[4] && !word[5] &&
	       word[6] < TID_MAX && !word[7] == is_private(wait) && !word[8] && !word[9] &&
	       !word[10] && !word[11] && word[12] <= 3;
}

/* pthread_mutex_t: lock, count, owner's tid, users, kind. @bits: of the kind, one must be set. */
static __always_inline bool is_mutex(const struct futex_wait *wait, u32 owner)
{
	u32 word[5];

	return !(wait->address & 7) && user_read(word, sizeof(word), wait->address) && word[2] &&
	       word[2] < TID_MAX && (!owner || word[2] == owner) && is_count(word[3]) &&
	       word[4] < 0x400;
}

/* glibc's struct pthread holds its own address at +0 and +16, and the thread's number at +720,
 * which the kernel clears and wakes when the thread is gone. */
#define GLIBC_TID_OFFSET 720

static __always_inline bool is_join(const struct futex_wait *wait)
{
	u64 thread = wait->address - GLIBC_TID_OFFSET, self = 0;

	return !is_private(wait) && is_count(wait->value) && user_read(&self, 8, thread) &&
	       self == thread && user_read(&self, 8, thread + 16) && self == thread;
}

/* musl's struct pthread holds its own address at +0 only, and its state at +56. */
#define MUSL_STATE_OFFSET 56
#define MUSL_TID_BEFORE	  8 /* and its number so many bytes before that */

static __always_inline bool is_glibc_or_unreadable(const struct futex_wait *wait)
{
	u64 self = 0;

	return !user_read(&self, 8, wait->thread_pointer + 16) || self == wait->thread_pointer;
}

/* musl's pthread_cond_wait sleeps on a word of its own stack. */
#define OWN_STACK_BYTES 512

static __always_inline void tell_musl(struct futex_wait *wait)
{
	u64 state = wait->address - MUSL_STATE_OFFSET, self = 0;
	u32 word[3];

	if (wait->value == MUTEX_CONTENDED) {
		if (user_read(&self, 8, state) && self == state)
			futex_is(wait, WIRE_KIND_JOIN, WIRE_SYNC);
		else if (wait->address & 4 && wait->address - wait->stack < OWN_STACK_BYTES)
			futex_is(wait, WIRE_KIND_CONDITION, WIRE_SYNC);
		return;
	}
	if (!(wait->value & FUTEX_WAITERS))
		return;
	if (wait->address & 4) { /* type, lock, waiters */
		if (user_read(word, sizeof(word), wait->address - 4) && word[0] < 0x100 &&
		    is_count(word[2])) {
			futex_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK);
			wait->known.back = 4;
		}
		return;
	}
	if (!user_read(word, sizeof(word), wait->address) || !is_count(word[1]))
		return;
	if (word[2] == (is_private(wait) ? 128 : 0))
		futex_is(wait, WIRE_KIND_SEMAPHORE, WIRE_SYNC);
	else if (word[2] == (is_private(wait) ? 0 : 128))
		futex_is(wait, WIRE_KIND_RWLOCK, WIRE_LOCK);
}

static __always_inline void tell_glibc(struct futex_wait *wait)
{
	u32 owner = wait->value & FUTEX_TID_MASK;

	if (is_condition(wait)) {
		futex_is(wait, WIRE_KIND_CONDITION, WIRE_SYNC);
		return;
	}
	if (is_rwlock(wait)) {
		futex_is(wait, WIRE_KIND_RWLOCK, WIRE_LOCK);
		return;
	}
	wait->known.back = 0;
	if (is_join(wait))
		futex_is(wait, WIRE_KIND_JOIN, WIRE_SYNC);
	else if (is_semaphore(wait))
		futex_is(wait, WIRE_KIND_SEMAPHORE, WIRE_SYNC);
	else if (wait->value == MUTEX_CONTENDED
			 ? is_mutex(wait, 0)
			 : wait->value & FUTEX_WAITERS && is_mutex(wait, owner))
		futex_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK);
}

/* What the call alone tells. */
static __always_inline void tell_by_value(struct futex_wait *wait)
{
	u32 cmd = wait->op & FUTEX_CMD_MASK;

	futex_is(wait, WIRE_KIND_FUTEX, WIRE_SYNC);
	if (cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2) {
		futex_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK);
	} else if (wait->value == MUTEX_CONTENDED &&
		   (cmd == FUTEX_WAIT || (cmd == FUTEX_WAIT_BITSET && !wait->is_timed))) {
		futex_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK);
		wait->known.is_by_value = 1;
	}
}

/* Fills @wait->known. Global, so that the verifier checks it once. */
__noinline int futex_look(struct futex_wait *wait)
{
	u8 kind;

	if (!wait)
		return 0;
	tell_by_value(wait);
	kind = wait->known.kind;
	/* glibc's plain wait for 2 is its mutex's. */
	if (!wait->can_read_user || (kind == WIRE_KIND_MUTEX && !wait->known.is_by_value))
		return 0;
	if (is_glibc_or_unreadable(wait)) {
		if (kind != WIRE_KIND_MUTEX || (wait->op & FUTEX_CMD_MASK) != FUTEX_WAIT)
			tell_glibc(wait);
	} else {
		tell_musl(wait);
	}
	if (wait->known.kind != kind)
		wait->known.is_by_value = 0;
	if (wait->known.kind == WIRE_KIND_FUTEX)
		wait->known.back = 0;
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
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* Whose end a join waits for: glibc waits for the number itself to go away. */
static __always_inline void futex_joined(struct futex_wait *wait)
{
	wait->joined = wait->value;
	if (wait->value == MUTEX_CONTENDED)
		user_read(&wait->joined, sizeof(wait->joined), wait->address - MUSL_TID_BEFORE);
}

/* Fills @wait->known from what is remembered of the address, or by a look at it. */
static __always_inline void futex_recall(struct futex_wait *wait)
{
	struct futex_key key = {};
	struct futex_known *known;

	key.tgid = wait->tgid;
	key.address = wait->address;
	known = bpf_map_lookup_elem(&futexes, &key);
	if (!known) {
		futex_look(wait);
		wait->known.look_cnt = 1;
		if (wait->can_read_user)
			bpf_map_update_elem(&futexes, &key, &wait->known, BPF_ANY);
		futex_send(wait);
		return;
	}
	if (known->is_by_value && wait->value != MUTEX_CONTENDED) {
		known->kind = WIRE_KIND_FUTEX;
		known->reason = WIRE_SYNC;
		known->is_by_value = 0;
		known->look_cnt = FUTEX_LOOK_MAX;
	} else if (known->kind == WIRE_KIND_FUTEX && known->look_cnt < FUTEX_LOOK_MAX &&
		   wait->can_read_user) {
		known->look_cnt++;
		futex_look(wait);
		if (!wait->known.is_by_value) {
			known->kind = wait->known.kind;
			known->reason = wait->known.reason;
			known->back = wait->known.back;
		}
	}
	wait->known = *known;
}

/* A stack may become another thread's, and what is unsure is looked at again. */
static __always_inline bool futex_is_settled(const struct futex_wait *wait)
{
	u8 kind = wait->known.kind;

	return wait->can_read_user && kind != WIRE_KIND_JOIN &&
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
