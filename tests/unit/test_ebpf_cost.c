/* Events are taken and rows made in turn, however large the tree is: twice the processes may be
 * hardly more than twice the work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf/finish_lives.h"
#include "ebpf/object_names.h"
#include "ebpf/process_tree.h"
#include "ebpf/wait_convert.h"
#include "ebpf/wait_table.h"
#include "observation/observation.h"
#include "work_counter.h"

#define PROCESS_CNT 10000
#define ROOT	    100
/* Sorting and searching take a little more than twice, walking all for each takes four times. */
#define GROWTH_MAX 2.5

struct session {
	struct observation obs;
	struct process_tree tree;
	struct wait_table table;
	struct object_names names;
};

static void ignore_gil(void *context, pid_t pid, const struct gil_range *gil)
{
	(void)context;
	(void)pid;
	(void)gil;
}

static void session_init(struct session *session)
{
	static const struct tree_listener listener = { .gil_found = ignore_gil };

	memset(session, 0, sizeof(*session));
	observation_init(&session->obs);
	process_tree_init(&session->tree, &session->obs, &listener);
	assert_int_equal(process_tree_born(&session->tree, ROOT, ROOT, 0, "root", 0), 0);
}

static void session_release(struct session *session)
{
	wait_table_release(&session->table);
	object_names_release(&session->names);
	process_tree_release(&session->tree);
	observation_release(&session->obs);
}

static void add_thread(struct observation *obs, pid_t pid, pid_t tid)
{
	struct obs_thread *thread = observation_add_thread(obs);

	assert_non_null(thread);
	thread->pid = pid;
	thread->tid = tid;
	thread->end_ns = 1;
	thread->exited = true;
}

/* One that waits for a lock that may be the GIL, and joins a thread. */
static void add_waits(struct session *session, uint32_t pid)
{
	const struct wire_wait_sum sum = { .wait_ns = 10, .wait_cnt = 1 };
	const struct wire_wait_key keys[] = {
		{ .tgid = pid,
		  .tid = pid,
		  .reason = WIRE_LOCK,
		  .kind = WIRE_KIND_FUTEX,
		  .id = { 0x1000 } },
		{ .tgid = pid, .reason = WIRE_SYNC, .kind = WIRE_KIND_JOIN, .id = { 1, pid + 1 } },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(wait_table_add(&session->table, &keys[i], &sum), 0);
}

/* As many live at once: the root never dies, nor the first of its children. */
static void follow_children(void *context, size_t cnt)
{
	struct session *session = context;

	for (size_t i = 1; i <= cnt; i++) {
		pid_t pid = ROOT + 2 * (pid_t)i;

		assert_false(process_tree_has(&session->tree, pid));
		assert_int_equal(process_tree_born(&session->tree, pid, pid, ROOT, "child", i), 0);
		assert_int_equal(process_tree_born(&session->tree, pid, pid + 1, ROOT, "", i), 0);
		assert_int_equal(process_tree_exec(&session->tree, pid, "child", "/c", i), 0);
		assert_true(process_tree_knows(&session->tree, pid));
		if (i > 1)
			process_tree_leader_died(&session->tree, pid);
	}
}

/* What the dead sent, which is gathered and folded now and then: not counted. */
static void add_totals(struct session *session, size_t cnt)
{
	for (size_t i = 1; i <= cnt; i++) {
		pid_t pid = ROOT + 2 * (pid_t)i;

		add_thread(&session->obs, pid, pid);
		add_thread(&session->obs, pid, pid + 1);
		add_waits(session, (uint32_t)pid);
	}
}

static void convert(void *context, size_t cnt)
{
	struct session *session = context;

	assert_int_equal(
		wait_convert(&session->table, &session->names, &session->tree, &session->obs), 0);
	assert_int_equal(lives_end_processes(&session->obs), 0);
	assert_int_equal(lives_count_peaks(&session->obs), 0);
	assert_int_equal(session->obs.wait_cnt, 2 * cnt);
}

struct work {
	uint64_t following;
	uint64_t converting;
};

static struct work work_for(int counter, size_t cnt)
{
	struct session session;
	struct work work;

	session_init(&session);
	work.following = work_counter_of(counter, follow_children, &session, cnt);
	add_totals(&session, cnt);
	work.converting = work_counter_of(counter, convert, &session, cnt);
	session_release(&session);
	return work;
}

static void twice_the_processes_are_twice_the_work(void **state)
{
	int counter = work_counter_open();
	struct work work = work_for(counter, PROCESS_CNT);
	struct work doubled = work_for(counter, (size_t)2 * PROCESS_CNT);

	(void)state;
	close(counter);
	print_message("instructions: %lu and %lu, of twice as many processes: %lu and %lu\n",
		      work.following, work.converting, doubled.following, doubled.converting);
	assert_true((double)doubled.following < GROWTH_MAX * (double)work.following);
	assert_true((double)doubled.converting < GROWTH_MAX * (double)work.converting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_the_processes_are_twice_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
