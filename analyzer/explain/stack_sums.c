/* Puts equal stack times together; see explanation.h. */
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "account/wait_objects.h"
#include "account/wait_role.h"
#include "arena.h"
#include "decide/loop.h"
#include "explain/explanation.h"
#include "explain/stack_times.h"

struct titled_row {
	uint32_t row;
	const char *title;
};

static int by_title(const void *a, const void *b)
{
	return strcmp(((const struct titled_row *)a)->title, ((const struct titled_row *)b)->title);
}

/* Numbers the objects of all rows that stacks waited for by their titles. Returns the numbers by
 * row. */
static uint32_t *number_objects(struct explanation *on)
{
	const struct observation *obs = on->obs;
	uint32_t *numbers = arena_array(on->scratch, obs->wait_cnt, sizeof(*numbers));
	struct titled_row *rows = arena_array(on->scratch, obs->wait_cnt, sizeof(*rows));
	size_t cnt = 0, title_cnt = 0;

	on->objects = arena_array(on->scratch, obs->wait_cnt, sizeof(*on->objects));
	if (!numbers || !rows || !on->objects)
		return NULL;
	for (size_t i = 0; i < obs->stack_time_cnt; i++)
		if (!obs->stack_times[i].is_on_cpu)
			numbers[obs->stack_times[i].wait] = 1;
	for (uint32_t i = 0; i < obs->wait_cnt; i++) {
		if (numbers[i] && wait_has_object(&obs->waits[i]))
			rows[cnt++] = (struct titled_row){ i, wait_object_title(on->arena,
										&obs->waits[i]) };
		numbers[i] = NO_OBJECT;
	}
	if (cnt)
		qsort(rows, cnt, sizeof(*rows), by_title);
	for (size_t i = 0; i < cnt; i++) {
		if (!i || by_title(&rows[i - 1], &rows[i]))
			on->objects[title_cnt++] = rows[i].title;
		numbers[rows[i].row] = (uint32_t)title_cnt - 1;
	}
	return numbers;
}

static int by_kind(const void *a, const void *b)
{
	const struct stack_sum *left = a, *right = b;
	int order = order_of((uint64_t)left->time->pid, (uint64_t)right->time->pid);

	if (!order)
		order = order_of((uint64_t)left->time->tid, (uint64_t)right->time->tid);
	if (!order)
		order = order_of(left->time->call, right->time->call);
	if (!order)
		order = order_of(left->time->is_on_cpu, right->time->is_on_cpu);
	if (!order)
		order = order_of(left->reason, right->reason);
	if (!order)
		order = order_of(left->role, right->role);
	if (!order)
		order = order_of(left->object, right->object);
	return order ? order : strcmp(left->time->task, right->time->task);
}

static int by_size(const void *a, const void *b)
{
	const struct stack_sum *left = a, *right = b;

	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? 1 : -1;
	return by_kind(a, b);
}

/* The error of an estimate from n samples is T / sqrt(n), and less where part of it was seen. */
static double variance(const struct obs_stack_time *time, const struct stack_share *share)
{
	double time_ns = (double)share->time_ns;
	double cnt = time->sample_cnt ? (double)time->sample_cnt : 1;

	return time_ns * time_ns * (1 - share->seen_part) / cnt;
}

/*
 * Program time is computing while any thread is, and else charged to the wait that ended it: by it
 * a thread that sleeps in the background counts for nothing beside one that computes.
 */
static double program_ns(const struct explanation *on, const struct obs_stack_time *time,
			 uint64_t time_ns)
{
	const struct obs_wait *row = &on->obs->waits[time->wait];

	if (!time->is_on_cpu)
		return row->wait_ns ? (double)time_ns * (double)row->quiet_ns / (double)row->wait_ns
				    : 0;
	return (double)time_ns *
	       share_of(on->facts->program_time->computing_ns, on->facts->thread_time->on_cpu_ns);
}

/* Where the observer doesn't tell which waits were of a loop's thread, the stacks do. */
static bool is_on_loop(const struct explanation *on, const struct obs_stack_time *time,
		       const struct obs_wait *row)
{
	const struct thread_facts *loop = on->model->loop_thread;

	if (row->on_loop)
		return true;
	return loop && time->pid == loop->thread->pid && time->tid == loop->thread->tid &&
	       loop_is_held_up_by(on->facts, on->model, row);
}

static struct stack_sum new_sum(const struct explanation *on, const struct obs_stack_time *time,
				const struct stack_share *share, const uint32_t *objects)
{
	struct stack_sum sum = {
		.time = time,
		.object = NO_OBJECT,
		.time_ns = share->time_ns,
		.sample_cnt = time->sample_cnt,
		.gil_held_ns = scale_ns(time->gil_held_ns, share->time_ns, time->time_ns),
		.gil_known_ns = scale_ns(time->gil_known_ns, share->time_ns, time->time_ns),
		.variance = variance(time, share),
		.program_ns = program_ns(on, time, share->time_ns),
	};
	const struct obs_wait *row;

	sum.frame = on->obs->calls[on->blame.calls[time->call].place].frame;
	sum.line = on->places.lines[sum.frame];
	sum.function = on->places.functions[sum.frame];
	if (time->is_on_cpu)
		return sum;
	row = &on->obs->waits[time->wait];
	sum.reason = row->reason;
	sum.role = wait_role(on->facts->roles, row);
	sum.object = time->is_divided ? NO_OBJECT : objects[time->wait];
	sum.on_loop_ns = is_on_loop(on, time, row) ? share->time_ns : 0;
	return sum;
}

static void add_sum(struct stack_sum *to, const struct stack_sum *from)
{
	to->time_ns += from->time_ns;
	to->sample_cnt += from->sample_cnt;
	to->gil_held_ns += from->gil_held_ns;
	to->gil_known_ns += from->gil_known_ns;
	to->on_loop_ns += from->on_loop_ns;
	to->variance += from->variance;
	to->program_ns += from->program_ns;
}

static void merge(struct explanation *on, size_t cnt)
{
	on->sum_cnt = 0;
	if (cnt)
		qsort(on->sums, cnt, sizeof(*on->sums), by_kind);
	for (size_t i = 0; i < cnt; i++) {
		if (on->sum_cnt && !by_kind(&on->sums[on->sum_cnt - 1], &on->sums[i]))
			add_sum(&on->sums[on->sum_cnt - 1], &on->sums[i]);
		else
			on->sums[on->sum_cnt++] = on->sums[i];
	}
	if (on->sum_cnt)
		qsort(on->sums, on->sum_cnt, sizeof(*on->sums), by_size);
}

static bool is_busy(const struct obs_wait *row, enum wait_role role)
{
	return role == WAITS_FOR_RESULT || role == WAITS_FOR_TIME ||
	       (role == WAITS_FOR_OTHER && row->reason != WAIT_STOPPED) ||
	       row->reason == WAIT_LOCK || row->reason == WAIT_GIL;
}

static void account_exact(struct explanation *on)
{
	const struct report_thread_time *time = on->facts->thread_time;

	on->busy_ns = time->on_cpu_ns + time->run_queue_ns + time->throttled_ns;
	on->known_ns = time->on_cpu_ns;
	for (size_t i = 0; i < on->obs->wait_cnt; i++) {
		const struct obs_wait *row = &on->obs->waits[i];

		on->known_ns += row->wait_ns;
		if (is_busy(row, wait_role(on->facts->roles, row)))
			on->busy_ns += row->wait_ns;
	}
}

void stack_sums_make(struct explanation *on)
{
	const struct observation *obs = on->obs;
	struct stack_share *shares = stack_times_scale(obs, on->scratch);
	uint32_t *objects = number_objects(on);
	size_t cnt = 0;

	account_exact(on);
	on->sums = arena_array(on->scratch, obs->stack_time_cnt, sizeof(*on->sums));
	if (!shares || !on->sums)
		return;
	for (size_t i = 0; i < obs->stack_time_cnt; i++)
		if (shares[i].time_ns && (obs->stack_times[i].is_on_cpu || objects))
			on->sums[cnt++] = new_sum(on, &obs->stack_times[i], &shares[i], objects);
	merge(on, cnt);
}
