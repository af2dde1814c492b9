/* See sample.h. */
#include "predict/sample.h"

#include <errno.h>
#include <math.h>
#include "arena.h"
#include "predict/limits.h"
#include "random.h"

/* Compute, wait, and compute and wait again: with and without a lock of the program's own. */
#define STEPS_MAX 12

struct drawer {
	const struct workload *workload;
	struct sample *to;
	struct replay_step *steps;
	struct replay_operation *operations;
	size_t step_cnt;
	size_t room; /* operations */
	const struct turn *turn;
};

static void add_step(struct drawer *drawer, enum replay_place place, bool is_locked,
		     double length_ns)
{
	if (length_ns <= 0)
		return;
	drawer->steps[drawer->step_cnt++] = (struct replay_step){ .place = place,
								  .is_locked = is_locked,
								  .length_ns = length_ns };
}

/* What is left of its computing when it needn't begin with cold caches on a CPU that slept. */
static double warm(const struct drawer *drawer, const struct stretch *stretch)
{
	double computed_ns = stretch->computed_ns / stretch->cnt;
	double waited_ns = (stretch_own_ns(stretch) - stretch->computed_ns) / stretch->cnt;

	if (waited_ns < COLD_WAIT_NS || computed_ns <= 0)
		return 1;
	return fmax(1 - drawer->turn->warm_ns / computed_ns, WARM_PART);
}

/* The @part of one operation of @stretch, @scale times as long. */
static void add_steps(struct drawer *drawer, const struct stretch *stretch, bool is_locked,
		      double part, double scale)
{
	double each = part * scale / stretch->cnt;
	double waiting = each * drawer->turn->wait_factor;
	double computing = each * warm(drawer, stretch) * stretch->computed_ns;
	double held = stretch->gil_part;

	add_step(drawer, PLACE_GIL, is_locked, held * computing);
	add_step(drawer, PLACE_CPU, is_locked, (1 - held) * computing);
	add_step(drawer, PLACE_DISK, is_locked,
		 each * drawer->turn->disk_factor * stretch->disk_ns);
	add_step(drawer, PLACE_NEIGHBOUR, is_locked, each * stretch->neighbour_ns);
	add_step(drawer, drawer->workload->far_end_slots ? PLACE_FAR_END : PLACE_DELAY, is_locked,
		 waiting * drawer->workload->far_end_part * stretch->delay_ns);
	add_step(drawer, PLACE_DELAY, is_locked, each * stretch->stream_ns);
}

static bool has_room(const struct drawer *drawer)
{
	return drawer->to->work.operation_cnt < drawer->room;
}

static void add_operation(struct drawer *drawer, const struct stretch *stretch, double scale)
{
	struct replay_work *work = &drawer->to->work;
	double lock_part = drawer->workload->lock_part;
	size_t first = drawer->step_cnt;

	add_steps(drawer, stretch, true, lock_part, scale);
	add_steps(drawer, stretch, false, 1 - lock_part, scale);
	drawer->operations[work->operation_cnt++] =
		(struct replay_operation){ .first_step = first,
					   .step_cnt = drawer->step_cnt - first };
}

/*
 * Of every @every operations one is drawn. Large ones, which chance would take or leave, are drawn
 * all, each cut to its share.
 */
static void draw_in_order(struct drawer *drawer, double every)
{
	const struct workload *workload = drawer->workload;
	double mean_ns = stretch_own_ns(&workload->sum) / workload->operation_cnt;
	double owed = 0;

	for (size_t i = 0; i < workload->stretch_cnt; i++) {
		const struct stretch *stretch = &workload->stretches[i];

		if (every > 1 &&
		    stretch_own_ns(stretch) > LARGE_OPERATION * mean_ns * stretch->cnt) {
			for (double n = 0; n < stretch->cnt && has_room(drawer); n++)
				add_operation(drawer, stretch, 1 / every);
			continue;
		}
		for (owed += stretch->cnt / every; owed >= 0.5 && has_room(drawer); owed--)
			add_operation(drawer, stretch, 1);
	}
}

/* Repeats the operations drawn until there are @cnt. */
static void repeat(struct drawer *drawer, size_t cnt)
{
	struct replay_work *work = &drawer->to->work;
	size_t drawn = work->operation_cnt;

	for (size_t i = drawn; drawn && i < cnt; i++)
		drawer->operations[work->operation_cnt++] = drawer->operations[i % drawn];
}

int sample_draw(const struct workload *workload, size_t cnt_min, const struct turn *turn,
		struct arena *arena, struct sample *sample)
{
	double every = fmax(workload->operation_cnt / OPERATIONS_MAX, 1);
	/* Rounding may draw one more of each stretch. */
	size_t room = (size_t)fmin(workload->operation_cnt,
				   OPERATIONS_MAX + (double)workload->stretch_cnt) +
		      1;
	struct drawer drawer = { .workload = workload, .to = sample, .turn = turn };
	size_t drawn;

	if (room < cnt_min)
		room = cnt_min;
	drawer.room = room;
	drawer.steps = arena_array(arena, room * STEPS_MAX, sizeof(*drawer.steps));
	drawer.operations = arena_array(arena, room, sizeof(*drawer.operations));
	*sample = (struct sample){ .part = 1 };
	if (!drawer.steps || !drawer.operations)
		return -ENOMEM;
	draw_in_order(&drawer, every);
	drawn = sample->work.operation_cnt;
	repeat(&drawer, cnt_min);
	if (drawn)
		sample->part = (double)sample->work.operation_cnt / (double)drawn / every;
	sample->work.steps = drawer.steps;
	sample->work.operations = drawer.operations;
	sample->work.neighbour_slots = workload->neighbour_slots;
	sample->work.disk_slots = workload->disk_slots;
	sample->work.far_end_slots = workload->far_end_slots;
	sample->work.switch_interval_ns = workload->switch_interval_ns;
	return 0;
}

void sample_resample(const struct sample *from, uint64_t seed, struct replay_operation *operations,
		     struct sample *sample)
{
	*sample = *from;
	for (size_t i = 0; i < from->work.operation_cnt; i++)
		operations[i] =
			from->work.operations[random_next(&seed) % from->work.operation_cnt];
	sample->work.operations = operations;
}
