/* The program's own functions, each with a verdict of its own; see report_function. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"
#include "decide/vocabulary.h"
#include "explain/explanation.h"

/* All time of one function. */
struct function_sum {
	const struct stack_sum *first; /* the largest */
	uint64_t on_cpu_ns, gil_held_ns, gil_known_ns;
	uint64_t wait_ns[WAIT_REASON_CNT];
	uint64_t role_ns[WAIT_ROLE_CNT];
	uint64_t lock_ns, gil_wait_ns;
	uint64_t on_loop_ns, via_loop_ns;
	double cpu_variance, wait_variance; /* of the latter what is busy time */
	double program_ns;
	bool is_in_many_threads, is_in_many_processes;
};

static int by_function(const void *a, const void *b, void *context)
{
	const struct explanation *on = context;
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	int order = order_of(on->sums[left].function, on->sums[right].function);

	return order ? order : order_of(left, right);
}

static void add_wait(const struct explanation *on, struct function_sum *to,
		     const struct stack_sum *sum)
{
	to->wait_ns[sum->reason] += sum->time_ns;
	to->role_ns[sum->role] += sum->time_ns;
	to->on_loop_ns += sum->on_loop_ns;
	if (on->obs->waits[sum->time->wait].via_event_loop)
		to->via_loop_ns += sum->time_ns;
	if (sum->reason == WAIT_LOCK)
		to->lock_ns += sum->time_ns;
	if (sum->reason == WAIT_GIL)
		to->gil_wait_ns += sum->time_ns;
	if (sum_is_busy(sum)) {
		to->wait_variance += sum->variance;
		to->program_ns += sum->program_ns;
	}
}

static void add_sum(const struct explanation *on, struct function_sum *to,
		    const struct stack_sum *sum)
{
	to->is_in_many_threads |= sum->time->tid != to->first->time->tid;
	to->is_in_many_processes |= sum->time->pid != to->first->time->pid;
	if (!sum->time->is_on_cpu) {
		add_wait(on, to, sum);
		return;
	}
	to->on_cpu_ns += sum->time_ns;
	to->program_ns += sum->program_ns;
	to->gil_held_ns += sum->gil_held_ns;
	to->gil_known_ns += sum->gil_known_ns;
	to->cpu_variance += sum->variance;
}

/* What it computes, or waits for that isn't work or others of the tree. Waiting for the GIL is
 * wanting to compute. */
static uint64_t busy_ns(const struct function_sum *sum)
{
	return sum->on_cpu_ns + sum->gil_wait_ns + sum->lock_ns + sum->role_ns[WAITS_FOR_RESULT] +
	       sum->role_ns[WAITS_FOR_TIME] + sum->role_ns[WAITS_FOR_OTHER];
}

/* The standard error of the part that it computes. */
static double cpu_error(const struct function_sum *sum)
{
	double busy = (double)busy_ns(sum), cpu = (double)sum->on_cpu_ns, wait = busy - cpu;

	return busy > 0 ? sqrt(wait * wait * sum->cpu_variance + cpu * cpu * sum->wait_variance) /
				  (busy * busy)
			: 0;
}

static bool is_known_well(const struct function_sum *sum)
{
	double busy = (double)busy_ns(sum), variance = sum->cpu_variance + sum->wait_variance;

	return busy >= (double)MIN_BUSY_NS && busy * busy >= FUNCTION_SAMPLES_MIN * variance &&
	       cpu_error(sum) <= FUNCTION_ERROR_MAX;
}

/* By the thresholds of the whole program's classes, of the function's own time. */
static enum verdict_class class_of(const struct function_sum *sum)
{
	uint64_t busy = busy_ns(sum), results = sum->role_ns[WAITS_FOR_RESULT];
	uint64_t all = busy + sum->role_ns[WAITS_FOR_WORK] + sum->role_ns[WAITS_FOR_TREE] -
		       sum->lock_ns - sum->gil_wait_ns;

	if (share_of(all - busy, all) >= IDLE_SHARE)
		return CLASS_IDLE;
	if (!is_known_well(sum))
		return CLASS_INCONCLUSIVE;
	if (share_of(sum->lock_ns, sum->on_cpu_ns + results + sum->lock_ns) >= LOCK_SHARE)
		return CLASS_LOCK_BOUND;
	if (share_of(sum->on_cpu_ns + sum->gil_wait_ns, busy) >= CPU_SHARE)
		return CLASS_CPU_BOUND;
	if (share_of(results, busy) >= IO_SHARE)
		return CLASS_IO_BOUND;
	if (share_of(sum->role_ns[WAITS_FOR_TIME], busy) >= TIMER_SHARE)
		return CLASS_TIMER_BOUND;
	return CLASS_MIXED;
}

static enum runtime_id runtime(const struct explanation *on)
{
	return on->facts->dominant ? on->facts->dominant->runtime : RUNTIME_NATIVE;
}

static bool has_threads(const struct explanation *on)
{
	return vocabulary_api(runtime(on), MODEL_THREADS, 0, on->scratch);
}

/* Waits that overlap already, through a loop or in several threads, need no advice. */
static const char *advice_to_wait(const struct explanation *on, const struct function_sum *sum)
{
	uint64_t results_ns = sum->role_ns[WAITS_FOR_RESULT];

	if (sum->on_loop_ns >= results_ns / 2 + 1)
		return "async";
	if (sum->via_loop_ns >= results_ns / 2 + 1 || sum->is_in_many_threads)
		return "";
	return has_threads(on) ? "thread-pool" : "process-pool";
}

static const char *advice_to_compute(const struct explanation *on, const struct function_sum *sum)
{
	enum global_lock lock = facts_global_lock(on->facts);
	bool lets_go = sum->gil_known_ns &&
		       share_of(sum->gil_held_ns, sum->gil_known_ns) < GIL_OUTSIDE_MAX;

	if (usable_cpus(on->facts) < 2 || sum->is_in_many_processes)
		return "";
	if (lock == GLOBAL_LOCK_EVENT_LOOP)
		return sum->is_in_many_threads ? "" : "worker-threads";
	if ((lock == GLOBAL_LOCK_NONE || lets_go) && has_threads(on))
		return sum->is_in_many_threads ? "" : "thread-pool";
	return "process-pool";
}

/* In a program of these classes another way of running a function can help: in others it wants
 * CPUs, or waits on purpose. */
static bool may_gain(enum verdict_class program)
{
	return program == CLASS_MIXED || program == CLASS_IO_BOUND || program == CLASS_CPU_BOUND ||
	       program == CLASS_LOCK_BOUND;
}

static const char *advice_of(const struct explanation *on, const struct function_sum *sum,
			     enum verdict_class class)
{
	const struct report *report = on->report;
	enum verdict_class program = report->verdict.verdict_class;
	bool is_as_program = class == program && program != CLASS_MIXED;

	/* A module's own code is nothing that a pool could run. */
	if (is_as_program || !may_gain(program) ||
	    !strcmp(on->obs->frames[sum->first->frame].function, "<module>") ||
	    report->recommendation.action == ACTION_MEASURE_AGAIN ||
	    explain_program_share(on, sum->program_ns) < FUNCTION_SHARE_MIN)
		return "";
	if (class == CLASS_IO_BOUND)
		return advice_to_wait(on, sum);
	return class == CLASS_CPU_BOUND ? advice_to_compute(on, sum) : "";
}

static struct report_function describe(const struct explanation *on, const struct function_sum *sum)
{
	static const uint64_t no_cnt[WAIT_REASON_CNT];
	uint64_t all_ns = sum->on_cpu_ns;
	struct report_function to = {
		.place = explain_frame(on, sum->first->frame),
		.on_cpu_ns = sum->on_cpu_ns,
		.gil_held_ns = gil_held_of(sum->on_cpu_ns, sum->gil_held_ns, sum->gil_known_ns),
		.is_gil_known = is_gil_known_of(sum->on_cpu_ns, sum->gil_known_ns),
		.waits = arena_array(on->arena, WAIT_REASON_CNT, sizeof(*to.waits)),
		.verdict_class = class_of(sum),
		.share = explain_program_share(on, sum->program_ns),
	};
	uint32_t frame = sum->first->frame;

	to.place.line = on->obs->frames[frame].first_line;
	to.place.is_own = true;
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		all_ns += sum->wait_ns[reason];
	if (to.waits)
		to.wait_cnt = waits_by_size(sum->wait_ns, no_cnt, all_ns, to.waits);
	to.time_ns = all_ns;
	to.advice = advice_of(on, sum, to.verdict_class);
	return to;
}

static int by_size(const void *a, const void *b)
{
	const struct report_function *left = a, *right = b;

	if (left->share != right->share)
		return left->share < right->share ? 1 : -1;
	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? 1 : -1;
	return order_of(left->place.line, right->place.line);
}

/* What a program that isn't of one kind is to do with each of its functions. */
static void add_note(struct explanation *on)
{
	struct report_recommendation *advice = &on->report->recommendation;
	const char *list = "", **notes;
	size_t cnt = 0;

	if (on->report->verdict.verdict_class != CLASS_MIXED)
		return;
	for (size_t i = 0; i < on->report->function_cnt && cnt < FUNCTIONS_NAMED; i++) {
		const struct report_function *function = &on->report->functions[i];

		if (!function->advice[0] || !function->place.function[0])
			continue;
		list = arena_printf(on->arena, "%s%s%s %s (%s, %.0f%%)", list, cnt ? ", " : "",
				    function->advice, function->place.function,
				    verdict_class_name(function->verdict_class),
				    pct(function->share));
		cnt++;
	}
	notes = cnt ? arena_array(on->arena, advice->note_cnt + 1, sizeof(*notes)) : NULL;
	if (!notes)
		return;
	notes[0] = arena_printf(on->arena, "Function by function: %s.", list);
	for (size_t i = 0; i < advice->note_cnt; i++)
		notes[i + 1] = advice->notes[i];
	advice->notes = notes;
	advice->note_cnt++;
}

void functions_report(struct explanation *on)
{
	struct report *report = on->report;
	uint32_t *order = arena_array(on->scratch, on->sum_cnt, sizeof(*order));
	size_t cnt = 0, next;

	report->functions = arena_array(on->arena, on->sum_cnt, sizeof(*report->functions));
	if (!order || !report->functions)
		return;
	for (uint32_t i = 0; i < on->sum_cnt; i++)
		if (sum_blame(on, &on->sums[i])->is_own)
			order[cnt++] = i;
	if (cnt)
		qsort_r(order, cnt, sizeof(*order), by_function, on);
	for (size_t first = 0; first < cnt; first = next) {
		struct function_sum sum = { .first = &on->sums[order[first]] };
		uint32_t function = sum.first->function;

		for (next = first; next < cnt; next++) {
			if (on->sums[order[next]].function != function)
				break;
			add_sum(on, &sum, &on->sums[order[next]]);
		}
		report->functions[report->function_cnt++] = describe(on, &sum);
	}
	if (report->function_cnt)
		qsort(report->functions, report->function_cnt, sizeof(*report->functions), by_size);
	if (report->function_cnt > FUNCTIONS_MAX)
		report->function_cnt = FUNCTIONS_MAX;
	add_note(on);
}
