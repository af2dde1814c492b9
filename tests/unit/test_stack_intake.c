/* What the worker makes of messages about stacks: made up here, of this process's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "code/code_file.h"
#include "clock.h"
#include "ebpf/stack_chains.h"
#include "ebpf/stack_intake.h"
#include "proc_file.h"
#include "symbols/symbols.h"

#define MS 1000000ull

struct intake_fixture {
	struct code_files *files;
	struct symbols *symbols;
	struct stack_intake intake;
};

static int setup(void **state)
{
	struct intake_fixture *fixture = test_calloc(1, sizeof(*fixture));

	*state = fixture;
	fixture->files = code_files_new();
	fixture->symbols = symbols_new();
	if (stack_intake_init(&fixture->intake, fixture->files, fixture->symbols))
		return -1;
	fixture->intake.period_ns = 10 * MS;
	fixture->intake.spaces.pythons_fd = fixture->intake.spaces.python_threads_fd = -1;
	return 0;
}

static int teardown(void **state)
{
	struct intake_fixture *fixture = *state;

	stack_intake_release(&fixture->intake);
	symbols_free(fixture->symbols);
	code_files_free(fixture->files);
	test_free(fixture);
	return 0;
}

static struct wire_stack_owner owner_of(uint32_t type, uint32_t wait_number, uint64_t time_ns)
{
	struct proc_stat stat;

	assert_int_equal(proc_stat_read(getpid(), &stat), 0);
	return (struct wire_stack_owner){ .start_stack = stat.start_stack,
					  .tgid = (uint32_t)getpid(),
					  .tid = (uint32_t)getpid(),
					  .address_space = 1,
					  .wait_number = wait_number,
					  .type = type,
					  .time_ns = time_ns };
}

/* A stack whose innermost frame is at @code; what called it isn't known. */
static void take(struct stack_intake *intake, struct wire_stack_owner owner, uintptr_t code,
		 uint64_t gil_state)
{
	struct wire_stack *stack = calloc(1, sizeof(*stack));

	assert_non_null(stack);
	stack->owner = owner;
	stack->registers[WIRE_REGISTER_IP] = code;
	stack->gil_state = gil_state;
	stack_intake_take(intake, stack, offsetof(struct wire_stack, stack));
	free(stack);
}

static void end(struct stack_intake *intake, struct wire_stack_owner owner, uint64_t wait_ns,
		uint32_t stands_for, bool was_chosen)
{
	struct wire_stack_wait_end message = { .owner = owner,
					       .wait_ns = wait_ns,
					       .stands_for = stands_for,
					       .was_chosen = was_chosen };

	message.owner.type = WIRE_STACK_WAIT_END;
	message.key.tgid = owner.tgid;
	stack_intake_take(intake, &message, sizeof(message));
}

static double time_of_all(const struct stack_intake *intake)
{
	double time_ns = 0;

	for (uint32_t i = 0; i < intake->table.rows.cnt; i++)
		time_ns += stack_table_sum(&intake->table, i)->time_ns;
	return time_ns;
}

static void test_a_sample_stands_for_its_period(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	struct wire_stack_owner owner = owner_of(WIRE_STACK_SAMPLE, 0, MS);

	take(intake, owner, (uintptr_t)getpid, WIRE_GIL_HELD);
	take(intake, owner, (uintptr_t)getpid, WIRE_GIL_FREE);
	take(intake, owner, (uintptr_t)getpid, WIRE_GIL_UNKNOWN);
	assert_int_equal(intake->table.rows.cnt, 1);
	assert_true(stack_table_sum(&intake->table, 0)->time_ns == 30.0 * MS);
	assert_true(stack_table_sum(&intake->table, 0)->gil_known_ns == 20.0 * MS);
	assert_true(stack_table_sum(&intake->table, 0)->gil_held_ns == 10.0 * MS);
}

static void test_a_chosen_wait_stands_for_those_that_were_not(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	struct wire_stack_owner owner = owner_of(WIRE_STACK_WAIT, 5, MS);

	take(intake, owner, (uintptr_t)getpid, 0);
	end(intake, owner, 2 * MS, 7, true);
	assert_float_equal(time_of_all(intake), 14.0 * MS, 1);
}

static void look_from(struct stack_intake *intake, uint64_t begin_ns, uint64_t end_ns,
		      double chance)
{
	struct stack_looking *looking = &intake->looking;

	looking->blocked_ns = MS;
	looking->passes[looking->cnt++] = (struct stack_pass){ begin_ns, end_ns, chance };
}

/* A wait that was chosen with p = 1/4 or met by looks with q = 1/2 was seen with 1-(1-p)(1-q). */
static void test_two_ways_to_be_seen_are_reckoned_together(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	struct wire_stack_owner owner = owner_of(WIRE_STACK_WAIT, 5, MS);

	owner.time_ns = 20 * MS;
	/* The first began too soon after the wait, the last ended too late. */
	look_from(intake, 14 * MS + MS / 2, 15 * MS, 1);
	look_from(intake, 16 * MS, 17 * MS, 0.5);
	look_from(intake, 19 * MS, 21 * MS, 1);
	take(intake, owner, (uintptr_t)getpid, 0);
	end(intake, owner, 6 * MS, 4, true);
	assert_float_equal(time_of_all(intake), 6.0 * MS / (1 - 0.75 * 0.5), 1);
}

static void look(struct stack_intake *intake, uint32_t wait_number, struct wire_wait_key key)
{
	struct wire_waiting waiting = { .owner =
						owner_of(0, wait_number, clock_ns(CLOCK_MONOTONIC)),
					.since_ns = clock_ns(CLOCK_MONOTONIC) - 20 * MS,
					.key = key };
	const struct raw_stack raw = { .registers = waiting.registers };

	waiting.registers[WIRE_REGISTER_IP] = (uintptr_t)getpid;
	assert_false(stack_intake_knows(intake, &waiting));
	stack_intake_look(intake, &waiting, &raw);
	assert_true(stack_intake_knows(intake, &waiting));
}

static void test_a_look_is_good_if_the_wait_ends_later(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	const struct wire_wait_key key = { .tgid = (uint32_t)getpid() };
	uint64_t before_ns = clock_ns(CLOCK_MONOTONIC);

	look_from(intake, before_ns - 20 * MS, before_ns - 19 * MS, 1);
	look(intake, 8, key);
	end(intake, owner_of(0, 8, before_ns), 30 * MS, 1000000, false);
	assert_true(time_of_all(intake) == 0);
	look(intake, 9, key);
	end(intake, owner_of(0, 9, clock_ns(CLOCK_MONOTONIC) + MS), 30 * MS, 1000000, false);
	assert_float_equal(time_of_all(intake), 30.0 * MS, 100);
}

/* Else those that a pass met by chance as it went on would count for many. */
static void test_a_look_that_is_not_reckoned_with_counts_for_nothing(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	const struct wire_wait_key key = { .tgid = (uint32_t)getpid() };

	look(intake, 8, key);
	end(intake, owner_of(0, 8, clock_ns(CLOCK_MONOTONIC) + MS), 30 * MS, 100, false);
	assert_true(time_of_all(intake) == 0);
}

static void test_an_end_is_of_its_own_wait_only(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;

	take(intake, owner_of(WIRE_STACK_WAIT, 5, MS), (uintptr_t)getpid, 0);
	end(intake, owner_of(0, 6, 2 * MS), MS, 1, true);
	assert_true(time_of_all(intake) == 0);
}

static void test_messages_cut_short_are_left_alone(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	struct wire_stack_owner owner = owner_of(WIRE_STACK_SAMPLE, 0, MS);
	struct wire_stack *stack = calloc(1, sizeof(*stack));

	assert_non_null(stack);
	stack->owner = owner;
	stack->kernel_cnt = stack->python_cnt = stack->stack_bytes = UINT32_MAX;
	stack->registers[WIRE_REGISTER_IP] = (uintptr_t)getpid;
	stack_intake_take(intake, stack, sizeof(owner) - 1);
	stack_intake_take(intake, stack, sizeof(owner));
	assert_int_equal(intake->sample_cnt, 0);
	/* Counts that lie are bounded by what there is. */
	stack_intake_take(intake, stack, sizeof(*stack));
	assert_int_equal(intake->sample_cnt, 1);
	free(stack);
}

static void test_a_process_that_is_gone_is_counted(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	struct wire_stack_owner owner = owner_of(WIRE_STACK_SAMPLE, 0, MS);

	owner.tgid = owner.tid = 0x7ffffff0; /* beyond what the kernel gives */
	take(intake, owner, (uintptr_t)getpid, 0);
	assert_int_equal(intake->unread_cnt, 1);
	assert_int_equal(intake->table.rows.cnt, 0);
}

/* It has run exec since, or the number is another process's by now. */
static void test_a_process_that_runs_another_program_is_counted(void **state)
{
	struct stack_intake *intake = &((struct intake_fixture *)*state)->intake;
	struct wire_stack_owner owner = owner_of(WIRE_STACK_SAMPLE, 0, MS);

	if (!owner.start_stack)
		skip();
	owner.start_stack += 16;
	take(intake, owner, (uintptr_t)getpid, 0);
	assert_int_equal(intake->unread_cnt, 1);
	assert_int_equal(intake->table.rows.cnt, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_sample_stands_for_its_period, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_chosen_wait_stands_for_those_that_were_not,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_ways_to_be_seen_are_reckoned_together,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_look_is_good_if_the_wait_ends_later, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_a_look_that_is_not_reckoned_with_counts_for_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_end_is_of_its_own_wait_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_messages_cut_short_are_left_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_process_that_is_gone_is_counted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_process_that_runs_another_program_is_counted,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
