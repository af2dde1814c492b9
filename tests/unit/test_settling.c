/* When looks at a run that goes on are enough: what agrees, for how long, and what keeps a verdict
 * from being settled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "decide/settling.h"
#include "observation_builder.h"

static const struct report steady = {
	.duration_ns = 1000 * MS,
	.verdict = { .verdict_class = CLASS_IO_BOUND, .subclass = "network", .is_clear = true },
	.concurrency = { .current = MODEL_SYNC },
	.recommendation = { .model = MODEL_THREADS, .action = ACTION_CHANGE },
};

/* Looks at @report every 250 ms from @from_ms to @to_ms. */
static void look(struct settling *settling, struct report report, uint64_t from_ms, uint64_t to_ms)
{
	for (uint64_t at_ms = from_ms; at_ms <= to_ms; at_ms += 250) {
		report.duration_ns = at_ms * MS;
		settling_look(settling, &report);
	}
}

static bool settles(struct report report, uint64_t until_ms)
{
	struct settling settling = { 0 };

	look(&settling, report, 1000, until_ms);
	return !settling_lacks(&settling);
}

static void a_steady_verdict_settles_in_two_seconds(void **state)
{
	struct settling settling = { 0 };

	(void)state;
	assert_non_null(settling_lacks(&settling));
	look(&settling, steady, 1000, 1750);
	assert_non_null(settling_lacks(&settling));
	look(&settling, steady, 2000, 2000);
	assert_null(settling_lacks(&settling));
}

/* However far apart: two looks that agree are no proof. */
static void few_looks_are_not_enough(void **state)
{
	struct settling settling = { 0 };

	(void)state;
	look(&settling, steady, 1000, 1000);
	look(&settling, steady, 5000, 5000);
	assert_non_null(settling_lacks(&settling));
}

static void whatever_changes_begins_anew(void **state)
{
	struct report others[] = { steady, steady, steady, steady, steady };

	(void)state;
	others[0].verdict.verdict_class = CLASS_MIXED;
	others[1].verdict.subclass = "disk";
	others[2].concurrency.current = MODEL_ASYNC;
	others[3].recommendation.model = MODEL_ASYNC;
	others[4].recommendation.action = ACTION_KEEP;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct settling settling = { 0 };

		look(&settling, steady, 1000, 1750);
		look(&settling, others[i], 2000, 2000);
		look(&settling, steady, 2250, 3000);
		assert_non_null(settling_lacks(&settling));
		look(&settling, steady, 3250, 3250);
		assert_null(settling_lacks(&settling));
	}
}

static void an_idle_program_is_given_time(void **state)
{
	struct report idle = steady;

	(void)state;
	idle.verdict.verdict_class = CLASS_IDLE;
	assert_false(settles(idle, 4750));
	assert_true(settles(idle, 5000));
}

static void what_is_in_doubt_does_not_settle(void **state)
{
	struct report near = steady, lossy = steady, thin = steady;

	(void)state;
	near.verdict.is_clear = false;
	lossy.lost_events = 1;
	thin.verdict.verdict_class = CLASS_INCONCLUSIVE;
	assert_false(settles(near, 20000));
	assert_false(settles(lossy, 20000));
	assert_false(settles(thin, 20000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_verdict_settles_in_two_seconds),
		cmocka_unit_test(few_looks_are_not_enough),
		cmocka_unit_test(whatever_changes_begins_anew),
		cmocka_unit_test(an_idle_program_is_given_time),
		cmocka_unit_test(what_is_in_doubt_does_not_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
