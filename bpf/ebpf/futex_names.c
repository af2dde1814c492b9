/* What futexes are and lie in, looked up a few at a time; see futex_names.h. */
#include "futex_names.h"
#include "clock.h"
#include "futex_layout.h"
#include "observation/observation.h"
#include "target_memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A program with more locks than this has a report that shows ten of them. */
#define FUTEX_NAMES_MAX 16384
/* A large program's symbol table takes 10 ms and more to search. */
#define FUTEX_LOOK_MAX_NS 1000000000ull

void futex_names_release(struct futex_names *futexes)
{
	memory_map_release(&futexes->map);
	free(futexes->names);
	free(futexes->asked);
	memset(futexes, 0, sizeof(*futexes));
}

static int reserve(void **array, size_t *capacity, size_t cnt, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 64;
	void *grown;

	if (cnt < *capacity)
		return 0;
	grown = reallocarray(*array, wanted, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = wanted;
	return 0;
}

int futex_names_ask(struct futex_names *futexes, const struct wire_event_futex *event)
{
	if (futexes->cnt + futexes->asked_cnt >= FUTEX_NAMES_MAX ||
	    futexes->spent_ns > FUTEX_LOOK_MAX_NS)
		return 0;
	if (reserve((void **)&futexes->asked, &futexes->asked_capacity, futexes->asked_cnt,
		    sizeof(*futexes->asked)))
		return -ENOMEM;
	futexes->asked[futexes->asked_cnt++] = *event;
	return 0;
}

static inline bool futex_read(const struct futex_wait *wait, void *words, uint32_t bytes,
			      uint64_t address)
{
	return target_memory_read((pid_t)wait->tgid, address, words, bytes);
}

/* What the probes could not tell, as the thread's memory was not the current one. */
static struct futex_wait look_at_memory(const struct wire_event_futex *event)
{
	struct futex_wait wait = { .address = event->address,
				   .stack = event->stack,
				   .thread_pointer = event->thread_pointer,
				   .op = event->op,
				   .value = event->value,
				   .tgid = event->event.tgid,
				   .is_timed = event->is_timed,
				   .can_read_user = 1,
				   .known = { .kind = WIRE_KIND_FUTEX } };

	if (event->is_told)
		return wait;
	futex_decide(&wait);
	if (wait.known.kind == WIRE_KIND_JOIN)
		futex_joined(&wait);
	if (wait.known.reason != WIRE_SYNC) {
		wait.known.kind = WIRE_KIND_FUTEX;
		wait.known.back = 0;
	}
	return wait;
}

static int append(struct futex_names *futexes, const struct futex_name *name)
{
	if (reserve((void **)&futexes->names, &futexes->capacity, futexes->cnt,
		    sizeof(*futexes->names)))
		return -ENOMEM;
	futexes->names[futexes->cnt++] = *name;
	futexes->is_sorted = false;
	return 0;
}

static int look_one(struct futex_names *futexes, struct observation *obs,
		    const struct wire_event_futex *event)
{
	char comm[WIRE_COMM_BYTES + 1] = "", text[256];
	struct memory_user user = { event->stack, event->thread_pointer, comm };
	struct futex_wait wait = look_at_memory(event);
	struct futex_name name = { .tgid = wait.tgid,
				   .kind = wait.known.kind,
				   .joined = wait.joined,
				   .address = wait.address,
				   .begins_at = wait.address - wait.known.back };
	int error;

	memcpy(comm, event->comm, WIRE_COMM_BYTES);
	memory_place_name(&futexes->map, (pid_t)name.tgid, name.begins_at, &user, text,
			  sizeof(text));
	name.name = observation_intern(obs, text, strlen(text));
	if (!name.name)
		return -ENOMEM;
	error = append(futexes, &name);
	if (error || name.address == name.begins_at)
		return error;
	name.address = name.begins_at;
	return append(futexes, &name);
}

int futex_names_look(struct futex_names *futexes, struct observation *obs, uint64_t budget_ns)
{
	uint64_t since_ns, until_ns;
	size_t done = 0;
	int error = 0;

	if (!futexes->asked_cnt)
		return 0;
	since_ns = clock_ns(CLOCK_MONOTONIC);
	until_ns = since_ns + budget_ns;
	do
		error = look_one(futexes, obs, &futexes->asked[done++]);
	while (!error && done < futexes->asked_cnt && clock_ns(CLOCK_MONOTONIC) < until_ns);
	futexes->spent_ns += clock_ns(CLOCK_MONOTONIC) - since_ns;
	futexes->asked_cnt -= done;
	memmove(futexes->asked, futexes->asked + done,
		futexes->asked_cnt * sizeof(*futexes->asked));
	/* Mappings come and go: those of a process are good for as long as it takes to ask. */
	if (!futexes->asked_cnt)
		memory_map_release(&futexes->map);
	return error;
}

static int compare_names(const void *a, const void *b)
{
	const struct futex_name *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static const struct futex_name *find(struct futex_names *futexes, uint32_t tgid, uint64_t address)
{
	struct futex_name wanted = { .tgid = tgid, .address = address };

	if (!futexes->cnt)
		return NULL;
	if (!futexes->is_sorted)
		qsort(futexes->names, futexes->cnt, sizeof(futexes->names[0]), compare_names);
	futexes->is_sorted = true;
	return bsearch(&wanted, futexes->names, futexes->cnt, sizeof(wanted), compare_names);
}

void futex_names_settle(struct futex_names *futexes, struct wire_wait_key *key)
{
	const struct futex_name *known;

	if (key->kind != WIRE_KIND_FUTEX || key->reason != WIRE_SYNC)
		return;
	known = find(futexes, key->tgid, key->id[0]);
	if (!known || known->kind == WIRE_KIND_FUTEX)
		return;
	key->kind = (uint8_t)known->kind;
	key->id[0] = known->begins_at;
	key->id[1] = known->joined;
}

const char *futex_names_find(struct futex_names *futexes, uint32_t tgid, uint64_t address)
{
	const struct futex_name *known = find(futexes, tgid, address);

	return known ? known->name : NULL;
}
