/* Each rule of the verdict just below and just above its threshold, and what comes with a verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

/* Parts of 1000 ms of program time of one native thread; the rest is waited for a child's answer
 * that nobody knows (reason other). */
struct mix {
	uint64_t computing_ms;
	uint64_t starved_ms;
	uint64_t throttled_ms; /* of starved_ms */
	uint64_t network_ms;
	uint64_t disk_ms;
	uint64_t timer_ms;
	uint64_t idle_ms;
};

static void build_mix(struct observation *obs, const struct mix *mix)
{
	struct obs_thread *thread;

	build_observation(obs, 1000, mix->computing_ms, mix->starved_ms, 2);
	build_process(obs, 10, "/bin/a");
	thread = build_thread(obs, 10, 10, mix->computing_ms);
	thread->preempted_ns = (mix->starved_ms - mix->throttled_ms) * MS;
	thread->throttled_ns = mix->throttled_ms * MS;
	WAITED(obs, 10, .reason = WAIT_NETWORK, .ms = mix->network_ms, .quiet_ms = mix->network_ms,
	       .direction = DIRECTION_OUTBOUND);
	WAITED(obs, 10, .reason = WAIT_DISK, .ms = mix->disk_ms, .quiet_ms = mix->disk_ms);
	WAITED(obs, 10, .reason = WAIT_TIMER, .ms = mix->timer_ms, .quiet_ms = mix->timer_ms,
	       .timed_out = true);
	WAITED(obs, 10, .reason = WAIT_ACCEPT, .ms = mix->idle_ms, .quiet_ms = mix->idle_ms);
}

static struct report report_of(const struct mix *mix)
{
	struct observation obs;
	struct report report;

	build_mix(&obs, mix);
	build_report(&obs, &report);
	return report;
}

static void assert_class(enum verdict_class expected, struct mix mix)
{
	struct report report = report_of(&mix);

	assert_string_equal(verdict_class_name(report.verdict.verdict_class),
			    verdict_class_name(expected));
	report_release(&report);
}

#define assert_mix_is(expected, ...) assert_class(expected, (struct mix){ __VA_ARGS__ })

static void starving_is_told_beside_the_class(void **state)
{
	struct report report =
		report_of(&(struct mix){ .starved_ms = 200, .computing_ms = 700, .disk_ms = 100 });

	(void)state;
	assert_string_equal(report.verdict.summary,
			    "It computed for 70% of its busy time, on 1.00 of 2 CPUs; for 20% of "
			    "it, it was ready to run without a CPU.");
	report_release(&report);
}

static void what_never_waits_for_work_has_no_utilisation(void **state)
{
	struct report report = report_of(&(struct mix){ .computing_ms = 1000 });

	(void)state;
	assert_true(report.verdict.utilisation == -1);
	assert_string_equal(report.verdict.summary,
			    "It computed for 100% of its busy time, on 1.00 of 2 CPUs.");
	report_release(&report);
}

static void idle_from_90_percent(void **state)
{
	(void)state;
	assert_mix_is(CLASS_IDLE, .idle_ms = 901, .computing_ms = 99);
	assert_mix_is(CLASS_CPU_BOUND, .idle_ms = 899, .computing_ms = 101);
}

static void starved_from_60_percent(void **state)
{
	(void)state;
	assert_mix_is(CLASS_CPU_STARVED, .starved_ms = 601, .computing_ms = 399);
	assert_mix_is(CLASS_CPU_BOUND, .starved_ms = 599, .computing_ms = 401);
}

/* A server of short requests waits longer for its CPU to wake up than it computes. Nobody is to
 * blame for that; those who had the CPU for long are. */
static void waking_up_is_no_starving(void **state)
{
	static const struct {
		uint64_t neighbour_ms;
		enum verdict_class expected;
	} cases[] = { { 0, CLASS_CPU_BOUND }, { 20, CLASS_CPU_BOUND }, { 250, CLASS_CPU_STARVED } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct observation obs;
		struct report report;

		build_observation(&obs, 1000, 80, 320, 2);
		build_process(&obs, 10, "/bin/redis")->listening_cnt = 1;
		build_thread(&obs, 10, 10, 80);
		obs.threads[0].switch_cnt = 10000;
		obs.threads[0].run_queue_ns = 320 * MS;
		WAITED(&obs, 10, .reason = WAIT_ACCEPT, .ms = 600, .quiet_ms = 600, .cnt = 10000);
		if (cases[i].neighbour_ms) {
			struct obs_neighbour *neighbour = observation_add_neighbour(&obs);

			neighbour->comm = "make";
			neighbour->queue_ns = cases[i].neighbour_ms * MS;
			neighbour->cnt = 100;
		}
		build_report(&obs, &report);
		assert_string_equal(verdict_class_name(report.verdict.verdict_class),
				    verdict_class_name(cases[i].expected));
		report_release(&report);
	}
}

static void throttled_from_10_percent(void **state)
{
	struct report report = report_of(
		&(struct mix){ .starved_ms = 101, .throttled_ms = 101, .computing_ms = 899 });

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_CPU_STARVED);
	assert_string_equal(report.verdict.subclass, "throttled");
	report_release(&report);
	assert_mix_is(CLASS_CPU_BOUND, .starved_ms = 99, .throttled_ms = 99, .computing_ms = 901);
	/* A program that waits is not held back by a quota that bites when it computes. */
	assert_mix_is(CLASS_IO_BOUND, .starved_ms = 20, .throttled_ms = 20, .computing_ms = 80,
		      .network_ms = 900);
}

static void cpu_from_75_percent(void **state)
{
	(void)state;
	assert_mix_is(CLASS_CPU_BOUND, .computing_ms = 751, .network_ms = 249);
	assert_mix_is(CLASS_MIXED, .computing_ms = 749, .network_ms = 251);
}

static void io_from_65_percent(void **state)
{
	(void)state;
	assert_mix_is(CLASS_IO_BOUND, .network_ms = 651, .computing_ms = 349);
	assert_mix_is(CLASS_MIXED, .network_ms = 649, .computing_ms = 351);
	assert_mix_is(CLASS_IO_BOUND, .network_ms = 330, .disk_ms = 330, .computing_ms = 340);
}

static void timer_from_65_percent(void **state)
{
	(void)state;
	assert_mix_is(CLASS_TIMER_BOUND, .timer_ms = 651, .computing_ms = 349);
	assert_mix_is(CLASS_MIXED, .timer_ms = 649, .computing_ms = 351);
}

static void shares_are_of_busy_time(void **state)
{
	(void)state;
	assert_mix_is(CLASS_CPU_BOUND, .idle_ms = 500, .computing_ms = 380, .network_ms = 120);
	assert_mix_is(CLASS_IO_BOUND, .idle_ms = 500, .computing_ms = 120, .network_ms = 380);
}

/* The same program, undisturbed and with a third of its time spent waiting for others' CPU. */
static void a_busy_machine_shifts_no_verdict(void **state)
{
	(void)state;
	assert_mix_is(CLASS_CPU_BOUND, .computing_ms = 800, .network_ms = 200);
	assert_mix_is(CLASS_CPU_BOUND, .starved_ms = 330, .computing_ms = 536, .network_ms = 134);
	assert_mix_is(CLASS_IO_BOUND, .computing_ms = 300, .network_ms = 700);
	assert_mix_is(CLASS_IO_BOUND, .starved_ms = 330, .computing_ms = 201, .network_ms = 469);
}

static void quiet_of_unknown_cause_is_inconclusive(void **state)
{
	struct report report = report_of(&(struct mix){ .computing_ms = 400 });

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_INCONCLUSIVE);
	assert_int_equal(report.recommendation.action, ACTION_MEASURE_AGAIN);
	assert_true(report.verdict.confidence == 0);
	assert_non_null(strstr(report.verdict.summary, "Not enough evidence"));
	report_release(&report);
}

static void subclass_is_the_largest_io(void **state)
{
	struct report report =
		report_of(&(struct mix){ .network_ms = 300, .disk_ms = 600, .computing_ms = 100 });

	(void)state;
	assert_string_equal(report.verdict.subclass, "disk");
	report_release(&report);
}

static void borders_name_the_runner_up(void **state)
{
	struct report at_border =
		report_of(&(struct mix){ .computing_ms = 770, .network_ms = 230 });
	struct report far = report_of(&(struct mix){ .computing_ms = 990, .network_ms = 10 });

	(void)state;
	assert_true(at_border.verdict.has_runner_up);
	assert_int_equal(at_border.verdict.runner_up, CLASS_MIXED);
	assert_string_equal(at_border.verdict.would_win_if,
			    "if computing fell below 75% of the time it was not starved (now 77%)");
	assert_false(far.verdict.has_runner_up);
	assert_true(at_border.verdict.confidence < far.verdict.confidence - 0.2);
	report_release(&at_border);
	report_release(&far);
}

/* A run of 1000 ms that computes for @computing_ms in each of its first ten slices of 50 ms, and
 * for
 * @later_ms in the others; the rest is waited for the network. */
static struct report report_of_halves(uint64_t computing_ms, uint64_t later_ms)
{
	uint64_t sum_ms = 10 * (computing_ms + later_ms);
	struct observation obs;
	struct report report;

	build_mix(&obs, &(struct mix){ .computing_ms = sum_ms, .network_ms = 1000 - sum_ms });
	for (uint64_t i = 0; i < 20; i++) {
		struct obs_slice *slice = observation_add_slice(&obs);

		slice->start_ns = i * 50 * MS;
		slice->end_ns = slice->start_ns + 50 * MS;
		slice->computing_ns = (i < 10 ? computing_ms : later_ms) * MS;
	}
	build_report(&obs, &report);
	return report;
}

/* The same shares: what may well have been otherwise is said to. */
static void unsteady_runs_are_near_a_border(void **state)
{
	struct report steady = report_of_halves(9, 9), unsteady = report_of_halves(0, 18);
	struct report wild = report_of_halves(0, 28);

	(void)state;
	assert_int_equal(steady.verdict.verdict_class, CLASS_IO_BOUND);
	assert_int_equal(unsteady.verdict.verdict_class, CLASS_IO_BOUND);
	assert_false(steady.verdict.has_runner_up);
	assert_true(steady.verdict.is_clear);
	assert_true(unsteady.verdict.has_runner_up);
	assert_int_equal(unsteady.verdict.runner_up, CLASS_MIXED);
	assert_false(unsteady.verdict.is_clear);
	assert_true(unsteady.verdict.confidence < steady.verdict.confidence);
	assert_true(wild.verdict.confidence < unsteady.verdict.confidence);
	report_release(&steady);
	report_release(&unsteady);
	report_release(&wild);
}

/* A run in turns of random length, of @ms, that computes all of some slices of 50 ms and waits all
 * of others; its one thread has a segment for each turn. */
static struct report report_of_turns(uint64_t ms, const char *turns)
{
	uint64_t computing_ms = 0;
	struct observation obs;
	struct report report;

	for (const char *turn = turns; *turn; turn++)
		computing_ms += *turn == 'c' ? ms : 0;
	build_mix(&obs, &(struct mix){ .computing_ms = computing_ms,
				       .network_ms = strlen(turns) * ms - computing_ms });
	obs.duration_ns = obs.processes[0].end_ns = obs.threads[0].end_ns = strlen(turns) * ms * MS;
	obs.program.quiet_ns = obs.duration_ns - obs.program.computing_ns;
	for (const char *turn = turns; *turn; turn++) {
		uint64_t start_ns = (uint64_t)(turn - turns) * ms * MS;
		struct obs_slice *slice = observation_add_slice(&obs);
		struct obs_segment *segment = observation_add_segment(&obs);

		slice->start_ns = segment->start_ns = start_ns;
		slice->end_ns = segment->end_ns = start_ns + ms * MS;
		if (*turn == 'c')
			slice->computing_ns = segment->on_cpu_ns = ms * MS;
		else
			segment->wait_ns[WAIT_NETWORK] = ms * MS;
	}
	build_report(&obs, &report);
	return report;
}

/* More computing in one half and more waiting in the other, by chance: more of the same tells. What
 * is cut into phases is no chance. */
static void halves_that_disagree_are_no_evidence(void **state)
{
	struct report torn = report_of_turns(50, "ccwcccwccccwcccwwcwwwcwwcwwwcw");
	struct report phases = report_of_turns(50, "ccccccccccccccccwwwwwwwwwwwwww");
	struct report even = report_of_turns(50, "cwcwcwcwcwcwcwcwcwcwcwcwcwcwcw");

	(void)state;
	assert_int_equal(torn.verdict.verdict_class, CLASS_INCONCLUSIVE);
	assert_true(torn.verdict.confidence == 0);
	assert_int_equal(torn.recommendation.action, ACTION_MEASURE_AGAIN);
	assert_string_equal(torn.verdict.summary,
			    "Not enough evidence: its halves disagree, the first was cpu-bound and "
			    "the second io-bound.");
	assert_int_equal(phases.verdict.verdict_class, CLASS_MIXED);
	assert_int_equal(phases.phase_cnt, 2);
	assert_int_equal(even.verdict.verdict_class, CLASS_MIXED);
	report_release(&torn);
	report_release(&phases);
	report_release(&even);
}

/* A steady run is clear of a border that it is not far from; it is named all the same. */
static void steady_runs_near_a_border_are_clear_of_it(void **state)
{
	struct report report = report_of_halves(15, 15);

	(void)state;
	assert_true(report.verdict.has_runner_up);
	assert_true(report.verdict.is_clear);
	report_release(&report);
}

static void mixed_names_what_nearly_won(void **state)
{
	struct report report = report_of(&(struct mix){ .computing_ms = 380, .network_ms = 620 });

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_MIXED);
	assert_int_equal(report.verdict.runner_up, CLASS_IO_BOUND);
	assert_string_equal(
		report.verdict.would_win_if,
		"if waiting for results reached 65% of the time it was not starved (now 62%)");
	report_release(&report);
}

static void starved_names_what_it_would_be(void **state)
{
	struct report report = report_of(&(struct mix){ .starved_ms = 650, .computing_ms = 350 });

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_CPU_STARVED);
	assert_true(report.verdict.has_runner_up);
	assert_int_equal(report.verdict.runner_up, CLASS_CPU_BOUND);
	report_release(&report);
}

/* Others may take more of the CPUs at any moment. */
static void notably_starved_may_be_starved(void **state)
{
	struct report report = report_of(
		&(struct mix){ .starved_ms = 420, .network_ms = 560, .computing_ms = 20 });

	(void)state;
	assert_int_equal(report.verdict.verdict_class, CLASS_IO_BOUND);
	assert_true(report.verdict.has_runner_up);
	assert_int_equal(report.verdict.runner_up, CLASS_CPU_STARVED);
	report_release(&report);
}

/* What kept it from the CPUs is said to be what can have been. */
static void assert_starved_by(double quota, uint64_t throttled_ms, const char *subclass,
			      const char *why)
{
	struct observation obs;
	struct report report;

	build_mix(&obs, &(struct mix){ .starved_ms = 650,
				       .throttled_ms = throttled_ms,
				       .network_ms = 320,
				       .computing_ms = 30 });
	obs.host.cpu_quota = quota;
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_CPU_STARVED);
	assert_string_equal(report.verdict.subclass, subclass);
	assert_non_null(strstr(report.verdict.summary, why));
	report_release(&report);
}

static void starved_says_by_whom(void **state)
{
	(void)state;
	assert_starved_by(0, 0, "oversubscribed", ": other programs had them.");
	assert_starved_by(1.5, 0, "oversubscribed",
			  ": its CPU quota or other programs held it back.");
	assert_starved_by(1.5, 640, "throttled", "its CPU quota held it back for 94%");
}

/* No quota, no way to be throttled by one. */
static void the_runner_up_is_possible(void **state)
{
	const double quotas[] = { 0, 1.5 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct observation obs;
		struct report report;

		build_mix(
			&obs,
			&(struct mix){ .starved_ms = 60, .throttled_ms = 60, .computing_ms = 940 });
		obs.host.cpu_quota = quotas[i];
		build_report(&obs, &report);
		assert_int_equal(report.verdict.verdict_class, CLASS_CPU_BOUND);
		assert_int_equal(report.verdict.has_runner_up, quotas[i] > 0);
		report_release(&report);
	}
}

/* A CPU-bound run of @ms with the given quality. */
static struct report report_of_run(uint64_t ms, enum observation_source source,
				   const struct obs_quality *quality)
{
	struct observation obs;
	struct report report;

	build_observation(&obs, ms, ms, 0, 2);
	build_process(&obs, 10, "/bin/a");
	build_thread(&obs, 10, 10, ms);
	obs.source = source;
	obs.quality.lost_events = quality->lost_events;
	obs.quality.lost_threads = quality->lost_threads;
	obs.quality.sample_cnt = quality->sample_cnt;
	build_report(&obs, &report);
	return report;
}

static void assert_run(enum verdict_class expected, uint64_t ms, enum observation_source source,
		       struct obs_quality quality)
{
	struct report report = report_of_run(ms, source, &quality);

	assert_string_equal(verdict_class_name(report.verdict.verdict_class),
			    verdict_class_name(expected));
	report_release(&report);
}

static void twenty_ms_are_needed(void **state)
{
	const struct obs_quality good = { .sample_cnt = 0 };

	(void)state;
	assert_run(CLASS_INCONCLUSIVE, 19, SOURCE_EBPF, good);
	assert_run(CLASS_CPU_BOUND, 21, SOURCE_EBPF, good);
}

static void thirty_samples_are_needed(void **state)
{
	(void)state;
	assert_run(CLASS_INCONCLUSIVE, 1000, SOURCE_PROCFS,
		   (struct obs_quality){ .sample_cnt = 29 });
	assert_run(CLASS_CPU_BOUND, 1000, SOURCE_PROCFS, (struct obs_quality){ .sample_cnt = 31 });
}

static void losses_end_certainty(void **state)
{
	(void)state; /* the thread left a CPU 1000 times */
	assert_run(CLASS_CPU_BOUND, 1000, SOURCE_EBPF, (struct obs_quality){ .lost_events = 9 });
	assert_run(CLASS_INCONCLUSIVE, 1000, SOURCE_EBPF,
		   (struct obs_quality){ .lost_events = 12 });
	assert_run(CLASS_INCONCLUSIVE, 1000, SOURCE_EBPF,
		   (struct obs_quality){ .lost_threads = 1 });
}

static double confidence_of(uint64_t ms, enum observation_source source, struct obs_quality quality)
{
	struct report report = report_of_run(ms, source, &quality);
	double confidence = report.verdict.confidence;

	report_release(&report);
	return confidence;
}

static void confidence_grows_with_evidence(void **state)
{
	double longest = confidence_of(2000, SOURCE_EBPF, (struct obs_quality){ .lost_events = 0 });

	(void)state;
	assert_true(longest > 0.95);
	assert_true(confidence_of(50, SOURCE_EBPF, (struct obs_quality){ .lost_events = 0 }) <
		    longest - 0.1);
	assert_true(confidence_of(2000, SOURCE_EBPF, (struct obs_quality){ .lost_events = 5 }) <
		    longest);
	assert_true(confidence_of(2000, SOURCE_PROCFS, (struct obs_quality){ .sample_cnt = 400 }) <
		    longest - 0.1);
}

/* Four threads that wait @lock_ms each for a mutex beside 1000 ms of computing in all. */
static enum verdict_class class_with_lock(uint64_t lock_ms, uint32_t cpus, uint64_t computing_ms)
{
	struct observation obs;
	struct report report;
	enum verdict_class verdict_class;

	build_observation(&obs, 1000, computing_ms, 0, cpus);
	build_process(&obs, 10, "/bin/a");
	for (pid_t tid = 10; tid < 14; tid++) {
		build_thread(&obs, 10, tid, 250);
		WAITED(&obs, tid, .reason = WAIT_LOCK, .ms = lock_ms, .cnt = 100,
		       .kind = OBJECT_FUTEX, .name = "0x1", .by_tree = true);
	}
	build_report(&obs, &report);
	verdict_class = report.verdict.verdict_class;
	report_release(&report);
	return verdict_class;
}

static void lock_from_30_percent(void **state)
{
	(void)state; /* 30% of 250 + 107.1 */
	assert_int_equal(class_with_lock(109, 2, 1000), CLASS_LOCK_BOUND);
	assert_int_equal(class_with_lock(105, 2, 1000), CLASS_CPU_BOUND);
}

static void a_lock_is_no_limit_while_the_cpus_are_full(void **state)
{
	(void)state;
	assert_int_equal(class_with_lock(500, 2, 1000), CLASS_LOCK_BOUND);
	assert_int_equal(class_with_lock(500, 1, 1000), CLASS_CPU_BOUND);
}

static void a_lock_held_by_another_program(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 1000, 100, 0, 2);
	build_process(&obs, 10, "/usr/bin/flock");
	build_thread(&obs, 10, 10, 100);
	WAITED(&obs, 10, .reason = WAIT_LOCK, .ms = 900, .quiet_ms = 900, .kind = OBJECT_FILE,
	       .name = "/run/lock");
	build_report(&obs, &report);
	assert_int_equal(report.verdict.verdict_class, CLASS_LOCK_BOUND);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_from_90_percent),
		cmocka_unit_test(what_never_waits_for_work_has_no_utilisation),
		cmocka_unit_test(starved_from_60_percent),
		cmocka_unit_test(waking_up_is_no_starving),
		cmocka_unit_test(starving_is_told_beside_the_class),
		cmocka_unit_test(throttled_from_10_percent),
		cmocka_unit_test(cpu_from_75_percent),
		cmocka_unit_test(io_from_65_percent),
		cmocka_unit_test(timer_from_65_percent),
		cmocka_unit_test(shares_are_of_busy_time),
		cmocka_unit_test(a_busy_machine_shifts_no_verdict),
		cmocka_unit_test(quiet_of_unknown_cause_is_inconclusive),
		cmocka_unit_test(subclass_is_the_largest_io),
		cmocka_unit_test(borders_name_the_runner_up),
		cmocka_unit_test(unsteady_runs_are_near_a_border),
		cmocka_unit_test(halves_that_disagree_are_no_evidence),
		cmocka_unit_test(steady_runs_near_a_border_are_clear_of_it),
		cmocka_unit_test(mixed_names_what_nearly_won),
		cmocka_unit_test(starved_names_what_it_would_be),
		cmocka_unit_test(notably_starved_may_be_starved),
		cmocka_unit_test(starved_says_by_whom),
		cmocka_unit_test(the_runner_up_is_possible),
		cmocka_unit_test(twenty_ms_are_needed),
		cmocka_unit_test(thirty_samples_are_needed),
		cmocka_unit_test(losses_end_certainty),
		cmocka_unit_test(confidence_grows_with_evidence),
		cmocka_unit_test(lock_from_30_percent),
		cmocka_unit_test(a_lock_is_no_limit_while_the_cpus_are_full),
		cmocka_unit_test(a_lock_held_by_another_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
