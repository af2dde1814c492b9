/* Who had the CPUs: from the probes' sums to the observation's rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ebpf/neighbours.h"
#include "observation/observation.h"

static void add(struct observation *obs, const char *comm, uint64_t queue_ns)
{
	struct wire_neighbour who = { "" };
	struct wire_queue_sum sum = { queue_ns, 1 };

	snprintf(who.comm, sizeof(who.comm), "%s", comm);
	assert_int_equal(neighbours_add(obs, &who, &sum), 0);
}

static void waiting_is_divided_in_proportion(void **state)
{
	struct observation obs;

	(void)state;
	observation_init(&obs);
	add(&obs, "small", 10);
	add(&obs, "large", 30);
	obs.own_queue_ns = 60;
	neighbours_divide(&obs, 1000);
	assert_int_equal(obs.neighbour_cnt, 2);
	assert_string_equal(obs.neighbours[0].comm, "large");
	assert_int_equal(obs.neighbours[0].queue_ns, 300);
	assert_int_equal(obs.neighbours[1].queue_ns, 100);
	assert_int_equal(obs.own_queue_ns, 600);
	observation_release(&obs);
}

static void too_little_known_names_nobody(void **state)
{
	struct observation obs;

	(void)state;
	observation_init(&obs);
	add(&obs, "somebody", 10);
	obs.own_queue_ns = 9;
	neighbours_divide(&obs, 1000);
	assert_int_equal(obs.neighbour_cnt, 0);
	assert_int_equal(obs.own_queue_ns, 0);
	observation_release(&obs);
}

static void nothing_waited_for_is_nothing(void **state)
{
	struct observation obs;

	(void)state;
	observation_init(&obs);
	neighbours_divide(&obs, 0);
	assert_int_equal(obs.neighbour_cnt, 0);
	assert_int_equal(obs.own_queue_ns, 0);
	observation_release(&obs);
}

/* Older kernels leave what stood there before behind the end of a name. */
static void names_end_at_their_nul(void **state)
{
	struct wire_neighbour who = { "cc1\0old name" };
	struct wire_queue_sum sum = { 5, 2 };
	struct observation obs;

	(void)state;
	observation_init(&obs);
	add(&obs, "cc1", 7);
	assert_int_equal(neighbours_add(&obs, &who, &sum), 0);
	assert_int_equal(obs.neighbour_cnt, 1);
	assert_int_equal(obs.neighbours[0].queue_ns, 12);
	assert_int_equal(obs.neighbours[0].cnt, 3);
	observation_release(&obs);
}

static void the_largest_are_kept(void **state)
{
	struct observation obs;
	char comm[WIRE_COMM_BYTES];

	(void)state;
	observation_init(&obs);
	for (int i = 1; i <= NEIGHBOURS_KEPT + 3; i++) {
		snprintf(comm, sizeof(comm), "n%d", i);
		add(&obs, comm, (uint64_t)i);
	}
	neighbours_divide(&obs, 91);
	assert_int_equal(obs.neighbour_cnt, NEIGHBOURS_KEPT);
	assert_int_equal(obs.neighbours[0].queue_ns, NEIGHBOURS_KEPT + 3);
	assert_int_equal(obs.neighbours[NEIGHBOURS_KEPT - 1].queue_ns, 4);
	observation_release(&obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_is_divided_in_proportion),
		cmocka_unit_test(too_little_known_names_nobody),
		cmocka_unit_test(nothing_waited_for_is_nothing),
		cmocka_unit_test(names_end_at_their_nul),
		cmocka_unit_test(the_largest_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
