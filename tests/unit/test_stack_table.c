/* Sets of keys, times by stack, and their way from the worker to classify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "code/code_file.h"
#include "ebpf/key_set.h"
#include "ebpf/stack_names.h"
#include "ebpf/stack_result.h"
#include "ebpf/stack_table.h"
#include "observation/observation.h"
#include "symbols/symbols.h"

#define MANY 10000u

/* --- sets of keys --- */

static void test_each_key_has_one_number(void **state)
{
	struct key_set set;

	(void)state;
	key_set_init(&set, sizeof(uint64_t), MANY);
	for (uint64_t key = 0; key < MANY; key++)
		assert_int_equal(key_set_add(&set, &key), key);
	for (uint64_t key = 0; key < MANY; key++) {
		assert_int_equal(key_set_find(&set, &key), key);
		assert_int_equal(key_set_add(&set, &key), key);
		assert_memory_equal(key_set_at(&set, (uint32_t)key), &key, sizeof(key));
	}
	key_set_release(&set);
}

static void test_a_full_set_takes_no_more_and_keeps_what_it_has(void **state)
{
	struct key_set set;
	uint64_t key;

	(void)state;
	key_set_init(&set, sizeof(uint64_t), 100);
	for (key = 0; key < 100; key++)
		assert_int_equal(key_set_add(&set, &key), key);
	assert_int_equal(key_set_add(&set, &key), KEY_SET_FULL);
	assert_int_equal(key_set_find(&set, &key), KEY_SET_FULL);
	key = 99;
	assert_int_equal(key_set_add(&set, &key), 99);
	key_set_release(&set);
}

static void test_keys_of_odd_sizes_differ_in_their_last_byte(void **state)
{
	struct key_set set;

	(void)state;
	key_set_init(&set, 11, 10);
	assert_int_equal(key_set_add(&set, "0123456789a"), 0);
	assert_int_equal(key_set_add(&set, "0123456789b"), 1);
	assert_int_equal(key_set_find(&set, "0123456789a"), 0);
	key_set_release(&set);
}

static void test_values_begin_at_zero_and_stay_with_their_keys(void **state)
{
	struct key_set set;
	uint32_t *value;

	(void)state;
	key_set_init_values(&set, sizeof(uint64_t), sizeof(*value), MANY);
	for (int round = 0; round < 2; round++) {
		for (uint64_t key = 0; key < MANY; key++) {
			value = key_set_value(&set, key_set_add(&set, &key));
			assert_int_equal(*value, round ? key + 1 : 0);
			*value = (uint32_t)key + 1;
		}
	}
	key_set_release(&set);
}

/* --- tables --- */

static uint32_t push_python(struct stack_table *table, const char *function, uint32_t line,
			    uint32_t caller)
{
	const struct stack_node node = {
		.kind = PLACE_PYTHON,
		.owner = stack_table_python_place(table, function, "/app.py", line, 1),
		.address = 1,
		.caller = caller,
		.is_complete = caller == NO_NODE,
	};

	return stack_table_push(table, &node);
}

/* main() calls fetch(), which waits for @wait, and in the second row computes. */
static void fill(struct stack_table *table, const struct wire_wait_key *wait)
{
	uint32_t outer = push_python(table, "main", 7, NO_NODE);
	struct stack_row row = { .native = NO_NODE,
				 .kernel = NO_NODE,
				 .python = push_python(table, "fetch", 42, outer),
				 .thread = stack_table_thread(table, 100, 101),
				 .task = stack_table_task(table, "Task-1"),
				 .wait = key_set_add(&table->waits, wait) };
	const struct stack_sum waited = { .time_ns = 5e9, .sample_cnt = 3 };
	const struct stack_sum computed = {
		.time_ns = 1e9, .gil_known_ns = 1e9, .gil_held_ns = 4e8, .sample_cnt = 2
	};

	stack_table_name_thread(table, row.thread, "before");
	stack_table_name_thread(table, row.thread, "worker");
	stack_table_add(table, &row, &waited);
	stack_table_add(table, &row, &waited);
	row.wait = NO_WAIT;
	row.task = NO_NODE;
	stack_table_add(table, &row, &computed);
}

static void test_equal_stacks_add_up(void **state)
{
	const struct wire_wait_key wait = { .tgid = 100 };
	struct stack_table table;

	(void)state;
	assert_int_equal(stack_table_init(&table), 0);
	fill(&table, &wait);
	assert_int_equal(table.rows.cnt, 2);
	assert_int_equal(table.nodes.cnt, 2);
	assert_true(stack_table_sum(&table, 0)->time_ns == 1e10);
	assert_int_equal(stack_table_sum(&table, 0)->sample_cnt, 6);
	stack_table_release(&table);
}

static void name(const struct stack_table *table, struct observation *part)
{
	struct code_files *files = code_files_new();
	struct symbols *symbols = symbols_new();
	const struct stack_naming naming = { .table = table, .files = files, .symbols = symbols };

	observation_init(part);
	assert_int_equal(stack_names_give(&naming, part), 0);
	symbols_free(symbols);
	code_files_free(files);
}

static void test_stacks_get_names(void **state)
{
	const struct wire_wait_key wait = { .tgid = 100 };
	const struct obs_stack_time *time;
	struct stack_table table;
	struct observation part;
	const struct obs_call *call;

	(void)state;
	assert_int_equal(stack_table_init(&table), 0);
	fill(&table, &wait);
	name(&table, &part);
	assert_int_equal(part.stack_time_cnt, 2);
	assert_int_equal(part.call_cnt, 2);
	time = &part.stack_times[0];
	assert_false(time->is_on_cpu);
	assert_int_equal(time->time_ns, 10000000000);
	assert_string_equal(time->thread, "worker");
	assert_string_equal(time->task, "Task-1");
	assert_true(part.stack_times[1].is_on_cpu);
	assert_int_equal(part.stack_times[1].gil_held_ns, 400000000);
	call = &part.calls[time->call];
	assert_string_equal(part.frames[call->frame].function, "fetch");
	assert_int_equal(part.frames[call->frame].line, 42);
	call = &part.calls[call->caller];
	assert_string_equal(part.frames[call->frame].function, "main");
	assert_int_equal(call->caller, NO_CALLER);
	assert_true(call->is_complete);
	observation_release(&part);
	stack_table_release(&table);
}

/* Two frames of machine code, of which nothing is known but where they are. */
static void test_machine_code_stays_without_python(void **state)
{
	const struct stack_node outer = { .kind = PLACE_JIT,
					  .owner = 100,
					  .address = 0x1000,
					  .caller = NO_NODE,
					  .is_complete = 1 };
	struct stack_node inner = { .kind = PLACE_JIT, .owner = 100, .address = 0x2000 };
	const struct stack_sum sum = { .time_ns = 1, .sample_cnt = 1 };
	struct stack_row row = {
		.kernel = NO_NODE, .python = NO_NODE, .task = NO_NODE, .wait = NO_WAIT
	};
	struct stack_table table;
	struct observation part;
	const struct obs_call *call;

	(void)state;
	assert_int_equal(stack_table_init(&table), 0);
	inner.caller = stack_table_push(&table, &outer);
	row.native = stack_table_push(&table, &inner);
	row.thread = stack_table_thread(&table, 100, 100);
	stack_table_add(&table, &row, &sum);
	name(&table, &part);
	assert_int_equal(part.stack_time_cnt, 1);
	call = &part.calls[part.stack_times[0].call];
	assert_int_equal(part.frames[call->frame].address, 0x2000);
	call = &part.calls[call->caller];
	assert_int_equal(part.frames[call->frame].address, 0x1000);
	assert_true(call->is_complete);
	observation_release(&part);
	stack_table_release(&table);
}

static long find_by_port(void *context, const struct wire_wait_key *key)
{
	(void)context;
	return key->port == 443 ? 1 : -1;
}

/* Sends a table with one wait at @port through a result, into @obs with two waits. */
static void pass_through(uint16_t port, struct observation *obs)
{
	const struct wire_wait_key wait = { .tgid = 100, .port = port };
	struct stack_result result;
	struct stack_table table;
	struct observation part;

	assert_int_equal(stack_table_init(&table), 0);
	fill(&table, &wait);
	name(&table, &part);
	part.stack_quality.are_taken = true;
	assert_int_equal(observation_add_string(&part, &part.stack_quality.notes,
						&part.stack_quality.note_cnt,
						"/lib/x: no ELF file"),
			 0);
	assert_int_equal(stack_result_open(&result), 0);
	assert_int_equal(stack_result_write(&result, &part, &table.waits), 0);
	/* The last word counts. */
	assert_int_equal(stack_result_write(&result, &part, &table.waits), 0);
	observation_release(&part);
	stack_table_release(&table);
	observation_init(obs);
	observation_add_wait(obs);
	observation_add_wait(obs);
	assert_int_equal(stack_result_read(&result, obs, find_by_port, NULL), 0);
	stack_result_close(&result);
}

static void test_a_result_comes_through_whole(void **state)
{
	struct observation obs;

	(void)state;
	pass_through(443, &obs);
	assert_int_equal(obs.stack_time_cnt, 2);
	assert_int_equal(obs.stack_times[0].wait, 1);
	assert_string_equal(obs.frames[obs.calls[obs.stack_times[0].call].frame].function, "fetch");
	assert_true(obs.stack_quality.are_taken);
	assert_int_equal(obs.stack_quality.note_cnt, 1);
	assert_string_equal(obs.stack_quality.notes[0], "/lib/x: no ELF file");
	observation_release(&obs);
}

static void test_times_of_unknown_objects_are_left_out(void **state)
{
	struct observation obs;

	(void)state;
	pass_through(80, &obs);
	assert_int_equal(obs.stack_time_cnt, 1);
	assert_true(obs.stack_times[0].is_on_cpu);
	observation_release(&obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_key_has_one_number),
		cmocka_unit_test(test_a_full_set_takes_no_more_and_keeps_what_it_has),
		cmocka_unit_test(test_keys_of_odd_sizes_differ_in_their_last_byte),
		cmocka_unit_test(test_values_begin_at_zero_and_stay_with_their_keys),
		cmocka_unit_test(test_equal_stacks_add_up),
		cmocka_unit_test(test_stacks_get_names),
		cmocka_unit_test(test_machine_code_stays_without_python),
		cmocka_unit_test(test_a_result_comes_through_whole),
		cmocka_unit_test(test_times_of_unknown_objects_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
