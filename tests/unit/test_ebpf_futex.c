/* What futexes are, told from memory laid out as C libraries lay it out, also those that are not
 * installed here; and which of a lock's holders are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ebpf/futex_layout.h"
#include "ebpf/lock_holders.h"
#include "ebpf/object_names.h"
#include "observation/observation.h"
#include "ebpf/process_tree.h"

#define BASE   0x7f0000001000ull /* of the memory that there is */
#define WORDS  256
#define THREAD (BASE + 512) /* a struct pthread that begins in it */
#define TID    4711

#define WAIT_PRIVATE   128
#define WAIT_REALTIME  (9 | 128 | 256) /* as glibc waits without a timeout */
#define WAIT_MONOTONIC (9 | 128)
#define WAIT_SHARED    (9 | 256)

static uint32_t memory[WORDS];

static inline bool futex_read(const struct futex_wait *wait, void *words, uint32_t bytes,
			      uint64_t address)
{
	(void)wait;
	if (address < BASE || address - BASE > sizeof(memory) - bytes)
		return false;
	memcpy(words, (char *)memory + (address - BASE), bytes);
	return true;
}

static void put(uint64_t address, const uint32_t *words, size_t cnt)
{
	memcpy((char *)memory + (address - BASE), words, cnt * sizeof(*words));
}

#define PUT(address, ...)                         \
	put(address, (uint32_t[]){ __VA_ARGS__ }, \
	    sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	return 0;
}

static void put_pointer(uint64_t address, uint64_t pointer)
{
	PUT(address, (uint32_t)pointer, (uint32_t)(pointer >> 32));
}

static void thread_of_glibc(void)
{
	put_pointer(THREAD, THREAD);
	put_pointer(THREAD + 16, THREAD);
}

static struct futex_wait decide(uint64_t address, uint32_t op, uint32_t value, bool is_timed)
{
	struct futex_wait wait = { .address = address,
				   .stack = BASE,
				   .thread_pointer = THREAD,
				   .op = op,
				   .value = value,
				   .is_timed = is_timed,
				   .can_read_user = 1 };

	futex_decide(&wait);
	return wait;
}

static void assert_is(struct futex_wait wait, enum wire_kind kind, enum wire_reason reason,
		      uint32_t back)
{
	assert_int_equal(wait.known.kind, kind);
	assert_int_equal(wait.known.reason, reason);
	assert_int_equal(wait.known.back, back);
}

/* wseq, g1_start, g_refs, g_size, g1_orig_size, wrefs, g_signals: one waiter in group 1. */
static void conditions_up_to_2_40(void **state)
{
	(void)state;
	thread_of_glibc();
	PUT(BASE, 3, 0, 1, 0, 0, 2, 0, 0, 0, 8, 0, 0);
	assert_is(decide(BASE + 44, WAIT_REALTIME, 0, false), WIRE_KIND_CONDITION, WIRE_SYNC, 44);
	/* Nobody is in the other group, and no private waiter is in a shared one. */
	assert_is(decide(BASE + 40, WAIT_REALTIME, 0, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
	assert_is(decide(BASE + 44, WAIT_SHARED, 0, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
	/* 2.31 waits with the plain operation. */
	assert_is(decide(BASE + 44, WAIT_PRIVATE, 0, false), WIRE_KIND_CONDITION, WIRE_SYNC, 44);
}

/* wseq, g1_start, g_size, g1_orig_size, wrefs, g_signals, two unused; the value is the position. */
static void conditions_since_2_41(void **state)
{
	(void)state;
	thread_of_glibc();
	PUT(BASE + 64, 21, 0, 9, 0, 1, 1, 4, 16, 9, 9, 0, 0);
	assert_is(decide(BASE + 96, WAIT_REALTIME, 9, false), WIRE_KIND_CONDITION, WIRE_SYNC, 32);
	assert_is(decide(BASE + 100, WAIT_MONOTONIC, 9, true), WIRE_KIND_CONDITION, WIRE_SYNC, 36);
	PUT(BASE + 104, 1);
	assert_is(decide(BASE + 96, WAIT_REALTIME, 9, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
}

static void semaphores(void **state)
{
	(void)state;
	thread_of_glibc();
	PUT(BASE + 64, 0, 2, 0, 0xdead);
	assert_is(decide(BASE + 64, WAIT_REALTIME, 0, false), WIRE_KIND_SEMAPHORE, WIRE_SYNC, 0);
	assert_is(decide(BASE + 64, WAIT_MONOTONIC, 0, true), WIRE_KIND_SEMAPHORE, WIRE_SYNC, 0);
	assert_is(decide(BASE + 64, WAIT_SHARED, 0, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
	/* As Rust waits for a condition of its own. */
	assert_is(decide(BASE + 64, WAIT_MONOTONIC, 0, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
	PUT(BASE + 64, 0, 2, 128);
	assert_is(decide(BASE + 64, WAIT_SHARED, 0, false), WIRE_KIND_SEMAPHORE, WIRE_SYNC, 0);
}

/* readers, writers, wrphase_futex, writers_futex, 2 unused, writer, shared, 4 unused, flags */
static void rwlocks(void **state)
{
	(void)state;
	thread_of_glibc();
	PUT(BASE + 64, 11, 0, 3, 3, 0, 0, TID, 0, 0, 0, 0, 0, 0);
	assert_is(decide(BASE + 72, WAIT_REALTIME, 3, false), WIRE_KIND_RWLOCK, WIRE_LOCK, 8);
	assert_is(decide(BASE + 76, WAIT_REALTIME, 3, true), WIRE_KIND_RWLOCK, WIRE_LOCK, 12);
	PUT(BASE + 96, 77);
	assert_is(decide(BASE + 72, WAIT_REALTIME, 3, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
}

static void mutexes(void **state)
{
	struct futex_wait wait;

	(void)state;
	thread_of_glibc();
	assert_is(decide(BASE + 64, WAIT_PRIVATE, 2, false), WIRE_KIND_MUTEX, WIRE_LOCK, 0);
	wait = decide(BASE + 64, WAIT_MONOTONIC, 2, false);
	assert_is(wait, WIRE_KIND_MUTEX, WIRE_LOCK, 0);
	assert_int_equal(wait.known.is_by_value, 1);
	/* With a timeout the value is not enough: whose is it? */
	assert_is(decide(BASE + 64, WAIT_REALTIME, 2, true), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
	PUT(BASE + 64, 2, 0, TID, 1, 0);
	assert_is(decide(BASE + 64, WAIT_REALTIME, 2, true), WIRE_KIND_MUTEX, WIRE_LOCK, 0);
	/* A robust one's word is its owner. */
	assert_is(decide(BASE + 64, 0, 0x80000000u | TID, false), WIRE_KIND_MUTEX, WIRE_LOCK, 0);
	assert_is(decide(BASE + 64, 0, 0x80000000u | 1, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
	assert_is(decide(BASE + 64, 6 | 128, 0, false), WIRE_KIND_MUTEX, WIRE_LOCK, 0);
}

/* A mutex of musl: type, lock, waiters; a semaphore or rwlock: value, waiters, private or shared.
 */
static void locks_of_musl(void **state)
{
	(void)state;
	put_pointer(THREAD, THREAD);
	PUT(BASE + 64, 0, 0x80000010u, 1);
	assert_is(decide(BASE + 68, WAIT_PRIVATE, 0x80000010u, false), WIRE_KIND_MUTEX, WIRE_LOCK,
		  4);
	PUT(BASE + 128, 0xffffffffu, 1, 128);
	assert_is(decide(BASE + 128, WAIT_PRIVATE, 0xffffffffu, false), WIRE_KIND_SEMAPHORE,
		  WIRE_SYNC, 0);
	PUT(BASE + 128, 0xffffffffu, 1, 0);
	assert_is(decide(BASE + 128, WAIT_PRIVATE, 0xffffffffu, false), WIRE_KIND_RWLOCK, WIRE_LOCK,
		  0);
	PUT(BASE + 128, 0xffffffffu, 0, 0);
	assert_is(decide(BASE + 128, WAIT_PRIVATE, 0xffffffffu, false), WIRE_KIND_FUTEX, WIRE_SYNC,
		  0);
	/* On its own stack it is a condition; elsewhere 2 is a mutex of somebody's own. */
	assert_is(decide(BASE + 20, WAIT_PRIVATE, 2, false), WIRE_KIND_CONDITION, WIRE_SYNC, 0);
	assert_is(decide(BASE + 800, WAIT_PRIVATE, 2, false), WIRE_KIND_MUTEX, WIRE_LOCK, 0);
}

static void joins(void **state)
{
	struct futex_wait wait;

	(void)state;
	put_pointer(THREAD, THREAD);
	PUT(THREAD + 48, TID, 0, 2);
	wait = decide(THREAD + 56, WAIT_PRIVATE, 2, false);
	assert_is(wait, WIRE_KIND_JOIN, WIRE_SYNC, 0);
	futex_joined(&wait);
	assert_int_equal(wait.joined, TID);

	setup(NULL);
	thread_of_glibc();
	put_pointer(BASE, BASE);
	put_pointer(BASE + 16, BASE);
	PUT(BASE + 720, TID);
	wait = decide(BASE + 720, WAIT_SHARED, TID, false);
	assert_is(wait, WIRE_KIND_JOIN, WIRE_SYNC, 0);
	futex_joined(&wait);
	assert_int_equal(wait.joined, TID);
	/* The second thread of a container. */
	for (uint32_t op = 0; op <= WAIT_SHARED; op += WAIT_SHARED) {
		wait = decide(BASE + 720, op, 2, false);
		assert_is(wait, WIRE_KIND_JOIN, WIRE_SYNC, 0);
		futex_joined(&wait);
		assert_int_equal(wait.joined, 2);
	}
	put_pointer(BASE + 16, BASE + 8);
	assert_is(decide(BASE + 720, WAIT_SHARED, TID, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
}

static void what_cannot_be_read_has_no_kind(void **state)
{
	(void)state;
	thread_of_glibc();
	assert_is(decide(BASE + sizeof(memory), WAIT_REALTIME, 0, false), WIRE_KIND_FUTEX,
		  WIRE_SYNC, 0);
	assert_is(decide(8, WAIT_REALTIME, 0, false), WIRE_KIND_FUTEX, WIRE_SYNC, 0);
}

/* --- holders --- */

#define PID	   42
#define HOLDER_CNT 20
#define GIL_AT	   0x5000

static void ignore_gil(void *context, pid_t pid, const struct gil_range *range)
{
	(void)context;
	(void)pid;
	(void)range;
}

static struct {
	struct lock_holders holders;
	struct object_names names;
	struct process_tree tree;
	struct observation obs;
} table;

static int setup_table(void **state)
{
	static const struct tree_listener listener = { .gil_found = ignore_gil };

	(void)state;
	memset(&table, 0, sizeof(table));
	observation_init(&table.obs);
	process_tree_init(&table.tree, &table.obs, &listener);
	if (process_tree_born(&table.tree, PID, PID, 0, "test", 0))
		return -1;
	table.tree.processes[0].gil = (struct gil_range){ GIL_AT, GIL_AT + 208, 0 };
	return 0;
}

static int teardown_table(void **state)
{
	(void)state;
	lock_holders_release(&table.holders);
	object_names_release(&table.names);
	process_tree_release(&table.tree);
	observation_release(&table.obs);
	return 0;
}

static void add_holder(uint64_t address, uint32_t tid, uint64_t wait_ns)
{
	struct wire_holder_key key = { .tgid = PID,
				       .tid = tid,
				       .reason = WIRE_LOCK,
				       .kind = WIRE_KIND_MUTEX,
				       .id = { address } };
	struct wire_holder_sum sum = { .wait_ns = wait_ns, .handover_cnt = 1 };

	snprintf(sum.comm, sizeof(sum.comm), "holder-%u", tid);
	assert_int_equal(lock_holders_add(&table.holders, &key, &sum), 0);
}

static void convert(void)
{
	assert_int_equal(
		lock_holders_convert(&table.holders, &table.names, &table.tree, &table.obs), 0);
}

static void most_waited_for_come_first_and_the_rest_is_one(void **state)
{
	const struct obs_lock_holder *rows;

	(void)state;
	add_holder(0x1000, 7, 5);
	for (uint32_t i = 1; i <= HOLDER_CNT; i++)
		add_holder(0x2000, i, 100 * i);
	add_holder(0x1000, 7, 6);
	convert();
	rows = table.obs.lock_holders;
	assert_int_equal(table.obs.lock_holder_cnt, 8 + 1 + 1);
	assert_string_equal(rows[0].name, "0x2000");
	assert_int_equal(rows[0].tid, HOLDER_CNT);
	assert_string_equal(rows[0].comm, "holder-20");
	assert_int_equal(rows[7].wait_ns, 1300);
	assert_int_equal(rows[8].tid, 0);
	assert_int_equal(rows[8].wait_ns, 100 * 12 * 13 / 2);
	assert_int_equal(rows[8].handover_cnt, 12);
	assert_int_equal(rows[9].wait_ns, 11);
	assert_int_equal(rows[9].handover_cnt, 2);
}

static void locks_that_are_the_gil_become_it(void **state)
{
	(void)state;
	add_holder(GIL_AT + 80, 7, 5);
	add_holder(GIL_AT + 168, 7, 6);
	convert();
	assert_int_equal(table.obs.lock_holder_cnt, 1);
	assert_string_equal(table.obs.lock_holders[0].name, "GIL");
	assert_int_equal(table.obs.lock_holders[0].wait_ns, 11);
}

static void ten_thousand_locks_stay_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100000; i++)
		add_holder(0x10000 + 64 * (i % 10000), i % 7, i);
	convert();
	assert_in_range(table.obs.lock_holder_cnt, 64, 64 * 9);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(conditions_up_to_2_40, setup),
		cmocka_unit_test_setup(conditions_since_2_41, setup),
		cmocka_unit_test_setup(semaphores, setup),
		cmocka_unit_test_setup(rwlocks, setup),
		cmocka_unit_test_setup(mutexes, setup),
		cmocka_unit_test_setup(locks_of_musl, setup),
		cmocka_unit_test_setup(joins, setup),
		cmocka_unit_test_setup(what_cannot_be_read_has_no_kind, setup),
		cmocka_unit_test_setup_teardown(most_waited_for_come_first_and_the_rest_is_one,
						setup_table, teardown_table),
		cmocka_unit_test_setup_teardown(locks_that_are_the_gil_become_it, setup_table,
						teardown_table),
		cmocka_unit_test_setup_teardown(ten_thousand_locks_stay_bounded, setup_table,
						teardown_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
