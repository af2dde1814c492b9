/* Names of waited-on objects, by the identity they have on the wire. */
#ifndef CLASSIFY_OBJECT_NAMES_H
#define CLASSIFY_OBJECT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "far_end.h"
#include "futex_names.h"
#include "wire.h"

struct observation;

struct object_name {
	uint64_t id[2];
	uint64_t first_id[2]; /* of all with this name on its device; valid while they are sorted */
	uint32_t kind;
	const char *name; /* interned in the observation */
};

struct named_device {
	uint32_t number;  /* as the kernel has it: major << 20 | minor */
	const char *name; /* interned in the observation */
};

struct object_names {
	struct object_name *names;
	size_t cnt, capacity;
	bool is_sorted;
	struct futex_names futexes;
	struct far_ends far_ends;
	struct named_device *devices; /* that hold files; few */
	size_t device_cnt;
};

void object_names_release(struct object_names *names);

/* Keeps the name that came with @event, interned in @obs, and looks up the device that holds the
 * file while its process most likely lives; beyond a fixed number names are dropped. Returns 0 or
 * -ENOMEM. */
int object_names_add(struct object_names *names, struct observation *obs,
		     const struct wire_event_name *event);

/* Returns what to call the object of @key: the name it was sent with, else what the key tells
 * ("10.0.0.5:443", "pipe:[123]", "GIL", ...); "" when that is nothing. A join is named after its
 * thread, as @obs knows it. Interned in @obs. */
const char *object_names_describe(struct object_names *names, struct observation *obs,
				  const struct wire_wait_key *key);

/* Asks who serves the endpoint of @event, for far_ends_look() to find out. Returns 0 or -ENOMEM. */
int object_names_ask_far_end(struct object_names *names, struct observation *obs,
			     const struct wire_event_endpoint *event);

/* Returns who serves the far end of @key, a socket called @name; "" if it isn't known. */
const char *object_names_far_end(const struct object_names *names, const struct wire_wait_key *key,
				 const char *name);

/* A file that is made anew, as a journal is for each commit, has an identity each time: gives @key
 * the one that stands for all that had its name, as far as names have come. */
void object_names_unify(struct object_names *names, struct wire_wait_key *key);

/* Returns the name of the system call that @key waits in; "" for a page fault. Interned in @obs. */
const char *object_names_call(struct observation *obs, const struct wire_wait_key *key);

/* Returns the name of the device that holds the file or directory of @key; "" for anything else,
 * and if it isn't known. Interned in @obs. */
const char *object_names_device(struct object_names *names, struct observation *obs,
				const struct wire_wait_key *key);

#endif
