/* The processes of the tree as events build them. Their pids are ones that can't be alive, so that
 * inspecting finds nobody; where somebody must be found, it is the test itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf/process_tree.h"
#include "observation/observation.h"

#define MS     1000000ull
#define NOBODY 0x7ffffff0 /* above any pid_max */

struct tree_fixture {
	struct observation obs;
	struct process_tree tree;
	size_t gil_cnt;
	pid_t gil_pid;
	struct gil_range gil;
};

static void note_gil(void *context, pid_t pid, const struct gil_range *gil)
{
	struct tree_fixture *fixture = context;

	fixture->gil_cnt++;
	fixture->gil_pid = pid;
	fixture->gil = *gil;
}

static void ignore_port(void *context, uint32_t netns, uint16_t port)
{
	(void)context;
	(void)netns;
	(void)port;
}

static int setup(void **state)
{
	struct tree_fixture *fixture = test_calloc(1, sizeof(*fixture));
	struct tree_listener listener = { .gil_found = note_gil,
					  .port_found = ignore_port,
					  .context = fixture };

	observation_init(&fixture->obs);
	process_tree_init(&fixture->tree, &fixture->obs, &listener);
	*state = fixture;
	return process_tree_born(&fixture->tree, NOBODY, NOBODY, 0, "root", 0);
}

static int teardown(void **state)
{
	struct tree_fixture *fixture = *state;

	process_tree_release(&fixture->tree);
	observation_release(&fixture->obs);
	test_free(fixture);
	return 0;
}

/* As if the root had been found to be a CPython. */
static void make_root_python(struct tree_fixture *fixture)
{
	fixture->obs.processes[0].exe = "/usr/bin/python3";
	fixture->obs.processes[0].python_hexversion = 0x030b0000;
	fixture->obs.processes[0].gil_is_known = true;
	fixture->tree.processes[0].gil = (struct gil_range){ 0x1000, 0x10d0, 0 };
	fixture->tree.processes[0].is_settled = true;
}

static struct obs_process *fork_child(struct tree_fixture *fixture, pid_t pid, uint64_t at_ns)
{
	assert_int_equal(process_tree_born(&fixture->tree, pid, pid, NOBODY, "child", at_ns), 0);
	return &fixture->obs.processes[fixture->obs.process_cnt - 1];
}

static void a_fork_is_its_parents_twin(void **state)
{
	struct tree_fixture *fixture = *state;
	const struct obs_process *child;

	make_root_python(fixture);
	child = fork_child(fixture, NOBODY + 1, 5 * MS);
	assert_int_equal(child->pid, NOBODY + 1);
	assert_int_equal(child->parent_pid, NOBODY);
	assert_string_equal(child->comm, "child");
	assert_string_equal(child->exe, "/usr/bin/python3");
	assert_int_equal(child->python_hexversion, 0x030b0000);
	assert_int_equal(child->start_ns, 5 * MS);
	assert_false(child->is_exec);
	/* The probes are told before anybody looks at the child. */
	assert_int_equal(fixture->gil_cnt, 1);
	assert_int_equal(fixture->gil_pid, NOBODY + 1);
	assert_int_equal(fixture->gil.start, 0x1000);
	assert_int_equal(process_tree_gil(&fixture->tree, NOBODY + 1).end, 0x10d0);
}

static void a_child_of_an_unsettled_process_is_unsettled(void **state)
{
	struct tree_fixture *fixture = *state;

	fork_child(fixture, NOBODY + 1, 0);
	assert_int_equal(fixture->gil_cnt, 0);
	assert_false(fixture->tree.processes[1].is_settled);
}

static void exec_makes_a_new_program(void **state)
{
	struct tree_fixture *fixture = *state;
	struct obs_process *child;

	make_root_python(fixture);
	child = fork_child(fixture, NOBODY + 1, 5 * MS);
	child->listening_cnt = 2;
	assert_int_equal(process_tree_exec(&fixture->tree, NOBODY + 1, "cat", "/bin/cat", 9 * MS),
			 0);
	child = &fixture->obs.processes[1];
	assert_int_equal(fixture->obs.process_cnt, 2);
	assert_string_equal(child->exe, "/bin/cat");
	assert_string_equal(child->comm, "cat");
	assert_true(child->is_exec);
	assert_int_equal(child->start_ns, 5 * MS); /* the process is as old as before */
	assert_int_equal(child->parent_pid, NOBODY);
	assert_int_equal(child->python_hexversion, 0);
	assert_false(child->gil_is_known);
	assert_int_equal(child->listening_cnt, 0);
	assert_int_equal(process_tree_gil(&fixture->tree, NOBODY + 1).end, 0);
	assert_false(fixture->tree.processes[1].is_settled);
	assert_true(fixture->tree.processes[1].inspect_at_ns > 9 * MS);
}

static void exec_of_an_unknown_process_adds_it(void **state)
{
	struct tree_fixture *fixture = *state;

	assert_int_equal(process_tree_exec(&fixture->tree, NOBODY + 7, "x", "/x", MS), 0);
	assert_int_equal(fixture->obs.process_cnt, 2);
	assert_int_equal(fixture->obs.processes[1].pid, NOBODY + 7);
	assert_true(fixture->obs.processes[1].is_exec);
}

static void the_dead_are_not_inspected(void **state)
{
	struct tree_fixture *fixture = *state;

	fork_child(fixture, NOBODY + 1, 0);
	process_tree_leader_died(&fixture->tree, NOBODY);
	assert_int_equal(fixture->tree.first_live, 1);
	process_tree_leader_died(&fixture->tree, NOBODY + 1);
	assert_int_equal(fixture->tree.first_live, 2);
	process_tree_inspect_due(&fixture->tree, 1000 * MS);
	assert_int_equal(fixture->tree.processes[0].inspect_cnt, 0);
	process_tree_leader_died(&fixture->tree, NOBODY + 5); /* nobody we know */
}

/* A thread that isn't the leader runs exec: the leader's death is told first. */
static void exec_after_the_leaders_death_revives(void **state)
{
	struct tree_fixture *fixture = *state;

	process_tree_leader_died(&fixture->tree, NOBODY);
	assert_int_equal(process_tree_exec(&fixture->tree, NOBODY, "x", "/x", MS), 0);
	assert_int_equal(fixture->obs.process_cnt, 1);
	assert_true(fixture->tree.processes[0].is_live);
	assert_int_equal(fixture->tree.first_live, 0);
}

static void a_number_that_comes_round_is_another_process(void **state)
{
	struct tree_fixture *fixture = *state;

	fork_child(fixture, NOBODY + 1, 1 * MS);
	process_tree_leader_died(&fixture->tree, NOBODY + 1);
	fork_child(fixture, NOBODY + 1, 5 * MS);
	assert_int_equal(fixture->obs.process_cnt, 3);
	assert_int_equal(fixture->obs.processes[2].start_ns, 5 * MS);
	assert_false(fixture->tree.processes[1].is_live);
	/* What is said of the number now is said of the younger. */
	assert_int_equal(process_tree_exec(&fixture->tree, NOBODY + 1, "x", "/x", 6 * MS), 0);
	assert_true(fixture->obs.processes[2].is_exec);
	assert_false(fixture->obs.processes[1].is_exec);
}

static void a_thread_is_no_process_but_prompts_a_look(void **state)
{
	struct tree_fixture *fixture = *state;

	fixture->tree.processes[0].inspect_at_ns = 1000 * MS;
	assert_int_equal(
		process_tree_born(&fixture->tree, NOBODY, NOBODY + 1, NOBODY, "thread", 3 * MS), 0);
	assert_int_equal(fixture->obs.process_cnt, 1);
	assert_int_equal(fixture->tree.processes[0].inspect_at_ns, 3 * MS);
	process_tree_inspect_due(&fixture->tree, 3 * MS);
	assert_int_equal(fixture->tree.processes[0].inspect_cnt, 1);
}

static void a_live_process_settles(void **state)
{
	struct tree_fixture *fixture = *state;
	size_t index = fixture->obs.process_cnt;
	uint64_t now_ns = 0;

	fork_child(fixture, getpid(), 0);
	for (int i = 0; i < 3; i++) {
		assert_false(fixture->tree.processes[index].is_settled);
		now_ns = fixture->tree.processes[index].inspect_at_ns;
		process_tree_inspect_due(&fixture->tree, now_ns);
	}
	/* This test is no CPython: there is no GIL, and the probes are told so. */
	assert_true(fixture->tree.processes[index].is_settled);
	assert_int_equal(fixture->gil_pid, getpid());
	assert_int_equal(fixture->gil.end, 0);
	assert_non_null(strstr(fixture->obs.processes[index].exe, "test_ebpf_process_tree"));
	assert_true(fixture->tree.processes[index].inspect_at_ns > now_ns);
}

static void ten_thousand_processes_fit(void **state)
{
	struct tree_fixture *fixture = *state;

	for (pid_t i = 0; i < 10000; i++)
		assert_int_equal(process_tree_born(&fixture->tree, 1000000000 + i, 1000000000 + i,
						   0, "x", 0),
				 0);
	assert_int_equal(fixture->obs.process_cnt, 10001);
	assert_true(fixture->tree.processes[10000].is_live);
}

/* A round may take several calls, and looks at each process once. */
static void a_round_goes_on_where_it_broke_off(void **state)
{
	struct tree_fixture *fixture = *state;

	for (pid_t i = 1; i < 10000; i++)
		assert_int_equal(process_tree_born(&fixture->tree, 1000000000 + i, 1000000000 + i,
						   0, "x", 0),
				 0);
	do
		process_tree_inspect_due(&fixture->tree, 2 * MS);
	while (fixture->tree.resume_at);
	for (size_t i = 0; i < fixture->obs.process_cnt; i++)
		assert_int_equal(fixture->tree.processes[i].inspect_cnt, 1);
}

static void many_processes_are_looked_at_less_often(void **state)
{
	struct tree_fixture *fixture = *state;
	struct tree_process *known = &fixture->tree.processes[0];

	fixture->tree.live_cnt = 5000;
	fixture->tree.inspect_cost_ns = MS;
	process_tree_inspect_due(&fixture->tree, 2 * MS);
	assert_true(known->inspect_at_ns < 100 * MS); /* the first looks are never late */
	known->inspect_cnt = 10;
	known->inspect_at_ns = 3000 * MS;
	fixture->tree.live_cnt = 5000;
	fixture->tree.inspect_cost_ns = MS;
	process_tree_inspect_due(&fixture->tree, 3000 * MS);
	assert_true(known->inspect_at_ns > 100000 * MS);
}

#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(a_fork_is_its_parents_twin),
		TREE_TEST(a_child_of_an_unsettled_process_is_unsettled),
		TREE_TEST(exec_makes_a_new_program),
		TREE_TEST(exec_of_an_unknown_process_adds_it),
		TREE_TEST(the_dead_are_not_inspected),
		TREE_TEST(exec_after_the_leaders_death_revives),
		TREE_TEST(a_number_that_comes_round_is_another_process),
		TREE_TEST(a_thread_is_no_process_but_prompts_a_look),
		TREE_TEST(a_live_process_settles),
		TREE_TEST(ten_thousand_processes_fit),
		TREE_TEST(a_round_goes_on_where_it_broke_off),
		TREE_TEST(many_processes_are_looked_at_less_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
