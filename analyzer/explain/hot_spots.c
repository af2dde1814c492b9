/* The lines that take the time, by what they do; see report_hot_spot. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/thresholds.h"
#include "explain/explanation.h"
#include "explain/starters.h"

/* How telling a spot is: what is before the next step comes first, however short. */
enum spot_rank { RANK_OWN_TIME, RANK_FOREIGN_WAIT, RANK_TREE, RANK_IDLE };

struct spot {
	uint32_t *sums; /* indices in explanation.sums */
	size_t cnt;
	struct stack_sum total;
	enum spot_rank rank;
	double share;
	double share_error;
};

/* Below it a share is noise. */
#define TELLING_SHARE_MIN 0.01

/* A number that some of a spot's sums have in common. */
struct keyed {
	uint64_t key;
	uint32_t sum;
};

static int by_spot(const void *a, const void *b, void *context)
{
	const struct explanation *on = context;
	uint32_t left_index = *(const uint32_t *)a, right_index = *(const uint32_t *)b;
	const struct stack_sum *left = &on->sums[left_index], *right = &on->sums[right_index];
	int order = order_of(left->line, right->line);

	if (!order)
		order = order_of(left->time->is_on_cpu, right->time->is_on_cpu);
	if (!order)
		order = order_of(left->reason, right->reason);
	return order ? order : order_of(left->role, right->role);
}

/* A runtime that waits in threads of its own (for the network in Go, for the next tick in the JVM)
 * does so for everybody: no line's wait. */
static enum spot_rank rank_of(const struct explanation *on, const struct stack_sum *sum)
{
	if (sum->time->is_on_cpu || sum->reason == WAIT_LOCK || sum->reason == WAIT_GIL)
		return RANK_OWN_TIME;
	switch (sum->role) {
	case WAITS_FOR_WORK:
		return RANK_IDLE;
	case WAITS_FOR_TREE:
		return RANK_TREE;
	default:
		return sum_blame(on, sum)->is_own ? RANK_OWN_TIME : RANK_FOREIGN_WAIT;
	}
}

/*
 * The standard error of a share, of which the time's variance tells how many samples it is worth.
 * Two successes and two failures are added to them, so that a few samples that agree don't look
 * certain (Agresti and Coull, The American Statistician 52, 1998).
 */
static double share_error(double share, uint64_t time_ns, double variance)
{
	double cnt, all, adjusted;

	if (variance <= 0 || share <= 0)
		return 0;
	cnt = (double)time_ns * (double)time_ns / variance;
	all = cnt / fmin(share, 1) + 4;
	adjusted = (cnt + 2) / all;
	return sqrt(adjusted * (1 - adjusted) / all);
}

/* Of what holds the program up, the part of its time in which it wasn't idle; of other waits, of
 * all thread time. */
static double share_of_spot(const struct explanation *on, const struct stack_sum *total)
{
	if (!sum_is_busy(total))
		return share_of(total->time_ns, on->facts->thread_time->wall_ns);
	return explain_program_share(on, total->program_ns);
}

static void add_up(const struct explanation *on, struct spot *spot)
{

	spot->total = on->sums[spot->sums[0]];
	for (size_t i = 1; i < spot->cnt; i++) {
		const struct stack_sum *sum = &on->sums[spot->sums[i]];

		spot->total.time_ns += sum->time_ns;
		spot->total.sample_cnt += sum->sample_cnt;
		spot->total.gil_held_ns += sum->gil_held_ns;
		spot->total.gil_known_ns += sum->gil_known_ns;
		spot->total.variance += sum->variance;
		spot->total.program_ns += sum->program_ns;
	}
	spot->rank = rank_of(on, &spot->total);
	spot->share = fmin(share_of_spot(on, &spot->total), 1);
	spot->share_error = share_error(spot->share, spot->total.time_ns, spot->total.variance);
}

/* A stack of the kernel's alone has no line of anybody's. */
static bool is_worth_saying(const struct explanation *on, const struct spot *spot)
{
	bool is_large = spot->share >= SPOT_SHARE_MIN ||
			share_of(spot->total.time_ns, on->busy_ns) >= SPOT_SHARE_MIN;

	return sum_has_place(on, &spot->total) && is_large &&
	       sqrt(spot->total.variance) <= SPOT_ERROR_MAX * (double)spot->total.time_ns;
}

/* What costs the program next to nothing costs it nothing. */
static double telling_share(const struct spot *spot)
{
	return spot->share >= TELLING_SHARE_MIN ? spot->share : 0;
}

static int by_importance(const void *a, const void *b)
{
	const struct spot *left = a, *right = b;

	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	if (left->rank == RANK_OWN_TIME && telling_share(left) != telling_share(right))
		return telling_share(left) < telling_share(right) ? 1 : -1;
	if (left->total.time_ns != right->total.time_ns)
		return left->total.time_ns < right->total.time_ns ? 1 : -1;
	return order_of(left->sums[0], right->sums[0]);
}

/*
 * Which of several threads' waits ended a stretch of the program's is partly chance: of spots that
 * cost it about as much (half as much or more of the first one's), that comes first which took most
 * of the threads' time.
 */
static void settle_ties(struct spot *spots, size_t cnt)
{
	for (size_t i = 0; i + 1 < cnt && i < SPOTS_MAX && spots[i].rank == RANK_OWN_TIME; i++) {
		double least = telling_share(&spots[i]) / 2;
		struct spot first;
		size_t largest = i;

		for (size_t k = i + 1; k < cnt && spots[k].rank == RANK_OWN_TIME; k++) {
			if (telling_share(&spots[k]) < least)
				break;
			if (spots[k].total.time_ns > spots[largest].total.time_ns)
				largest = k;
		}
		first = spots[largest];
		memmove(&spots[i + 1], &spots[i], (largest - i) * sizeof(*spots));
		spots[i] = first;
	}
}

/* Cuts the sums into spots. Returns how many are worth saying; those come first, the most telling
 * one before the others. */
static size_t find_spots(const struct explanation *on, uint32_t *order, struct spot *spots)
{
	size_t cnt = 0, next;

	for (uint32_t i = 0; i < on->sum_cnt; i++)
		order[i] = i;
	qsort_r(order, on->sum_cnt, sizeof(*order), by_spot, (void *)on);
	for (size_t first = 0; first < on->sum_cnt; first = next) {
		struct spot *spot = &spots[cnt];

		for (next = first + 1; next < on->sum_cnt; next++)
			if (by_spot(&order[first], &order[next], (void *)on))
				break;
		*spot = (struct spot){ .sums = &order[first], .cnt = next - first };
		add_up(on, spot);
		cnt += is_worth_saying(on, spot);
	}
	if (cnt)
		qsort(spots, cnt, sizeof(*spots), by_importance);
	settle_ties(spots, cnt);
	return cnt;
}

static int by_key(const void *a, const void *b)
{
	const struct keyed *left = a, *right = b;
	int order = order_of(left->key, right->key);

	/* Sums are sorted by size: of those with one key the largest comes first. */
	return order ? order : order_of(left->sum, right->sum);
}

/* Of the sums of @spot with most time in common by @key, the largest. @top_ns: that time. */
static const struct stack_sum *
top_by(const struct explanation *on, const struct spot *spot, struct keyed *room,
       uint64_t (*key)(const struct explanation *, const struct stack_sum *), uint64_t *top_ns)
{
	uint64_t time_ns = 0;
	uint32_t first = 0, top = 0;

	*top_ns = 0;

	for (size_t i = 0; i < spot->cnt; i++)
		room[i] = (struct keyed){ key(on, &on->sums[spot->sums[i]]), spot->sums[i] };
	qsort(room, spot->cnt, sizeof(*room), by_key);
	for (size_t i = 0; i < spot->cnt; i++) {
		if (!i || room[i].key != room[i - 1].key) {
			time_ns = 0;
			first = room[i].sum;
		}
		time_ns += on->sums[room[i].sum].time_ns;
		if (time_ns > *top_ns) {
			*top_ns = time_ns;
			top = first;
		}
	}
	return &on->sums[top];
}

static uint64_t object_key(const struct explanation *on, const struct stack_sum *sum)
{
	(void)on;
	return sum->object;
}

/* Strings of an observation are stored once each. */
static uint64_t task_key(const struct explanation *on, const struct stack_sum *sum)
{
	(void)on;
	return (uintptr_t)sum->time->task;
}

static uint64_t call_key(const struct explanation *on, const struct stack_sum *sum)
{
	(void)on;
	return sum->time->call;
}

static uint64_t callee_key(const struct explanation *on, const struct stack_sum *sum)
{
	uint32_t callee = sum_blame(on, sum)->callee;

	return callee == NO_CALL ? UINT64_MAX : on->places.functions[on->obs->calls[callee].frame];
}

/* What the line of @blame called, as people know it; "" for nothing. */
static const char *callee_title(const struct explanation *on, const struct call_blame *blame)
{
	uint32_t frame;

	if (blame->callee == NO_CALL)
		return "";
	frame = on->obs->calls[blame->callee].frame;
	return callee_name(&on->obs->frames[frame], &on->blame.code[frame], on->arena);
}

/* What takes less than half of it is not what it does. */
static const char *callee_of(const struct explanation *on, const struct spot *spot,
			     struct keyed *room)
{
	uint64_t time_ns;
	const struct stack_sum *sum = top_by(on, spot, room, callee_key, &time_ns);

	return time_ns < spot->total.time_ns / 2 ? "" : callee_title(on, sum_blame(on, sum));
}

static void add_starter(const struct explanation *on, const struct stack_sum *sum,
			struct report_hot_spot *to)
{
	const struct stack_sum *starter = starter_of(on, sum);

	to->starter_callee = "";
	if (!starter)
		return;
	to->has_starter = true;
	to->starter = explain_frame(on, starter->frame);
	to->starter.is_own = sum_blame(on, starter)->is_own;
	to->starter_callee = callee_title(on, sum_blame(on, starter));
}

static struct report_hot_spot describe(const struct explanation *on, const struct spot *spot,
				       struct keyed *room)
{
	const struct stack_sum *total = &spot->total;
	uint64_t time_ns;
	const struct stack_sum *by_object = top_by(on, spot, room, object_key, &time_ns);
	const struct stack_sum *by_call = top_by(on, spot, room, call_key, &time_ns);
	const struct call_blame *blame = sum_blame(on, by_call);
	struct report_hot_spot to = {
		.is_on_cpu = total->time->is_on_cpu,
		.reason = total->reason,
		.role = total->role,
		.time_ns = total->time_ns,
		.share = spot->share,
		.share_error = spot->share_error,
		.place = explain_frame(on, by_call->frame),
		.callee = callee_of(on, spot, room),
		.object = by_object->object == NO_OBJECT ? "" : on->objects[by_object->object],
		.task = arena_string(on->arena,
				     top_by(on, spot, room, task_key, &time_ns)->time->task),
		.gil_held_ns = gil_held_of(total->time_ns, total->gil_held_ns, total->gil_known_ns),
		.is_gil_known = is_gil_known_of(total->time_ns, total->gil_known_ns),
		.sample_cnt = total->sample_cnt,
		.stack = &on->report->stacks[by_call - on->sums],
	};

	add_starter(on, by_call, &to);
	to.place.is_own = blame->is_own;
	/* Of all code without a name that was compiled as it ran: where it lies tells nothing. */
	if (to.place.language == LANGUAGE_JIT)
		to.place.address = 0;
	return to;
}

static const char *why_none(const struct explanation *on)
{
	const struct obs_stack_quality *quality = &on->obs->stack_quality;

	bool has_place = false;

	for (size_t i = 0; i < on->sum_cnt; i++)
		has_place |= sum_has_place(on, &on->sums[i]);
	if (!has_place)
		return "no stack of the program could be read";
	return arena_printf(
		on->arena, "not enough samples: %llu of threads on a CPU, %llu of waits",
		(unsigned long long)quality->sample_cnt, (unsigned long long)quality->wait_cnt);
}

/* Whether the first one's share is known well enough, or that it is the first. */
static bool is_first_known(const struct spot *spots, size_t cnt)
{
	const struct spot *first = &spots[0], *second = &spots[1];
	double next = 0;

	if (first->share_error <= SHARE_ERROR_MAX)
		return true;
	if (first->total.sample_cnt < FIRST_SAMPLES_MIN)
		return false;
	if (cnt > 1 && second->rank == first->rank)
		next = second->share + 2 * second->share_error;
	return first->share - 2 * first->share_error > next;
}

void hot_spots_report(struct explanation *on)
{
	struct report *report = on->report;
	uint32_t *order = arena_array(on->scratch, on->sum_cnt, sizeof(*order));
	struct spot *spots = arena_array(on->scratch, on->sum_cnt, sizeof(*spots));
	struct keyed *room = arena_array(on->scratch, on->sum_cnt, sizeof(*room));
	size_t cnt = order && spots && room && report->stacks ? find_spots(on, order, spots) : 0;

	if (!cnt || !is_first_known(spots, cnt)) {
		report->stack_quality.why_no_lines = why_none(on);
		return;
	}
	cnt = cnt < SPOTS_MAX ? cnt : SPOTS_MAX;
	report->hot_spots = arena_array(on->arena, cnt, sizeof(*report->hot_spots));
	for (size_t i = 0; report->hot_spots && i < cnt; i++)
		report->hot_spots[report->hot_spot_cnt++] = describe(on, &spots[i], room);
}
