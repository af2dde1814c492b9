/*
 * Names of futexes: what lies at the addresses that processes wait at, looked up when a process
 * first waits there, because it may be gone at the end of the observation.
 */
#ifndef CLASSIFY_FUTEX_NAMES_H
#define CLASSIFY_FUTEX_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "memory_place.h"
#include "wire.h"

struct observation;

struct futex_name {
	uint32_t tgid;
	uint32_t kind;	 /* enum wire_kind: WIRE_KIND_FUTEX, or what the probes could not tell */
	uint32_t joined; /* the thread whose end is waited for */
	uint64_t address;
	uint64_t begins_at; /* what the word at `address` belongs to */
	const char *name;   /* interned in the observation */
};

struct futex_names {
	struct futex_name *names;
	size_t cnt, capacity;
	bool is_sorted;
	struct wire_event_futex *asked; /* to be looked up yet */
	size_t asked_cnt, asked_capacity;
	struct memory_map map; /* of the process that was asked for last */
	uint64_t spent_ns;     /* on looking */
};

void futex_names_release(struct futex_names *futexes);

/* Keeps @event to be looked up; beyond a fixed number, or time that looking took, futexes
 * are known by address only. Returns 0
 * or -ENOMEM. */
int futex_names_ask(struct futex_names *futexes, const struct wire_event_futex *event);

/* Looks up what was asked for, for about @budget_ns; the rest waits for the next time. Names are
 * interned in @obs. Returns 0 or -ENOMEM. */
int futex_names_look(struct futex_names *futexes, struct observation *obs, uint64_t budget_ns);

/*
 * Completes @key, a wait for a futex of no known kind: of threads that slept when the observation
 * began, the kind is told on this side, by a look at their memory. Only where that does not change
 * the reason, by which threads' totals are kept.
 */
void futex_names_settle(struct futex_names *futexes, struct wire_wait_key *key);

/* Returns what lies at @address of process @tgid, or NULL. */
const char *futex_names_find(struct futex_names *futexes, uint32_t tgid, uint64_t address);

#endif
