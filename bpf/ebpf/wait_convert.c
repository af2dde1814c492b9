/* From the wire's rows to the observation's: decides which futexes are the GIL, and names objects.
 */
#include "wait_convert.h"
#include "object_names.h"
#include "observation/observation.h"
#include "process_tree.h"
#include "syscall_table.h"
#include "thread_order.h"
#include "wait_table.h"
#include <errno.h>
#include <stdbool.h>

/* The wire's numbers are the observation's, each of them. */
#define SAME(wire, stored) _Static_assert((int)(wire) == (int)(stored), #wire " is " #stored)

SAME(WIRE_NETWORK, WAIT_NETWORK);
SAME(WIRE_DISK, WAIT_DISK);
SAME(WIRE_IPC, WAIT_IPC);
SAME(WIRE_LOCK, WAIT_LOCK);
SAME(WIRE_GIL, WAIT_GIL);
SAME(WIRE_SYNC, WAIT_SYNC);
SAME(WIRE_CHILD, WAIT_CHILD);
SAME(WIRE_TIMER, WAIT_TIMER);
SAME(WIRE_ACCEPT, WAIT_ACCEPT);
SAME(WIRE_POLL, WAIT_POLL);
SAME(WIRE_TTY, WAIT_TTY);
SAME(WIRE_DEVICE, WAIT_DEVICE);
SAME(WIRE_PAGING, WAIT_PAGING);
SAME(WIRE_STOPPED, WAIT_STOPPED);
SAME(WIRE_OTHER, WAIT_OTHER);
SAME(WIRE_REASON_CNT, WAIT_REASON_CNT);

SAME(WIRE_KIND_NONE, OBJECT_NONE);
SAME(WIRE_KIND_TCP, OBJECT_TCP);
SAME(WIRE_KIND_UDP, OBJECT_UDP);
SAME(WIRE_KIND_UNIX, OBJECT_UNIX);
SAME(WIRE_KIND_SOCKET, OBJECT_SOCKET);
SAME(WIRE_KIND_PIPE, OBJECT_PIPE);
SAME(WIRE_KIND_FILE, OBJECT_FILE);
SAME(WIRE_KIND_DIRECTORY, OBJECT_DIRECTORY);
SAME(WIRE_KIND_BLOCK, OBJECT_BLOCK);
SAME(WIRE_KIND_TTY, OBJECT_TTY);
SAME(WIRE_KIND_DEVICE, OBJECT_DEVICE);
SAME(WIRE_KIND_ANON, OBJECT_ANON);
SAME(WIRE_KIND_FUTEX, OBJECT_FUTEX);
SAME(WIRE_KIND_CHILD, OBJECT_CHILD);
SAME(WIRE_KIND_EPOLL, OBJECT_EPOLL);
SAME(WIRE_KIND_SYSCALL, OBJECT_SYSCALL);
SAME(WIRE_KIND_MUTEX, OBJECT_MUTEX);
SAME(WIRE_KIND_CONDITION, OBJECT_CONDITION);
SAME(WIRE_KIND_SEMAPHORE, OBJECT_SEMAPHORE);
SAME(WIRE_KIND_RWLOCK, OBJECT_RWLOCK);
SAME(WIRE_KIND_JOIN, OBJECT_JOIN);
_Static_assert((int)WIRE_KIND_JOIN + 1 == (int)OBJECT_KIND_CNT, "a kind for each");

SAME(WIRE_DIRECTION_NONE, DIRECTION_NONE);
SAME(WIRE_LISTENING, DIRECTION_LISTENING);
SAME(WIRE_INBOUND, DIRECTION_INBOUND);
SAME(WIRE_OUTBOUND, DIRECTION_OUTBOUND);
_Static_assert((int)WIRE_OUTBOUND + 1 == (int)DIRECTION_CNT, "a direction for each");

/* Decides a row that was kept by thread, and corrects that thread's totals with it. */
static void decide_gil(struct wait_row *row, const struct process_tree *tree,
		       struct observation *obs)
{
	struct gil_range gil = process_tree_gil(tree, (pid_t)row->key.tgid);
	struct obs_thread *thread;
	uint64_t wait_ns = row->sum.wait_ns, wait_cnt = row->sum.wait_cnt;
	uint8_t was = row->key.reason;

	if (row->key.id[0] >= gil.start && row->key.id[0] < gil.end) {
		thread = thread_order_find(obs, (pid_t)row->key.tgid, (pid_t)row->key.tid);
		if (thread && thread->wait_ns[was] >= wait_ns) {
			thread->wait_ns[was] -= wait_ns;
			thread->wait_cnt[was] -= wait_cnt;
			thread->wait_ns[WAIT_GIL] += wait_ns;
			thread->wait_cnt[WAIT_GIL] += wait_cnt;
			row->key.reason = WIRE_GIL;
		}
	}
	row->key.tid = 0;
}

/* The GIL is one lock, though a wait for it may be on any word of it and ends by design when its
 * switch interval has run out. Nor is it a call that a loop should not make. */
static void normalise_gil(struct wait_row *row)
{
	if (row->key.reason != WIRE_GIL)
		return;
	row->key.kind = WIRE_KIND_FUTEX;
	row->key.id[0] = row->key.id[1] = 0;
	row->key.flags &= (uint8_t) ~(WIRE_WAIT_TIMED_OUT | WIRE_WAIT_ON_LOOP);
}

/* What a wait on a file or on memory was for. */
static enum wait_operation operation_of(const struct wire_wait_key *key)
{
	enum wait_operation operation = syscall_operation(key->syscall);
	bool is_data = operation == OPERATION_READ || operation == OPERATION_WRITE;

	if (key->reason != WIRE_DISK && key->reason != WIRE_PAGING)
		return OPERATION_NONE;
	if (key->flags & WIRE_WAIT_SWAP)
		return OPERATION_SWAP;
	if (key->flags & WIRE_WAIT_THROTTLED && operation != OPERATION_SYNC)
		return OPERATION_THROTTLED;
	if (key->reason == WIRE_PAGING)
		return key->kind == WIRE_KIND_FILE ? OPERATION_FAULT : OPERATION_NONE;
	if (is_data && key->kind == WIRE_KIND_DIRECTORY)
		return OPERATION_METADATA;
	if (is_data && key->flags & WIRE_WAIT_DIRECT)
		return OPERATION_DIRECT;
	if (operation == OPERATION_WRITE && key->flags & WIRE_WAIT_SYNC)
		return OPERATION_SYNC;
	return operation;
}

static int row_append(const struct wait_row *row, struct object_names *names,
		      struct observation *obs)
{
	struct obs_wait *wait = observation_add_wait(obs);

	if (!wait)
		return -ENOMEM;
	wait->pid = (pid_t)row->key.tgid;
	wait->reason = (enum wait_reason)row->key.reason;
	wait->kind = (enum object_kind)row->key.kind;
	wait->direction = (enum wait_direction)row->key.direction;
	wait->name = object_names_describe(names, obs, &row->key);
	wait->call = object_names_call(obs, &row->key);
	wait->far_end = object_names_far_end(names, &row->key, wait->name);
	wait->operation = operation_of(&row->key);
	wait->device = object_names_device(names, obs, &row->key);
	wait->via_event_loop = row->key.flags & WIRE_WAIT_EVENT_LOOP;
	wait->on_loop = row->key.flags & WIRE_WAIT_ON_LOOP;
	wait->timed_out = row->key.flags & WIRE_WAIT_TIMED_OUT;
	wait->wait_ns = row->sum.wait_ns;
	wait->wait_cnt = row->sum.wait_cnt;
	wait->max_ns = row->sum.max_ns;
	wait->quiet_ns = row->sum.quiet_ns;
	wait->woken_by_tree_cnt = row->sum.woken_by_tree_cnt;
	wait->woken_by_other_cnt = row->sum.woken_by_other_cnt;
	wait->woken_by_interrupt_cnt = row->sum.woken_by_interrupt_cnt;
	return 0;
}

int wait_convert(struct wait_table *table, struct object_names *names,
		 const struct process_tree *tree, struct observation *obs)
{
	thread_order_sort(obs);
	for (size_t i = 0; i < table->cnt; i++) {
		if (table->rows[i].key.tid)
			decide_gil(&table->rows[i], tree, obs);
		normalise_gil(&table->rows[i]);
		futex_names_settle(&names->futexes, &table->rows[i].key);
		object_names_unify(names, &table->rows[i].key);
	}
	wait_table_compact(table);
	for (size_t i = 0; i < table->cnt; i++)
		if (row_append(&table->rows[i], names, obs))
			return -ENOMEM;
	return 0;
}

/* Of the rows of @key's process, reason and system call the largest; -1: there is none. */
static long find_largest(const struct wait_table *table, const struct wire_wait_key *key)
{
	long largest = -1;

	for (size_t i = 0; i < table->cnt; i++) {
		const struct wait_row *row = &table->rows[i];

		if (row->key.tgid == key->tgid && row->key.syscall == key->syscall &&
		    row->key.reason == key->reason &&
		    (largest < 0 || row->sum.wait_ns > table->rows[largest].sum.wait_ns))
			largest = (long)i;
	}
	return largest;
}

long wait_convert_find(const struct wait_table *table, struct object_names *names,
		       const struct process_tree *tree, const struct wire_wait_key *key)
{
	struct wait_row sought = { .key = *key };
	struct gil_range gil = process_tree_gil(tree, (pid_t)key->tgid);
	long found;

	if (key->tid && key->id[0] >= gil.start && key->id[0] < gil.end)
		sought.key.reason = WIRE_GIL;
	sought.key.tid = 0;
	normalise_gil(&sought);
	futex_names_settle(&names->futexes, &sought.key);
	object_names_unify(names, &sought.key);
	found = wait_table_find(table, &sought.key);
	return found < 0 ? find_largest(table, &sought.key) : found;
}
