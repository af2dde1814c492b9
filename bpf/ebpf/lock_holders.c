/* Who released the locks that others waited for; see lock_holders.h. */
#include "lock_holders.h"
#include "object_names.h"
#include "observation/observation.h"
#include "process_tree.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCKS_KEPT	  64
#define HOLDERS_KEPT	  8 /* of each lock */
#define ROWS_GATHERED_MAX 32768

/* The rows of one lock: all that have its key but for the thread. */
struct lock {
	struct holder_row *rows;
	size_t cnt;
	uint64_t wait_ns;
};

void lock_holders_release(struct lock_holders *holders)
{
	free(holders->rows);
	memset(holders, 0, sizeof(*holders));
}

static struct wire_holder_key lock_of(const struct holder_row *row)
{
	struct wire_holder_key key = row->key;

	key.tid = 0;
	return key;
}

/* By lock, and within one by thread. */
static int compare_rows(const void *a, const void *b)
{
	const struct holder_row *x = a, *y = b;
	struct wire_holder_key lock_x = lock_of(x), lock_y = lock_of(y);
	int order = memcmp(&lock_x, &lock_y, sizeof(lock_x));

	if (order)
		return order;
	return x->key.tid < y->key.tid ? -1 : x->key.tid > y->key.tid;
}

static int compare_holders(const void *a, const void *b)
{
	const struct holder_row *x = a, *y = b;

	if (x->sum.wait_ns != y->sum.wait_ns)
		return x->sum.wait_ns > y->sum.wait_ns ? -1 : 1;
	return x->key.tid < y->key.tid ? -1 : x->key.tid > y->key.tid;
}

static int compare_locks(const void *a, const void *b)
{
	const struct lock *x = a, *y = b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns > y->wait_ns ? -1 : 1;
	return compare_rows(x->rows, y->rows);
}

static void sum_add(struct wire_holder_sum *to, const struct wire_holder_sum *from)
{
	to->wait_ns += from->wait_ns;
	to->handover_cnt += from->handover_cnt;
}

static void merge(struct lock_holders *holders)
{
	size_t kept = 0;

	if (holders->cnt)
		qsort(holders->rows, holders->cnt, sizeof(holders->rows[0]), compare_rows);
	for (size_t i = 0; i < holders->cnt; i++) {
		if (kept && !compare_rows(&holders->rows[kept - 1], &holders->rows[i]))
			sum_add(&holders->rows[kept - 1].sum, &holders->rows[i].sum);
		else
			holders->rows[kept++] = holders->rows[i];
	}
	holders->cnt = kept;
}

int lock_holders_add(struct lock_holders *holders, const struct wire_holder_key *key,
		     const struct wire_holder_sum *sum)
{
	struct holder_row *grown;
	size_t capacity;

	if (holders->cnt >= ROWS_GATHERED_MAX && holders->cnt >= holders->compact_at) {
		merge(holders);
		holders->compact_at = 2 * holders->cnt;
	}
	if (holders->cnt == holders->capacity) {
		capacity = holders->capacity ? holders->capacity * 2 : 64;
		grown = reallocarray(holders->rows, capacity, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		holders->rows = grown;
		holders->capacity = capacity;
	}
	holders->rows[holders->cnt++] = (struct holder_row){ .key = *key, .sum = *sum };
	return 0;
}

/* Until its GIL was known, a process's waits for it were waits for a lock. */
static void decide_gil(struct wire_holder_key *key, const struct process_tree *tree)
{
	struct gil_range gil = process_tree_gil(tree, (pid_t)key->tgid);

	if (key->reason != WIRE_LOCK || key->kind < WIRE_KIND_FUTEX || key->id[0] < gil.start ||
	    key->id[0] >= gil.end)
		return;
	key->reason = WIRE_GIL;
	key->kind = WIRE_KIND_FUTEX;
	key->id[0] = key->id[1] = 0;
}

static int append(const struct holder_row *row, struct object_names *names, struct observation *obs)
{
	struct wire_wait_key lock = { .tgid = row->key.tgid,
				      .reason = row->key.reason,
				      .kind = row->key.kind,
				      .id = { row->key.id[0], row->key.id[1] } };
	struct obs_lock_holder *holder = observation_add_lock_holder(obs);
	const char *comm;

	if (!holder)
		return -ENOMEM;
	holder->pid = (pid_t)row->key.tgid;
	holder->kind = (enum object_kind)row->key.kind;
	holder->name = object_names_describe(names, obs, &lock);
	holder->tid = (pid_t)row->key.tid;
	comm = observation_intern(obs, row->sum.comm, strnlen(row->sum.comm, WIRE_COMM_BYTES));
	holder->comm = comm ? comm : "";
	holder->wait_ns = row->sum.wait_ns;
	holder->handover_cnt = row->sum.handover_cnt;
	return 0;
}

static int append_lock(struct lock *lock, struct object_names *names, struct observation *obs)
{
	struct holder_row rest = { .key = lock_of(lock->rows) };
	int error = 0;

	qsort(lock->rows, lock->cnt, sizeof(lock->rows[0]), compare_holders);
	for (size_t i = 0; i < lock->cnt && !error; i++) {
		if (i < HOLDERS_KEPT)
			error = append(&lock->rows[i], names, obs);
		else
			sum_add(&rest.sum, &lock->rows[i].sum);
	}
	if (!error && rest.sum.handover_cnt)
		error = append(&rest, names, obs);
	return error;
}

/* @locks has room for as many as there are rows. Returns how many there are. */
static size_t list_locks(struct lock_holders *holders, struct lock *locks)
{
	struct wire_holder_key previous = { 0 };
	size_t cnt = 0;

	for (size_t i = 0; i < holders->cnt; i++) {
		struct wire_holder_key key = lock_of(&holders->rows[i]);

		if (!cnt || memcmp(&key, &previous, sizeof(key)))
			locks[cnt++] = (struct lock){ .rows = &holders->rows[i] };
		previous = key;
		locks[cnt - 1].cnt++;
		locks[cnt - 1].wait_ns += holders->rows[i].sum.wait_ns;
	}
	return cnt;
}

int lock_holders_convert(struct lock_holders *holders, struct object_names *names,
			 const struct process_tree *tree, struct observation *obs)
{
	struct lock *locks;
	int error = 0;
	size_t cnt;

	for (size_t i = 0; i < holders->cnt; i++)
		decide_gil(&holders->rows[i].key, tree);
	merge(holders);
	locks = calloc(holders->cnt + 1, sizeof(*locks));
	if (!locks)
		return -ENOMEM;
	cnt = list_locks(holders, locks);
	qsort(locks, cnt, sizeof(*locks), compare_locks);
	for (size_t i = 0; i < cnt && i < LOCKS_KEPT && !error; i++)
		error = append_lock(&locks[i], names, obs);
	free(locks);
	return error;
}
