/* Whose a sample is: the thread's that had the CPU when it fell due, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What sample_clock.bpf.h takes from the kernel and from the probes' side. */
#define CLASSIFY_TASK_BPF_H
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define SEC(name)
#define __uint(name, value)		   int(*name)[value]
#define __type(name, of)		   __typeof__(of) *name
#define BPF_MAP_TYPE_PERCPU_ARRAY	   1
#define bpf_core_field_exists(...)	   true
#define BPF_CORE_READ(from, pointer, path) ((from)->pointer->path)
#define bpf_map_lookup_elem(map, key)	   ((void)(map), (void)(key), (void *)here)
typedef uint64_t u64;
typedef uint32_t u32;
struct perf_event {
	struct {
		struct {
			struct {
				u64 expires;
			} node;
		} hrtimer;
		u64 sample_period;
	} hw;
};
struct bpf_perf_event_data_kern {
	struct perf_event *event;
};
struct thread_ctx {
	u64 stamp_ns;
	u64 lead_ns;
};
static u64 here[2]; /* room for the struct sample_clock of the one CPU */
#include "ebpf/sample_clock.bpf.h"

_Static_assert(sizeof(struct sample_clock) <= sizeof(here), "no room");

#define PERIOD 100

static int begin(void **state)
{
	(void)state;
	here[0] = here[1] = 0;
	return 0;
}

static u64 next_due(void)
{
	return ((const struct sample_clock *)here)->due_ns;
}

/* The sample that was due at @due comes at @now. */
static u64 tick(u64 due, u64 now)
{
	struct perf_event event = { .hw = { .hrtimer = { .node = { due } },
					    .sample_period = PERIOD } };
	struct bpf_perf_event_data_kern context = { &event };

	return sample_clock_tick(&context, now);
}

/* A thread that came onto its CPU at @since, and its account by @lead before, leaves it at @now. */
static bool takes(u64 since, u64 lead, u64 now)
{
	struct thread_ctx thread = { .stamp_ns = since, .lead_ns = lead };

	return sample_clock_take(&thread, now);
}

static void nothing_is_due_before_the_first_sample(void **state)
{
	(void)state;
	assert_false(takes(10, 0, 5000));
}

static void a_sample_says_when_it_was_due_and_the_next_one_is(void **state)
{
	(void)state;
	assert_int_equal(tick(1000, 1003), 1000);
	assert_int_equal(next_due(), 1100);
	assert_int_equal(tick(1100, 1100), 1100);
	assert_int_equal(next_due(), 1200);
}

static void samples_that_the_clock_missed_are_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(tick(1000, 1350), 1000);
	assert_int_equal(next_due(), 1400);
}

static void who_leaves_takes_what_is_due_and_it_counts_once(void **state)
{
	(void)state;
	tick(1000, 1000);
	assert_false(takes(1010, 0, 1099));
	assert_true(takes(1010, 0, 1102));
	assert_false(takes(1010, 0, 1103));
	assert_int_equal(tick(1100, 1105), 0);
	assert_int_equal(tick(1200, 1201), 1200);
}

static void what_was_due_before_it_came_is_left(void **state)
{
	(void)state;
	tick(1000, 1000);
	assert_false(takes(1101, 0, 1103));
	assert_int_equal(tick(1100, 1105), 1100);
}

/* By the kernel's account it had the CPU a little before it was seen to get it. */
static void the_lead_of_its_account_is_its_time(void **state)
{
	(void)state;
	tick(1000, 1000);
	assert_true(takes(1102, 3, 1104));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_due_before_the_first_sample, begin),
		cmocka_unit_test_setup(a_sample_says_when_it_was_due_and_the_next_one_is, begin),
		cmocka_unit_test_setup(samples_that_the_clock_missed_are_not_waited_for, begin),
		cmocka_unit_test_setup(who_leaves_takes_what_is_due_and_it_counts_once, begin),
		cmocka_unit_test_setup(what_was_due_before_it_came_is_left, begin),
		cmocka_unit_test_setup(the_lead_of_its_account_is_its_time, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
