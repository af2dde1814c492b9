/*
 * What makes two runs incomparable. Their work is judged by what a change of the concurrency model
 * leaves alone: the CPU time of all threads, and how long and how often results of others were
 * waited for, one wait at a time or many. Much less or more of it means that something else was
 * done.
 */
#include "verification/comparable.h"

#include <math.h>
#include <string.h>

#include "arena.h"

/* Below half of what it was before is not the same work done in another order. */
#define LESS_WORK 0.5
/* Above twice, it is more work; of CPU time a price of the change, and worth a word. */
#define MORE_WORK 2.0
/* A loop that computes for more of its time leaves answers lying unread. */
#define BUSY_LOOP 0.5
/* What takes less of the run before than this says nothing of its work. */
#define TELLING_SHARE 0.1
#define NS_PER_S      1e9

enum { OBSTACLE_MAX = 16, NOTE_MAX = 8 };

static void add_obstacle(struct verification *result, const char *text)
{
	if (result->obstacles && result->obstacle_cnt < OBSTACLE_MAX)
		result->obstacles[result->obstacle_cnt++] = text;
}

static void add_note(struct verification *result, const char *text)
{
	if (result->notes && result->note_cnt < NOTE_MAX)
		result->notes[result->note_cnt++] = text;
}

/* Each run has to be one from start to good end. */
static void check_runs(const struct verified_side *side, const char *when,
		       struct verification *result)
{
	for (size_t i = 0; i < side->run_cnt; i++) {
		const struct run_facts *run = &side->runs[i];

		if (run->is_attached)
			add_obstacle(result, arena_printf(result->arena,
							  "the run %s was attached to: how long it "
							  "took as a whole is not known",
							  when));
		else if (!run->has_ended)
			add_obstacle(result,
				     arena_printf(result->arena,
						  "the run %s was not observed to its end", when));
		else if (run->has_failed)
			add_obstacle(result,
				     arena_printf(result->arena, "the run %s failed (%s %d)", when,
						  run->exit_code < 0 ? "signal" : "exit code",
						  run->exit_code < 0 ? -run->exit_code
								     : run->exit_code));
		else if (!run->wall_ns)
			add_obstacle(result,
				     arena_printf(result->arena, "the run %s took no time", when));
		else
			continue;
		return;
	}
}

static void check_hosts(const struct run_facts *before, const struct run_facts *after,
			struct verification *result)
{
	if (before->cpus_usable != after->cpus_usable)
		add_obstacle(result,
			     arena_printf(result->arena, "%u CPUs could be used before, %u after",
					  before->cpus_usable, after->cpus_usable));
	if (fabs(before->cpu_quota - after->cpu_quota) > 0.01)
		add_obstacle(result, arena_printf(result->arena,
						  "the CPU quota was another (%.3g CPUs before, "
						  "%.3g after; 0: none)",
						  before->cpu_quota, after->cpu_quota));
}

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static bool has_telling_cpu_time(const struct run_facts *run)
{
	return ratio((double)run->on_cpu_ns, (double)run->wall_ns) >= TELLING_SHARE;
}

static bool is_loop(const struct run_facts *run)
{
	return !strcmp(run->model, "async");
}

static void check_cpu_time(const struct run_facts *before, const struct run_facts *after,
			   struct verification *result)
{
	double before_s = (double)before->on_cpu_ns / NS_PER_S;
	double after_s = (double)after->on_cpu_ns / NS_PER_S;

	if (!has_telling_cpu_time(before))
		return;
	if (after_s < LESS_WORK * before_s && !before->polls_in_vain)
		add_obstacle(result, arena_printf(result->arena,
						  "%.3g s of CPU time before, %.3g s after: it did "
						  "less, or something else",
						  before_s, after_s));
	else if (after_s > MORE_WORK * before_s)
		add_note(result, arena_printf(result->arena,
					      "It takes %.2g times the CPU time: %.3g s before, "
					      "%.3g s after.",
					      after_s / before_s, before_s, after_s));
}

/* Seconds of operations that were out, those of many at once added up (Little: their mean number
 * times the time); for one thread after the other it is what they waited. */
static double operation_seconds(const struct run_facts *run)
{
	double waited_s = (double)run->result_wait_ns / NS_PER_S;
	double in_flight_s = run->in_flight_mean * (double)run->wall_ns / NS_PER_S;

	return in_flight_s > waited_s ? in_flight_s : waited_s;
}

/* An event loop's waits are for all that is out at once: neither their sum nor their number
 * tells of its work where the operations in flight are not known, or are not when an answer has
 * come but lies there unread. */
static bool hides_operations(const struct run_facts *run)
{
	return is_loop(run) && (run->in_flight_mean <= 0 ||
				ratio((double)run->on_cpu_ns, (double)run->wall_ns) >= BUSY_LOOP);
}

static void check_operations(const struct run_facts *before, const struct run_facts *after,
			     struct verification *result)
{
	double before_s = operation_seconds(before), after_s = operation_seconds(after);
	bool has_loop = is_loop(before) || is_loop(after);

	if (before_s < TELLING_SHARE * (double)before->wall_ns / NS_PER_S ||
	    hides_operations(before) || hides_operations(after))
		return;
	/* Longer ones are the same work at a far end that is asked more at once. */
	if (after_s > MORE_WORK * before_s &&
	    (double)after->result_wait_cnt > MORE_WORK * (double)before->result_wait_cnt)
		add_obstacle(result,
			     arena_printf(result->arena,
					  "%.3g s of operations of others were waited for before, "
					  "%.3g s after, and more often: it did more",
					  before_s, after_s));
	/* As many but shorter ones are the same work at a faster far end. */
	if (after_s < LESS_WORK * before_s &&
	    (has_loop ||
	     (double)after->result_wait_cnt < LESS_WORK * (double)before->result_wait_cnt))
		add_obstacle(result,
			     arena_printf(result->arena,
					  "%.3g s of operations of others were waited for before, "
					  "%.3g s after: it did less, or something else",
					  before_s, after_s));
}

/* Of one thread it is the time without a CPU; of several, the part of the CPU time they wanted. */
double neighbours_share(const struct run_facts *run)
{
	double starved = ratio((double)run->starved_ns, (double)run->wall_ns);
	double wanted = (double)run->computing_ns + (double)run->starved_ns;
	double taken = ratio((double)run->neighbour_ns,
			     (double)run->neighbour_ns + (double)run->on_cpu_ns) *
		       ratio(wanted, (double)run->wall_ns);
	double share = taken > starved ? taken : starved;

	return share >= TELLING_SHARE && run->cpu_quota <= 0 ? fmin(share, 1) : 0;
}

static void note_neighbours(const struct run_facts *before, const struct run_facts *after,
			    struct verification *result)
{
	double before_share = neighbours_share(before), after_share = neighbours_share(after);

	if (before_share > 0 || after_share > 0)
		add_note(result,
			 arena_printf(result->arena,
				      "Other programs kept it from the CPUs for %.0f%% of the time "
				      "before and %.0f%% after: on a machine that does less "
				      "besides, the times would tell more.",
				      before_share * 100, after_share * 100));
}

static void note_differences(const struct run_facts *before, const struct run_facts *after,
			     struct verification *result)
{
	if (strcmp(before->source, after->source))
		add_note(result,
			 arena_printf(result->arena, "Before was observed by %s, after by %s.",
				      before->source, after->source));
	if (strcmp(before->runtime, after->runtime))
		add_note(result, arena_printf(result->arena,
					      "Before ran on %s, after on %s: not the model alone "
					      "has changed.",
					      before->runtime, after->runtime));
	if (before->lost_events || after->lost_events)
		add_note(result, "Events were lost: the details are too low, the times are not.");
}

void find_obstacles(const struct verification_request *request, struct verification *result)
{
	const struct run_facts *before = result->before.typical, *after = result->after.typical;

	result->obstacles = arena_array(result->arena, OBSTACLE_MAX, sizeof(*result->obstacles));
	result->notes = arena_array(result->arena, NOTE_MAX, sizeof(*result->notes));
	check_runs(&result->before, "before", result);
	check_runs(&result->after, "after", result);
	check_hosts(before, after, result);
	note_differences(before, after, result);
	note_neighbours(before, after, result);
	/* What a failed or cut run has done says no more. */
	if (result->obstacle_cnt || request->is_same_work)
		return;
	check_cpu_time(before, after, result);
	check_operations(before, after, result);
}
