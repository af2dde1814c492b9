/* A run is cut where its behaviour changes, and nowhere else; each phase is judged by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define PID	   10
#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t length_ms(const struct stretch *stretches, size_t cnt)
{
	uint64_t ms = 0;

	for (size_t i = 0; i < cnt; i++)
		ms += stretches[i].ms;
	return ms;
}

/* Rows for what the main thread may wait for: an API, a file, a pause, work, others of the tree. */
static void add_rows(struct observation *obs)
{
	WAITED(obs, PID, .reason = WAIT_NETWORK, .kind = OBJECT_TCP,
	       .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443");
	WAITED(obs, PID, .reason = WAIT_DISK, .kind = OBJECT_FILE, .name = "/data/x");
	WAITED(obs, PID, .reason = WAIT_TIMER, .timed_out = true);
	WAITED(obs, PID, .reason = WAIT_ACCEPT, .kind = OBJECT_TCP,
	       .direction = DIRECTION_LISTENING, .name = "0.0.0.0:80");
	WAITED(obs, PID, .reason = WAIT_SYNC, .kind = OBJECT_CONDITION, .by_tree = true);
}

static void build_program(struct observation *obs, const struct stretch *stretches, size_t cnt,
			  uint64_t seed)
{
	build_observation(obs, length_ms(stretches, cnt), 0, 0, 2);
	build_process(obs, PID, PYTHON);
	build_thread(obs, PID, PID, 0);
	add_rows(obs);
	build_timeline(obs, PID, stretches, cnt, true, &seed);
	obs->target.pid = PID;
	obs->target.has_exited = true;
}

static void report_on(const struct stretch *stretches, size_t cnt, uint64_t seed,
		      struct report *report)
{
	struct observation obs;

	build_program(&obs, stretches, cnt, seed);
	build_report(&obs, report);
}

static void assert_phase(const struct report_phase *phase, const char *name,
			 enum verdict_class verdict_class, uint64_t end_ms)
{
	assert_string_equal(phase->name, name);
	assert_int_equal(phase->verdict_class, verdict_class);
	assert_in_range(phase->end_ns / MS, end_ms - end_ms / 50 - 10, end_ms + end_ms / 50 + 10);
}

static void loading_and_computing_are_two_phases(void **state)
{
	static const struct stretch stretches[] = {
		{ 1000, 50, 5, 50, WAIT_NETWORK },
		{ 1000, 50, 98, 2, WAIT_DISK },
	};
	struct report report;

	(void)state;
	report_on(stretches, CNT(stretches), 1, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_MIXED);
	assert_int_equal(report.phase_cnt, 2);
	assert_phase(&report.phases[0], "phase 1", CLASS_IO_BOUND, 1000);
	assert_phase(&report.phases[1], "phase 2", CLASS_CPU_BOUND, 2000);
	assert_string_equal(report.phases[0].subclass, "network");
	assert_non_null(strstr(report.phases[0].summary, "waited for the network (9"));
	assert_int_equal(report.phases[0].recommendation.action, ACTION_CHANGE);
	assert_int_equal(report.phases[0].recommendation.model, MODEL_THREADS);
	assert_int_equal(report.phases[1].recommendation.action, ACTION_CHANGE);
	assert_int_equal(report.phases[1].recommendation.model, MODEL_MULTIPROCESSING);
	report_release(&report);
}

/* What the averages of two phases call for fits neither. */
static void the_phase_that_gains_most_is_advised(void **state)
{
	static const struct stretch stretches[] = {
		{ 1200, 50, 5, 50, WAIT_NETWORK },
		{ 1000, 50, 98, 2, WAIT_DISK },
	};
	struct report report;
	const struct report_phase *loading;

	(void)state;
	report_on(stretches, CNT(stretches), 1, &report);
	loading = &report.phases[0];
	assert_int_equal(report.verdict.verdict_class, CLASS_MIXED);
	assert_non_null(strstr(report.verdict.summary, "It first waits for the network (55%"));
	assert_non_null(strstr(report.verdict.summary, "then computes (45%"));
	assert_int_equal(report.recommendation.model, MODEL_THREADS);
	assert_int_equal(report.recommendation.workers, loading->recommendation.workers);
	assert_non_null(strstr(report.recommendation.scope, "phase 1, which waits for the net"));
	assert_non_null(strstr(report.recommendation.reasons[1], "Phase 2, which computes"));
	/* However fast the phase gets, the rest takes as long as before. */
	assert_int_equal(report.prediction_cnt, loading->prediction_cnt);
	assert_true(report.prediction_cnt > 0);
	for (size_t i = 0; i < report.prediction_cnt; i++) {
		assert_true(report.predictions[i].speedup_high < 2.3);
		if (loading->predictions[i].speedup_expected > 1)
			assert_true(report.predictions[i].speedup_expected <
				    loading->predictions[i].speedup_expected);
	}
	report_release(&report);
}

/* What is no evidence for the run is none for a part of it. */
static void parts_prove_nothing_that_the_whole_does_not(void **state)
{
	static const struct stretch stretches[] = {
		{ 1200, 50, 5, 50, WAIT_NETWORK },
		{ 1000, 50, 98, 2, WAIT_DISK },
	};
	struct observation obs;
	struct report report;

	(void)state;
	build_program(&obs, stretches, CNT(stretches), 1);
	obs.quality.lost_events = 10000;
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_INCONCLUSIVE);
	assert_int_equal(report.recommendation.action, ACTION_MEASURE_AGAIN);
	assert_null(report.recommendation.scope);
	report_release(&report);
}

static void steady_programs_are_advised_as_a_whole(void **state)
{
	static const struct stretch steady = { 2000, 120, 4, 80, WAIT_NETWORK };
	struct report report;

	(void)state;
	report_on(&steady, 1, 1, &report);
	assert_null(report.recommendation.scope);
	report_release(&report);
}

static void start_and_end_have_their_names(void **state)
{
	static const struct stretch stretches[] = {
		{ 400, 50, 96, 4, WAIT_DISK },
		{ 2500, 50, 5, 50, WAIT_NETWORK },
		{ 380, 50, 96, 4, WAIT_DISK },
	};
	struct report report;

	(void)state;
	report_on(stretches, CNT(stretches), 1, &report);
	assert_int_equal(report.phase_cnt, 3);
	assert_phase(&report.phases[0], "start-up", CLASS_CPU_BOUND, 400);
	assert_phase(&report.phases[1], "run", CLASS_IO_BOUND, 2900);
	assert_phase(&report.phases[2], "shut-down", CLASS_CPU_BOUND, 3280);
	report_release(&report);
}

/* Few long pieces: their changes are no noise. */
static void four_phases_are_four(void **state)
{
	static const struct stretch stretches[] = {
		{ 1000, 50, 10, 50, WAIT_ACCEPT },
		{ 1000, 50, 5, 50, WAIT_NETWORK },
		{ 1300, 50, 98, 2, WAIT_DISK },
		{ 1000, 50, 0, 0, WAIT_TIMER },
	};
	struct report report;

	(void)state;
	report_on(stretches, CNT(stretches), 1, &report);
	assert_int_equal(report.phase_cnt, 4);
	assert_phase(&report.phases[1], "phase 2", CLASS_IO_BOUND, 2000);
	assert_phase(&report.phases[2], "phase 3", CLASS_CPU_BOUND, 3300);
	assert_phase(&report.phases[3], "phase 4", CLASS_TIMER_BOUND, 4300);
	report_release(&report);
}

static void who_is_attached_to_was_not_seen_to_start(void **state)
{
	static const struct stretch stretches[] = {
		{ 400, 50, 96, 4, WAIT_DISK },
		{ 3000, 50, 5, 50, WAIT_NETWORK },
	};
	struct observation obs;
	struct report report;

	(void)state;
	build_program(&obs, stretches, CNT(stretches), 1);
	obs.target.mode = TARGET_ATTACH;
	build_report(&obs, &report);
	assert_int_equal(report.phase_cnt, 2);
	assert_string_equal(report.phases[0].name, "phase 1");
	report_release(&report);
}

/* Less than a tenth of the run is not worth a phase. */
static void a_moment_is_no_phase(void **state)
{
	static const struct stretch stretches[] = {
		{ 300, 50, 96, 4, WAIT_DISK },
		{ 4000, 50, 5, 50, WAIT_NETWORK },
	};
	struct report report;

	(void)state;
	report_on(stretches, CNT(stretches), 1, &report);
	assert_int_equal(report.phase_cnt, 1);
	report_release(&report);
}

/* However it is mixed of computing and waiting, in rounds short and long. */
static void a_steady_program_has_one_phase(void **state)
{
	static const struct stretch steady[] = {
		{ 2000, 50, 98, 2, WAIT_DISK },	    { 2000, 120, 4, 80, WAIT_NETWORK },
		{ 2000, 20, 50, 90, WAIT_NETWORK }, { 4000, 200, 50, 60, WAIT_NETWORK },
		{ 5000, 7, 30, 95, WAIT_DISK },	    { 1500, 300, 10, 50, WAIT_TIMER },
		{ 3000, 40, 20, 90, WAIT_ACCEPT },  { 120, 10, 40, 90, WAIT_NETWORK },
	};

	(void)state;
	for (size_t i = 0; i < CNT(steady); i++)
		for (uint64_t seed = 1; seed <= 25; seed++) {
			struct report report;

			report_on(&steady[i], 1, seed, &report);
			assert_int_equal(report.phase_cnt, 1);
			assert_string_equal(report.phases[0].name, "run");
			assert_int_equal(report.phases[0].verdict_class,
					 report.verdict.verdict_class);
			assert_string_equal(report.phases[0].summary, report.verdict.summary);
			report_release(&report);
		}
}

static void what_comes_back_is_one_phase(void **state)
{
	static const struct stretch stretches[] = {
		{ 500, 50, 5, 20, WAIT_NETWORK }, { 500, 50, 98, 2, WAIT_DISK },
		{ 500, 50, 5, 20, WAIT_NETWORK }, { 500, 50, 98, 2, WAIT_DISK },
		{ 500, 50, 5, 20, WAIT_NETWORK }, { 500, 50, 98, 2, WAIT_DISK },
	};
	struct report report;

	(void)state;
	report_on(stretches, CNT(stretches), 1, &report);
	assert_int_equal(report.phase_cnt, 1);
	report_release(&report);
}

static void kinds_of_waiting_are_kept_apart(void **state)
{
	static const struct stretch stretches[] = {
		{ 1000, 50, 10, 50, WAIT_DISK },
		{ 1000, 50, 10, 50, WAIT_NETWORK },
		{ 1000, 50, 5, 50, WAIT_ACCEPT },
	};
	struct report report;

	(void)state;
	report_on(stretches, CNT(stretches), 1, &report);
	assert_int_equal(report.phase_cnt, 3);
	assert_string_equal(report.phases[0].subclass, "disk");
	assert_string_equal(report.phases[1].subclass, "network");
	assert_int_equal(report.phases[2].verdict_class, CLASS_IDLE);
	assert_in_range(report.phases[2].idle_ns / MS, 900, 980);
	report_release(&report);
}

/* Who waits for others all the time doesn't hide when the one that works changes what it does. */
static void waiting_threads_change_nothing(void **state)
{
	static const struct stretch work[] = {
		{ 1000, 50, 5, 50, WAIT_NETWORK },
		{ 1000, 50, 98, 2, WAIT_DISK },
	};
	static const struct stretch waiting[] = { { 2000, 500, 0, 50, WAIT_SYNC } };
	struct observation obs;
	struct report report;
	uint64_t seed = 5;

	(void)state;
	build_program(&obs, work, CNT(work), 1);
	for (pid_t tid = PID + 1; tid < PID + 20; tid++) {
		build_thread(&obs, PID, tid, 0);
		build_timeline(&obs, tid, waiting, CNT(waiting), false, &seed);
	}
	build_report(&obs, &report);
	assert_int_equal(report.phase_cnt, 2);
	assert_phase(&report.phases[0], "phase 1", CLASS_IO_BOUND, 1000);
	assert_phase(&report.phases[1], "phase 2", CLASS_CPU_BOUND, 2000);
	report_release(&report);
}

/* Of very many threads some have no segments: they are as good as spread over the run. */
static void threads_without_segments_are_there_too(void **state)
{
	static const struct stretch work[] = {
		{ 1000, 50, 5, 50, WAIT_NETWORK },
		{ 1000, 50, 98, 2, WAIT_DISK },
	};
	struct observation obs;
	struct report report;

	(void)state;
	build_program(&obs, work, CNT(work), 1);
	for (pid_t tid = PID + 1; tid < PID + 9; tid++) {
		build_thread(&obs, PID, tid, 0);
		WAITED(&obs, tid, .reason = WAIT_LOCK, .ms = 2000, .cnt = 500, .kind = OBJECT_MUTEX,
		       .name = "0x7f00", .by_tree = true);
	}
	build_report(&obs, &report);
	assert_int_equal(report.phase_cnt, 2);
	assert_int_equal(report.phases[0].verdict_class, CLASS_LOCK_BOUND);
	assert_int_equal(report.phases[1].verdict_class, CLASS_LOCK_BOUND);
	report_release(&report);
}

/* One CPU, then two: the class is the same, what it does isn't. */
static void a_serial_part_is_a_phase(void **state)
{
	static const struct stretch work[] = { { 2000, 50, 100, 0, WAIT_DISK } };
	static const struct stretch helper[] = { { 1200, 1200, 0, 0, WAIT_SYNC },
						 { 800, 50, 100, 0, WAIT_SYNC } };
	struct observation obs;
	struct report report;
	uint64_t seed = 5;

	(void)state;
	build_program(&obs, work, CNT(work), 1);
	build_thread(&obs, PID, PID + 1, 0);
	build_timeline(&obs, PID + 1, helper, CNT(helper), false, &seed);
	build_report(&obs, &report);
	assert_int_equal(report.phase_cnt, 2);
	assert_phase(&report.phases[0], "phase 1", CLASS_CPU_BOUND, 1200);
	assert_phase(&report.phases[1], "phase 2", CLASS_CPU_BOUND, 2000);
	report_release(&report);
}

/* It doesn't matter in which order threads come, or segments of different threads. */
static void the_order_of_threads_does_not_matter(void **state)
{
	static const struct stretch stretches[] = {
		{ 1000, 50, 5, 50, WAIT_NETWORK },
		{ 1000, 50, 98, 2, WAIT_DISK },
	};
	static const struct stretch waiting[] = { { 2000, 300, 1, 50, WAIT_SYNC } };
	struct report reports[2];

	(void)state;
	for (int order = 0; order < 2; order++) {
		struct observation obs;
		uint64_t seed = 3;

		build_program(&obs, stretches, CNT(stretches), 1);
		build_thread(&obs, PID, PID + 1, 0);
		build_timeline(&obs, PID + 1, waiting, CNT(waiting), false, &seed);
		if (order) { /* the other way round */
			struct obs_thread first = obs.threads[0];

			obs.threads[0] = obs.threads[1];
			obs.threads[1] = first;
			for (size_t i = 0; i < obs.segment_cnt; i++)
				obs.segments[i].thread = !obs.segments[i].thread;
		}
		build_report(&obs, &reports[order]);
	}
	assert_int_equal(reports[0].phase_cnt, reports[1].phase_cnt);
	for (size_t i = 0; i < reports[0].phase_cnt; i++) {
		assert_int_equal(reports[0].phases[i].end_ns, reports[1].phases[i].end_ns);
		assert_int_equal(reports[0].phases[i].computing_ns,
				 reports[1].phases[i].computing_ns);
		assert_string_equal(reports[0].phases[i].summary, reports[1].phases[i].summary);
	}
	report_release(&reports[0]);
	report_release(&reports[1]);
}

static void without_segments_there_is_one_phase(void **state)
{
	static const struct stretch stretches[] = {
		{ 1000, 50, 5, 50, WAIT_NETWORK },
		{ 1000, 50, 98, 2, WAIT_DISK },
	};
	struct observation obs;
	struct report report;

	(void)state;
	build_program(&obs, stretches, CNT(stretches), 1);
	obs.segment_cnt = 0;
	build_report(&obs, &report);
	assert_int_equal(report.phase_cnt, 1);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loading_and_computing_are_two_phases),
		cmocka_unit_test(the_phase_that_gains_most_is_advised),
		cmocka_unit_test(parts_prove_nothing_that_the_whole_does_not),
		cmocka_unit_test(steady_programs_are_advised_as_a_whole),
		cmocka_unit_test(start_and_end_have_their_names),
		cmocka_unit_test(four_phases_are_four),
		cmocka_unit_test(who_is_attached_to_was_not_seen_to_start),
		cmocka_unit_test(a_moment_is_no_phase),
		cmocka_unit_test(a_steady_program_has_one_phase),
		cmocka_unit_test(what_comes_back_is_one_phase),
		cmocka_unit_test(kinds_of_waiting_are_kept_apart),
		cmocka_unit_test(waiting_threads_change_nothing),
		cmocka_unit_test(threads_without_segments_are_there_too),
		cmocka_unit_test(a_serial_part_is_a_phase),
		cmocka_unit_test(the_order_of_threads_does_not_matter),
		cmocka_unit_test(without_segments_there_is_one_phase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
