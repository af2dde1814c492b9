/* Predictions: what they hold against closed forms, what they leave out, and what is chosen. The
 * observations are regular, so that the truth is a line of arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define PID    10
#define SERVER .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443"

/* A program of one thread: @cnt rounds of computing and waiting for @reason. */
struct rounds {
	const char *exe;
	uint64_t cnt, computing_ms, waiting_ms;
	enum wait_reason reason;
	uint32_t cpus;
};

static void build_rounds(struct observation *obs, const struct rounds *rounds)
{
	uint64_t round_ms = rounds->computing_ms + rounds->waiting_ms, seed = 1;
	const struct stretch stretch = {
		.ms = rounds->cnt * round_ms,
		.round_ms = (uint32_t)round_ms,
		.cpu_pct = (uint32_t)(100 * rounds->computing_ms / round_ms),
		.reason = rounds->reason,
	};

	build_observation(obs, stretch.ms, 0, 0, rounds->cpus);
	build_process(obs, PID, rounds->exe)->is_exec = true;
	build_thread(obs, PID, PID, 0);
	WAITED(obs, PID, .reason = WAIT_NETWORK, SERVER);
	WAITED(obs, PID, .reason = WAIT_DISK, .kind = OBJECT_FILE, .name = "/data/x");
	build_timeline(obs, PID, &stretch, 1, true, &seed);
}

static struct report report_of(const struct rounds *rounds)
{
	struct observation obs;
	struct report report;

	build_rounds(&obs, rounds);
	build_report(&obs, &report);
	return report;
}

static const struct report_prediction *find(const struct report *report,
					    enum concurrency_model model)
{
	for (size_t i = 0; i < report->prediction_cnt; i++)
		if (report->predictions[i].model == model)
			return &report->predictions[i];
	return NULL;
}

static double at(const struct report_prediction *prediction, uint32_t workers)
{
	for (size_t i = 0; i < prediction->curve_cnt; i++)
		if (prediction->curve[i].workers == workers)
			return prediction->curve[i].speedup;
	fail_msg("no point for %u workers", workers);
	return 0;
}

static void assert_near(double value, double expected, double part)
{
	if (value < expected * (1 - part) || value > expected * (1 + part))
		fail_msg("%g is not within %g%% of %g", value, 100 * part, expected);
}

static void every_prediction_is_sound(void **state)
{
	struct report report = report_of(&(struct rounds){ PYTHON, 100, 2, 18, WAIT_NETWORK, 2 });

	(void)state;
	assert_int_equal(report.prediction_cnt, 3);
	for (size_t i = 0; i < report.prediction_cnt; i++) {
		const struct report_prediction *prediction = &report.predictions[i];

		assert_true(prediction->speedup_low <= prediction->speedup_expected);
		assert_true(prediction->speedup_expected <= prediction->speedup_high);
		assert_true(prediction->assumption_cnt > 0);
		assert_true(at(prediction, prediction->workers) == prediction->speedup_expected);
		for (size_t n = 1; n < prediction->curve_cnt; n++)
			assert_true(prediction->curve[n - 1].workers <
				    prediction->curve[n].workers);
		assert_near(at(prediction, 1), 1, 0.05);
	}
	report_release(&report);
}

/* Waits overlap until one thread computes all the time: min(N, (C + W) / C). */
static void waits_overlap_up_to_the_lock(void **state)
{
	struct report report = report_of(&(struct rounds){ PYTHON, 400, 2, 18, WAIT_NETWORK, 2 });
	const struct report_prediction *threads = find(&report, MODEL_THREADS);

	(void)state;
	assert_near(at(threads, 4), 4, 0.05);
	assert_near(at(threads, 16), 10, 0.10);
	assert_string_equal(threads->bottleneck, "gil");
	report_release(&report);
}

/* Half of it computing: threads get to twice the speed under the lock, processes on two CPUs
 * further. */
static void processes_compute_beside_each_other(void **state)
{
	struct report report = report_of(&(struct rounds){ PYTHON, 100, 10, 10, WAIT_NETWORK, 2 });

	(void)state;
	assert_near(find(&report, MODEL_THREADS)->speedup_expected, 2, 0.10);
	assert_near(find(&report, MODEL_MULTIPROCESSING)->speedup_expected, 3.6, 0.15);
	assert_int_equal(report.recommendation.model, MODEL_MULTIPROCESSING);
	report_release(&report);
}

/* Amdahl: what is done once, before the first wait, no model spreads. */
static void the_start_is_not_spread(void **state)
{
	const struct rounds rounds = { "/bin/a", 100, 1, 9, WAIT_NETWORK, 2 };
	struct report plain = report_of(&rounds), late;
	struct observation obs;

	(void)state;
	build_rounds(&obs, &rounds);
	/* The first operation's computing takes 99 ms more, as if it loaded something before. */
	for (size_t i = 0; i < obs.segment_cnt; i++) {
		obs.segments[i].start_ns += i ? 99 * MS : 0;
		obs.segments[i].end_ns += 99 * MS;
	}
	obs.segments[0].on_cpu_ns += 99 * MS;
	obs.threads[0].on_cpu_ns += 99 * MS;
	obs.threads[0].end_ns += 99 * MS;
	obs.program.computing_ns += 99 * MS;
	obs.duration_ns += 99 * MS;
	obs.processes[0].end_ns += 99 * MS;
	build_report(&obs, &late);
	assert_near(at(find(&plain, MODEL_THREADS), 10), 10, 0.10);
	assert_near(at(find(&late, MODEL_THREADS), 10), 1100. / (100 + 1000. / 10), 0.10);
	report_release(&plain);
	report_release(&late);
}

/* Of samples that saw the thread compute, few saw it hold the lock: native code lets go of it. */
static void samples_tell_what_the_lock_is_needed_for(void **state)
{
	static const struct {
		uint64_t held, copying;
		enum concurrency_model model;
	} cases[] = { { 0, 0, MODEL_THREADS },
		      { 100, 0, MODEL_MULTIPROCESSING },
		      { 0, 90, MODEL_MULTIPROCESSING } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct rounds rounds = { PYTHON, 100, 10, 0, WAIT_DISK, 2 };
		struct observation obs;
		struct report report;

		build_rounds(&obs, &rounds);
		obs.threads[0].gil_sample_cnt = 100;
		obs.threads[0].gil_held_sample_cnt = cases[i].held;
		obs.threads[0].sample_cnt = 100;
		obs.threads[0].io_sample_cnt = cases[i].copying;
		build_report(&obs, &report);
		assert_int_equal(report.recommendation.model, cases[i].model);
		assert_int_equal(report.recommendation.workers, 2);
		assert_near(find(&report, cases[i].model)->speedup_expected, 1.84, 0.05);
		report_release(&report);
	}
}

/* A far end on this host that computes all the while it is waited for needs the same CPUs. */
static void a_far_end_beside_it_is_no_delay(void **state)
{
	const struct rounds rounds = { "/bin/a", 100, 1, 9, WAIT_NETWORK, 2 };
	struct obs_far_end *far_end;
	struct observation obs;
	struct report report;

	(void)state;
	build_rounds(&obs, &rounds);
	far_end = observation_add_far_end(&obs);
	far_end->name = "postgres[7]";
	far_end->cpu_ns = 900 * MS;
	far_end->thread_cnt = 4;
	build_report(&obs, &report);
	assert_true(find(&report, MODEL_THREADS)->speedup_expected <= 2);
	assert_string_equal(find(&report, MODEL_THREADS)->bottleneck, "cpu");
	report_release(&report);
}

/* One that serves alone can't be asked for several at once; one that forks for each can. */
static void a_far_end_of_one_thread_is_a_queue(void **state)
{
	const struct rounds rounds = { "/bin/a", 100, 1, 9, WAIT_NETWORK, 4 };
	double speedups[2] = { 0 };

	(void)state;
	for (int is_alone = 0; is_alone < 2; is_alone++) {
		struct obs_far_end *far_end;
		struct observation obs;
		struct report report;

		build_rounds(&obs, &rounds);
		far_end = observation_add_far_end(&obs);
		far_end->name = "server[7]";
		far_end->cpu_ns = 900 * MS;
		far_end->thread_cnt = 1;
		far_end->is_one_thread = is_alone;
		build_report(&obs, &report);
		for (size_t i = 0; i < report.prediction_cnt; i++)
			if (report.predictions[i].model == MODEL_THREADS)
				speedups[is_alone] = report.predictions[i].speedup_expected;
		report_release(&report);
	}
	assert_true(speedups[0] >= 2.5 && speedups[0] <= 4);
	assert_true(speedups[1] > 0 && speedups[1] <= 1.2);
}

/* A second of waiting for one beside short requests: no pool is done before that. */
static void the_longest_operation_is_the_least(void **state)
{
	const struct stretch stretches[] = {
		{ 1000, 10, 10, 0, WAIT_NETWORK },
		{ 1000, 1000, 1, 0, WAIT_NETWORK },
		{ 1000, 10, 10, 0, WAIT_NETWORK },
	};
	struct observation obs;
	struct report report;
	uint64_t seed = 1;

	(void)state;
	build_observation(&obs, 3000, 0, 0, 2);
	build_process(&obs, PID, PYTHON);
	build_thread(&obs, PID, PID, 0);
	WAITED(&obs, PID, .reason = WAIT_NETWORK, SERVER);
	build_timeline(&obs, PID, stretches, 3, true, &seed);
	build_report(&obs, &report);
	assert_true(report.prediction_cnt > 0);
	for (size_t i = 0; i < report.prediction_cnt; i++)
		assert_true(report.predictions[i].speedup_expected <= 3.1);
	report_release(&report);
}

/* Very many operations are sampled, and the sample says the same. */
static void a_sample_stands_for_all(void **state)
{
	struct report few = report_of(&(struct rounds){ PYTHON, 900, 1, 4, WAIT_NETWORK, 2 });
	struct report many = report_of(&(struct rounds){ PYTHON, 9000, 1, 4, WAIT_NETWORK, 2 });

	(void)state;
	assert_near(at(find(&many, MODEL_THREADS), 4), at(find(&few, MODEL_THREADS), 4), 0.03);
	assert_near(at(find(&many, MODEL_THREADS), 16), at(find(&few, MODEL_THREADS), 16), 0.03);
	report_release(&few);
	report_release(&many);
}

static void the_same_run_gives_the_same_numbers(void **state)
{
	const struct rounds rounds = { PYTHON, 50, 3, 10, WAIT_NETWORK, 2 };
	struct report one = report_of(&rounds), other = report_of(&rounds);

	(void)state;
	assert_int_equal(one.prediction_cnt, other.prediction_cnt);
	for (size_t i = 0; i < one.prediction_cnt; i++) {
		assert_true(one.predictions[i].speedup_low == other.predictions[i].speedup_low);
		assert_true(one.predictions[i].speedup_expected ==
			    other.predictions[i].speedup_expected);
		assert_true(one.predictions[i].speedup_high == other.predictions[i].speedup_high);
	}
	report_release(&one);
	report_release(&other);
}

/* Threads that queue for one lock most of the time gain nothing by being more. */
static void a_lock_of_its_own_is_not_overcome(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 1000, 0, 4);
	build_process(&obs, PID, "/bin/a");
	for (pid_t tid = PID; tid < PID + 4; tid++) {
		build_thread(&obs, PID, tid, 260);
		WAITED(&obs, tid, .reason = WAIT_LOCK, .ms = 740, .cnt = 100, .kind = OBJECT_MUTEX,
		       .name = "0x7f", .by_tree = true);
	}
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_LOCK_BOUND);
	assert_non_null(find(&report, MODEL_THREADS));
	assert_true(find(&report, MODEL_THREADS)->speedup_high < 1.15);
	report_release(&report);
}

/* Where the run shows no limit of the program's own, nothing is promised. */
static void programs_at_rest_have_none(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 300, 0, 2);
	build_process(&obs, PID, PYTHON)->listening_cnt = 1;
	build_thread(&obs, PID, PID, 300);
	WAITED(&obs, PID, .reason = WAIT_ACCEPT, .ms = 700, .cnt = 100, .quiet_ms = 700);
	build_report(&obs, &report);
	assert_int_equal(report.prediction_cnt, 0);
	report_release(&report);
}

/* A thread that computes as long as the main one waits is not so much work to be done. */
static void computing_in_the_background_is_no_amount(void **state)
{
	static const uint64_t joined_ms[] = { 0, 900 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct observation obs;
		struct report report;

		build_observation(&obs, 1000, 1000, 0, 2);
		build_process(&obs, PID, PYTHON);
		build_thread(&obs, PID, PID, 50);
		WAITED(&obs, PID, .reason = WAIT_NETWORK, .ms = 950 - joined_ms[i], .cnt = 19,
		       SERVER);
		WAITED(&obs, PID, .reason = WAIT_SYNC, .ms = joined_ms[i], .by_tree = true);
		build_thread(&obs, PID, PID + 1, 1000);
		build_report(&obs, &report);
		assert_int_equal(report.verdict.verdict_class, CLASS_CPU_BOUND);
		if (joined_ms[i]) {
			assert_int_equal(report.recommendation.action, ACTION_CHANGE);
		} else {
			assert_int_equal(report.prediction_cnt, 0);
			assert_int_equal(report.recommendation.action, ACTION_KEEP);
		}
		report_release(&report);
	}
}

/* A database's file and its journal are synced by one writer at a time. */
static void syncing_the_same_files_is_not_overlapped(void **state)
{
	static const char *const names[] = { "/d/rows.db", "/d/rows.db-journal" };
	struct report report[2];

	(void)state;
	for (int several = 0; several < 2; several++) {
		struct observation obs;

		build_observation(&obs, 1000, 100, 0, 2);
		build_process(&obs, PID, PYTHON);
		build_thread(&obs, PID, PID, 100);
		for (uint64_t i = 0; i < 10; i++)
			WAITED(&obs, PID, .reason = WAIT_DISK, .ms = 90, .cnt = 20, .quiet_ms = 90,
			       .kind = OBJECT_FILE, .operation = OPERATION_SYNC,
			       .name = several ? "/d/many" : names[i % 2]);
		if (!several)
			for (size_t i = 2; i < obs.wait_cnt; i++) {
				obs.waits[i % 2].wait_cnt += obs.waits[i].wait_cnt;
				obs.waits[i].wait_cnt = 0;
			}
		build_report(&obs, &report[several]);
	}
	assert_int_equal(report[0].recommendation.action, ACTION_KEEP);
	for (size_t i = 0; i < report[0].prediction_cnt; i++)
		assert_true(report[0].predictions[i].speedup_expected <= 1);
	assert_int_equal(report[1].recommendation.model, MODEL_THREADS);
	report_release(&report[0]);
	report_release(&report[1]);
}

/* Who reads a pipe gets what is written, when it is written. */
static void a_pipe_is_as_fast_as_its_writer(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 400, 0, 2);
	build_process(&obs, PID, PYTHON);
	build_thread(&obs, PID, PID, 400);
	WAITED(&obs, PID, .reason = WAIT_IPC, .ms = 600, .cnt = 200, .quiet_ms = 600,
	       .kind = OBJECT_PIPE, .name = "pipe:[7]");
	build_report(&obs, &report);
	assert_int_equal(report.prediction_cnt, 0);
	assert_int_equal(report.recommendation.action, ACTION_KEEP);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prediction_is_sound),
		cmocka_unit_test(waits_overlap_up_to_the_lock),
		cmocka_unit_test(processes_compute_beside_each_other),
		cmocka_unit_test(the_start_is_not_spread),
		cmocka_unit_test(samples_tell_what_the_lock_is_needed_for),
		cmocka_unit_test(a_far_end_beside_it_is_no_delay),
		cmocka_unit_test(a_far_end_of_one_thread_is_a_queue),
		cmocka_unit_test(the_longest_operation_is_the_least),
		cmocka_unit_test(a_sample_stands_for_all),
		cmocka_unit_test(the_same_run_gives_the_same_numbers),
		cmocka_unit_test(a_lock_of_its_own_is_not_overcome),
		cmocka_unit_test(programs_at_rest_have_none),
		cmocka_unit_test(computing_in_the_background_is_no_amount),
		cmocka_unit_test(syncing_the_same_files_is_not_overlapped),
		cmocka_unit_test(a_pipe_is_as_fast_as_its_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
