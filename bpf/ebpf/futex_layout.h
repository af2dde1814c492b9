/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a futex is: mutex, condition variable, semaphore, rwlock or the end of a thread. The system
 * call doesn't say; what the word is expected to hold and what lies around it in memory does. Pure:
 * the probes and the user side both include it, and each defines futex_read().
 *
 * The layouts are those of glibc 2.25 to 2.42 and of musl 1.2 on x86-64 (docs/design.md says which
 * were tried). What fits none of them stays WIRE_KIND_FUTEX.
 */
#ifndef CLASSIFY_FUTEX_LAYOUT_H
#define CLASSIFY_FUTEX_LAYOUT_H

#include "wire.h"

#ifndef __bpf__
#include <stdbool.h>
#endif

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
struct futex_known {
	WIRE_U8 kind;
	WIRE_U8 reason;
	WIRE_U8 is_by_value; /* told by nothing but the expected value: another value refutes it */
	WIRE_U8 is_refuted;  /* it was another value once */
	WIRE_U8 look_cnt;
	WIRE_U8 manner; /* how it was waited for */
	WIRE_U8 back;	/* bytes from the word back to the beginning of what it belongs to */
};

/* A thread's call of futex(), and what became known of it. */
struct futex_wait {
	WIRE_U64 address;
	WIRE_U64 stack;		 /* the thread's stack pointer */
	WIRE_U64 thread_pointer; /* glibc, musl: its struct pthread */
	WIRE_U32 op;
	WIRE_U32 value; /* that the word is expected to hold */
	WIRE_U32 tgid;
	WIRE_U32 can_read_user;
	WIRE_U32 is_timed;
	WIRE_U32 joined; /* the thread whose end is waited for, as its process numbers it */
	struct futex_known known;
};

/* Reads @bytes of the memory of @wait's process at @address to @words; false if it can't. */
static inline bool futex_read(const struct futex_wait *wait, void *words, WIRE_U32 bytes,
			      WIRE_U64 address);

static inline WIRE_U64 wide(WIRE_U32 low, WIRE_U32 high)
{
	return (WIRE_U64)high << 32 | low;
}

static inline void futex_is(struct futex_wait *wait, WIRE_U8 kind, WIRE_U8 reason)
{
	wait->known.kind = kind;
	wait->known.reason = reason;
}

static inline bool is_private(const struct futex_wait *wait)
{
	return wait->op & FUTEX_PRIVATE_FLAG;
}

static inline bool is_count(WIRE_U32 cnt)
{
	return cnt && cnt < WAITER_MAX;
}

/*
 * pthread_cond_t waits on one of g_signals[2], of which the first is 8-aligned. Eight bytes before
 * them begin g1_orig_size and wrefs: the waiters in eights, plus flags. Up to 2.40 g_size[2],
 * g_refs[2] (waiters in twos), g1_start and wseq lie before that; from 2.41 on there is no g_refs,
 * and two words that are always 0 follow instead.
 */
static inline bool is_condition(struct futex_wait *wait)
{
	WIRE_U64 signals = wait->address & ~7ull;
	WIRE_U32 group = wait->address >> 2 & 1;
	WIRE_U32 word[12], unused[2];
	WIRE_U64 position, start;

	if (!futex_read(wait, word, sizeof(word), signals - 40))
		return false;
	if (!is_count(word[9] >> 3) || (word[9] & 1) == is_private(wait))
		return false;
	position = wide(word[0], word[1]) >> 1;
	start = wide(word[2], word[3]) >> 1;
	if (start < position && position - start < WAITER_MAX &&
	    is_count(word[group ? 5 : 4] >> 1) && word[group ? 5 : 4] >> 1 <= word[9] >> 3) {
		wait->known.back = (WIRE_U8)(wait->address - signals + 40);
		return true;
	}
	wait->known.back = (WIRE_U8)(wait->address - signals + 32);
	position = wide(word[2], word[3]) >> 1;
	start = wide(word[4], word[5]);
	return start <= position && position - start < WAITER_MAX && position &&
	       futex_read(wait, unused, sizeof(unused), signals + 8) && !unused[0] && !unused[1];
}

/* sem_t: value, waiters, and 0 or 128 for a private or a shared one. A wait without a timeout is by
 * the real-time clock, which nobody else asks for. */
static inline bool is_semaphore(const struct futex_wait *wait)
{
	WIRE_U32 word[3];

	if (wait->address & 7 || wait->value || (wait->op & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET ||
	    !(wait->is_timed || wait->op & FUTEX_CLOCK_REALTIME))
		return false;
	return futex_read(wait, word, sizeof(word), wait->address) && word[0] <= 1 &&
	       is_count(word[1]) && word[2] == (is_private(wait) ? 0 : 128);
}

/* pthread_rwlock_t: readers, writers, wrphase_futex (+8), writers_futex (+12), two unused words,
 * the writer's tid, shared, unused (32 to 48), flags. */
static inline bool is_rwlock(struct futex_wait *wait)
{
	WIRE_U32 word[13];

	wait->known.back = (WIRE_U8)((wait->address & 7) + 8);
	if (wait->value != 2 && wait->value != 3)
		return false;
	if (!futex_read(wait, word, sizeof(word), (wait->address & ~7ull) - 8))
		return false;
	return (word[0] || word[1]) && word[2] <= 3 && word[3] <= 3 && !word[4] && !word[5] &&
	       word[6] < TID_MAX && !word[7] == is_private(wait) && !word[8] && !word[9] &&
	       !word[10] && !word[11] && word[12] <= 3;
}

/* pthread_mutex_t: lock, count, owner's tid, users, kind. @owner: whose it must be, 0: anybody's.
 */
static inline bool is_mutex(const struct futex_wait *wait, WIRE_U32 owner)
{
	WIRE_U32 word[5];

	return !(wait->address & 7) && futex_read(wait, word, sizeof(word), wait->address) &&
	       word[2] && word[2] < TID_MAX && (!owner || word[2] == owner) && is_count(word[3]) &&
	       word[4] < 0x400;
}

/* glibc's struct pthread holds its own address at +0 and +16, and the thread's number at +720,
 * which the kernel clears and wakes when the thread is gone. */
#define GLIBC_TID_OFFSET 720

static inline bool is_join(const struct futex_wait *wait)
{
	WIRE_U64 thread = wait->address - GLIBC_TID_OFFSET, self = 0;

	return !is_private(wait) && wait->value && wait->value < TID_MAX &&
	       futex_read(wait, &self, 8, thread) && self == thread &&
	       futex_read(wait, &self, 8, thread + 16) && self == thread;
}

/* musl's struct pthread holds its own address at +0 only, and its state at +56. */
#define MUSL_STATE_OFFSET 56
#define MUSL_TID_BEFORE	  8 /* and its number so many bytes before that */

static inline bool is_glibc_or_unreadable(const struct futex_wait *wait)
{
	WIRE_U64 self = 0;

	return !futex_read(wait, &self, 8, wait->thread_pointer + 16) ||
	       self == wait->thread_pointer;
}

/* musl's pthread_cond_wait sleeps on a word of its own stack. */
#define OWN_STACK_BYTES 512

static inline void tell_musl(struct futex_wait *wait)
{
	WIRE_U64 state = wait->address - MUSL_STATE_OFFSET, self = 0;
	WIRE_U32 word[3];

	if (wait->value == MUTEX_CONTENDED) {
		if (futex_read(wait, &self, 8, state) && self == state)
			futex_is(wait, WIRE_KIND_JOIN, WIRE_SYNC);
		else if (wait->address & 4 && wait->address - wait->stack < OWN_STACK_BYTES)
			futex_is(wait, WIRE_KIND_CONDITION, WIRE_SYNC);
		return;
	}
	if (!(wait->value & FUTEX_WAITERS))
		return;
	if (wait->address & 4) { /* type, lock, waiters */
		if (futex_read(wait, word, sizeof(word), wait->address - 4) && word[0] < 0x100 &&
		    is_count(word[2])) {
			futex_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK);
			wait->known.back = 4;
		}
		return;
	}
	if (!futex_read(wait, word, sizeof(word), wait->address) || !is_count(word[1]))
		return;
	if (word[2] == (is_private(wait) ? 128 : 0))
		futex_is(wait, WIRE_KIND_SEMAPHORE, WIRE_SYNC);
	else if (word[2] == (is_private(wait) ? 0 : 128))
		futex_is(wait, WIRE_KIND_RWLOCK, WIRE_LOCK);
}

static inline void tell_glibc(struct futex_wait *wait)
{
	WIRE_U32 owner = wait->value & FUTEX_TID_MASK;

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
static inline void tell_by_value(struct futex_wait *wait)
{
	WIRE_U32 cmd = wait->op & FUTEX_CMD_MASK;

	futex_is(wait, WIRE_KIND_FUTEX, WIRE_SYNC);
	if (cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2) {
		futex_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK);
	} else if (wait->value == MUTEX_CONTENDED &&
		   (cmd == FUTEX_WAIT || (cmd == FUTEX_WAIT_BITSET && !wait->is_timed))) {
		futex_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK);
		wait->known.is_by_value = 1;
	}
}

/* Whose end a join waits for: glibc waits, shared with the kernel, for the number itself to go
 * away; musl, in private, for a state. */
static inline void futex_joined(struct futex_wait *wait)
{
	wait->joined = wait->value;
	if (is_private(wait))
		futex_read(wait, &wait->joined, sizeof(wait->joined),
			   wait->address - MUSL_TID_BEFORE);
}

/* Fills @wait->known from the call and, if @can_read_user, from memory. */
static inline void futex_decide(struct futex_wait *wait)
{
	WIRE_U8 kind;

	tell_by_value(wait);
	kind = wait->known.kind;
	if (!wait->can_read_user || (kind == WIRE_KIND_MUTEX && !wait->known.is_by_value))
		return;
	if (is_glibc_or_unreadable(wait)) {
		/* glibc's plain wait for 2 is its mutex's; or, shared, for the end of thread 2. */
		if (kind != WIRE_KIND_MUTEX || (wait->op & FUTEX_CMD_MASK) != FUTEX_WAIT ||
		    !is_private(wait))
			tell_glibc(wait);
	} else {
		tell_musl(wait);
	}
	if (wait->known.kind != kind)
		wait->known.is_by_value = 0;
	if (wait->known.kind == WIRE_KIND_FUTEX)
		wait->known.back = 0;
}

#endif
