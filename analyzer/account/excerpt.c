/* See excerpt.h. */
#include "account/excerpt.h"
#include "account/thread_time.h"
#include "account/windows.h"
#include "arena.h"

/* Of a process's waits for one reason. */
struct waits_of_reason {
	double wait_ns;
	double quiet_ns;
};

struct excerpt {
	const struct windows *windows;
	const struct observation *from;
	struct observation *to;
	size_t first, last;
	uint64_t start_ns, end_ns;
	struct waits_of_reason (*waits)[WAIT_REASON_CNT]; /* parallel to from->processes */
	struct obs_thread *threads;			  /* parallel to from->threads */
};

static uint64_t rounded(double ns)
{
	return ns > 0 ? (uint64_t)(ns + 0.5) : 0;
}

/* @whole * @part / @of, all of it where there is no telling. */
static uint64_t part_of(uint64_t whole, double part, double of)
{
	return of > 0 && part < of ? rounded((double)whole * part / of) : whole;
}

static uint64_t since_start(const struct excerpt *excerpt, uint64_t ns)
{
	return overlap_ns(excerpt->start_ns, ns, excerpt->start_ns, excerpt->end_ns);
}

/* Adds @wait_share of a segment's waits, which lies where quiet time was as in @rate. */
static void add_waits(struct excerpt *excerpt, const struct obs_segment *segment, double wait_share,
		      const double rate[QUIET_CAUSE_CNT])
{
	uint32_t process = excerpt->windows->process_of[segment->thread];

	for (int reason = 0; process != UINT32_MAX && reason < WAIT_REASON_CNT; reason++) {
		const struct wait_weight *weight = &excerpt->windows->weights[process][reason];
		double wait_ns = wait_share * (double)segment->wait_ns[reason];

		if (wait_ns <= 0)
			continue;
		excerpt->waits[process][reason].wait_ns += wait_ns;
		excerpt->waits[process][reason].quiet_ns +=
			wait_ns * wait_weight(weight) * rate[weight->cause];
	}
}

/* @share is what the excerpt has of the segment. */
static void add_to_thread(struct obs_thread *thread, const struct obs_segment *segment,
			  struct segment_share share)
{
	thread->on_cpu_ns += part_of(segment->on_cpu_ns, share.run, 1);
	/* Which queue it was only the totals tell. */
	thread->run_queue_ns += part_of(segment->queue_ns, share.run, 1);
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		thread->wait_ns[reason] += part_of(segment->wait_ns[reason], share.wait, 1);
		thread->wait_cnt[reason] += part_of(segment->wait_cnt[reason], share.wait, 1);
	}
}

static struct segment_share add_totals(struct excerpt *excerpt, const struct obs_segment *segment)
{
	struct segment_share share = segment_share_of(segment, excerpt->start_ns, excerpt->end_ns);

	if (segment->thread >= excerpt->from->thread_cnt)
		return (struct segment_share){ 0, 0 };
	add_to_thread(&excerpt->threads[segment->thread], segment, share);
	return share;
}

static void add_segment(struct excerpt *excerpt, const struct obs_segment *segment)
{
	size_t i;

	if (add_totals(excerpt, segment).wait <= 0)
		return;
	i = window_at(excerpt->windows, segment->start_ns);
	for (i = i > excerpt->first ? i : excerpt->first; i <= excerpt->last; i++) {
		const struct window *window = &excerpt->windows->windows[i];

		if (window->start_ns > segment->end_ns)
			break;
		add_waits(excerpt, segment,
			  segment_share_of(segment, window->start_ns, window->end_ns).wait,
			  window->quiet_rate);
	}
}

/* Threads of which only the totals are known are as good as spread over all of their life. */
static void add_rest(struct excerpt *excerpt)
{
	const struct windows *windows = excerpt->windows;
	double rate[QUIET_CAUSE_CNT] = { 0 };

	for (size_t i = excerpt->first; i <= excerpt->last; i++)
		for (int cause = 0; cause < QUIET_CAUSE_CNT; cause++)
			rate[cause] += windows->windows[i].quiet_rate[cause] /
				       (double)(excerpt->last - excerpt->first + 1);
	for (size_t i = 0; i < windows->rest_cnt; i++)
		add_waits(excerpt, &windows->rest[i], add_totals(excerpt, &windows->rest[i]).wait,
			  rate);
}

static uint64_t wait_cnt_of(const struct obs_thread *thread)
{
	uint64_t cnt = 0;

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		cnt += thread->wait_cnt[reason];
	return cnt;
}

/* What segments don't tell goes by what they do: samples by CPU time, loops by waits. */
static void fill_thread(const struct excerpt *excerpt, const struct obs_thread *from,
			struct obs_thread *to)
{
	uint64_t queue_ns = from->run_queue_ns + from->preempted_ns + from->throttled_ns;
	uint64_t part_ns = to->run_queue_ns;
	double wait_ns = (double)obs_thread_wait_ns(to);
	double all_wait_ns = (double)obs_thread_wait_ns(from);
	double cpu_ns = (double)to->on_cpu_ns, all_cpu_ns = (double)from->on_cpu_ns;

	to->tid = from->tid;
	to->pid = from->pid;
	to->comm = from->comm;
	to->start_ns = since_start(excerpt, from->start_ns);
	to->end_ns = since_start(excerpt, from->end_ns);
	to->exited = from->exited && from->end_ns <= excerpt->end_ns;
	to->preempted_ns = scale_ns(part_ns, from->preempted_ns, queue_ns);
	to->throttled_ns = scale_ns(part_ns, from->throttled_ns, queue_ns);
	to->run_queue_ns = part_ns - to->preempted_ns - to->throttled_ns;
	to->switch_cnt = part_of(from->switch_cnt, (double)wait_cnt_of(to) + cpu_ns / 1e6,
				 (double)wait_cnt_of(from) + all_cpu_ns / 1e6);
	to->preempt_cnt = part_of(from->preempt_cnt, (double)part_ns, (double)queue_ns);
	to->event_loop_wait_ns = part_of(from->event_loop_wait_ns, wait_ns, all_wait_ns);
	to->event_loop_wait_cnt = part_of(from->event_loop_wait_cnt, wait_ns, all_wait_ns);
	to->sample_cnt = part_of(from->sample_cnt, cpu_ns, all_cpu_ns);
	to->poll_sample_cnt = part_of(from->poll_sample_cnt, cpu_ns, all_cpu_ns);
	to->spin_sample_cnt = part_of(from->spin_sample_cnt, cpu_ns, all_cpu_ns);
	to->io_sample_cnt = part_of(from->io_sample_cnt, cpu_ns, all_cpu_ns);
	to->poll_call = from->poll_call;
	to->gil_sample_cnt = part_of(from->gil_sample_cnt, cpu_ns, all_cpu_ns);
	to->gil_held_sample_cnt = part_of(from->gil_held_sample_cnt, cpu_ns, all_cpu_ns);
}

/* Keeps those who lived meanwhile, and gives each the number of its new place. */
static void keep_threads(struct excerpt *excerpt, uint32_t *new_places)
{
	const struct observation *from = excerpt->from;

	excerpt->to->threads = excerpt->threads;
	excerpt->to->thread_cnt = 0;
	for (size_t i = 0; i < from->thread_cnt; i++) {
		size_t place = excerpt->to->thread_cnt;

		new_places[i] = UINT32_MAX;
		if (!overlap_ns(from->threads[i].start_ns, from->threads[i].end_ns,
				excerpt->start_ns, excerpt->end_ns))
			continue;
		fill_thread(excerpt, &from->threads[i], &excerpt->threads[i]);
		excerpt->threads[place] = excerpt->threads[i];
		new_places[i] = (uint32_t)place;
		excerpt->to->thread_cnt++;
	}
}

static void take_processes(struct excerpt *excerpt, struct arena *arena)
{
	const struct observation *from = excerpt->from;
	struct obs_process *to = arena_array(arena, from->process_cnt, sizeof(*to));

	for (size_t i = 0; to && i < from->process_cnt; i++) {
		to[i] = from->processes[i];
		to[i].start_ns = since_start(excerpt, from->processes[i].start_ns);
		to[i].end_ns = since_start(excerpt, from->processes[i].end_ns);
		to[i].exited = to[i].exited && from->processes[i].end_ns <= excerpt->end_ns;
	}
	excerpt->to->processes = to;
	excerpt->to->process_cnt = to ? from->process_cnt : 0;
}

static void take_row(struct excerpt *excerpt, const struct obs_wait *row, size_t process)
{
	const struct wait_weight *all = &excerpt->windows->weights[process][row->reason];
	const struct waits_of_reason *part = &excerpt->waits[process][row->reason];
	struct obs_wait *to = &excerpt->to->waits[excerpt->to->wait_cnt];
	double share = all->wait_ns ? part->wait_ns / (double)all->wait_ns : 0;

	if (share <= 0)
		return;
	*to = *row;
	to->wait_ns = part_of(row->wait_ns, share, 1);
	to->wait_cnt = part_of(row->wait_cnt, share, 1);
	to->quiet_ns =
		all->quiet_ns
			? rounded(part->quiet_ns * (double)row->quiet_ns / (double)all->quiet_ns)
			: rounded(part->quiet_ns * (double)row->wait_ns / (double)all->wait_ns);
	excerpt->to->wait_cnt++;
}

static void take_rows(struct excerpt *excerpt, struct arena *arena)
{
	const struct process_index *index = &excerpt->windows->roles->index;
	const struct observation *from = excerpt->from;

	excerpt->to->waits = arena_array(arena, from->wait_cnt, sizeof(*from->waits));
	excerpt->to->wait_cnt = 0;
	for (size_t i = 0; excerpt->to->waits && i < from->wait_cnt; i++) {
		size_t at = process_index_find(index, from->waits[i].pid);

		if (at != NO_PROCESS)
			take_row(excerpt, &from->waits[i], at);
	}
}

static void take_program_time(struct excerpt *excerpt)
{
	struct obs_program *program = &excerpt->to->program;

	*program = (struct obs_program){ .computing_ns = 0 };
	for (size_t i = excerpt->first; i <= excerpt->last; i++) {
		program->computing_ns += excerpt->windows->windows[i].computing_ns;
		program->starved_ns += excerpt->windows->windows[i].starved_ns;
	}
	program->quiet_ns = excerpt->to->duration_ns - program->computing_ns - program->starved_ns;
}

static uint64_t queued_ns(const struct observation *obs)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		sum_ns += obs->threads[i].run_queue_ns + obs->threads[i].preempted_ns;
	return sum_ns;
}

/* Who had the CPUs meanwhile is known for the run only. */
static void take_neighbours(struct excerpt *excerpt, struct arena *arena)
{
	const struct observation *from = excerpt->from;
	double all_ns = (double)queued_ns(from), part_ns = (double)queued_ns(excerpt->to);
	struct obs_neighbour *to = arena_array(arena, from->neighbour_cnt, sizeof(*to));

	for (size_t i = 0; to && i < from->neighbour_cnt; i++) {
		to[i] = from->neighbours[i];
		to[i].queue_ns = part_of(to[i].queue_ns, part_ns, all_ns);
		to[i].cnt = part_of(to[i].cnt, part_ns, all_ns);
	}
	excerpt->to->neighbours = to;
	excerpt->to->neighbour_cnt = to ? from->neighbour_cnt : 0;
	excerpt->to->own_queue_ns = part_of(from->own_queue_ns, part_ns, all_ns);
}

static void take_slices(struct excerpt *excerpt, struct arena *arena)
{
	size_t cnt = excerpt->last - excerpt->first + 1;
	struct obs_slice *to = arena_array(arena, cnt, sizeof(*to));

	for (size_t i = 0; to && i < cnt; i++) {
		const struct window *window = &excerpt->windows->windows[excerpt->first + i];

		to[i] = (struct obs_slice){
			.start_ns = since_start(excerpt, window->start_ns),
			.end_ns = since_start(excerpt, window->end_ns),
			.computing_ns = window->computing_ns,
			.starved_ns = window->starved_ns,
		};
	}
	excerpt->to->slices = to;
	excerpt->to->slice_cnt = to ? cnt : 0;
}

static void take_segment(struct excerpt *excerpt, const struct obs_segment *from, uint32_t thread)
{
	struct segment_share share = segment_share_of(from, excerpt->start_ns, excerpt->end_ns);
	struct obs_segment *to = &excerpt->to->segments[excerpt->to->segment_cnt++];

	*to = *from;
	to->thread = thread;
	to->start_ns = since_start(excerpt, from->start_ns);
	to->end_ns = since_start(excerpt, from->end_ns);
	to->on_cpu_ns = part_of(from->on_cpu_ns, share.run, 1);
	to->queue_ns = part_of(from->queue_ns, share.run, 1);
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		to->wait_ns[reason] = part_of(from->wait_ns[reason], share.wait, 1);
		to->wait_cnt[reason] = part_of(from->wait_cnt[reason], share.wait, 1);
	}
}

static bool is_within(const struct excerpt *excerpt, const struct obs_segment *segment)
{
	return overlap_ns(segment->start_ns, segment->end_ns, excerpt->start_ns, excerpt->end_ns);
}

static void take_segments(struct excerpt *excerpt, const uint32_t *new_places, struct arena *arena)
{
	const struct observation *from = excerpt->from;
	size_t cnt = 0;

	for (size_t i = 0; i < from->segment_cnt; i++)
		cnt += is_within(excerpt, &from->segments[i]);
	excerpt->to->segments = arena_array(arena, cnt, sizeof(*from->segments));
	excerpt->to->segment_cnt = 0;
	for (size_t i = 0; excerpt->to->segments && i < from->segment_cnt; i++) {
		uint32_t thread = from->segments[i].thread;

		if (is_within(excerpt, &from->segments[i]) && thread < from->thread_cnt &&
		    new_places[thread] != UINT32_MAX)
			take_segment(excerpt, &from->segments[i], new_places[thread]);
	}
}

/* What is known of the whole run only, and would be wrong for a part of it. */
static void forget_the_rest(struct excerpt *excerpt)
{
	struct observation *to = excerpt->to;

	to->flight = (struct obs_flight){ .sample_cnt = 0 };
	to->lock_holders = NULL;
	to->lock_holder_cnt = 0;
	to->quality.sample_cnt = part_of(to->quality.sample_cnt, (double)to->duration_ns,
					 (double)excerpt->from->duration_ns);
	to->target.has_exited =
		to->target.has_exited && excerpt->end_ns >= excerpt->from->duration_ns;
}

void excerpt_take(const struct windows *windows, size_t first, size_t last, struct arena *arena,
		  struct observation *to)
{
	const struct observation *from = windows->obs;
	struct excerpt excerpt = {
		.windows = windows,
		.from = from,
		.to = to,
		.first = first,
		.last = last,
		.start_ns = windows->windows[first].start_ns,
		.end_ns = windows->windows[last].end_ns,
		.waits = arena_array(arena, from->process_cnt, sizeof(*excerpt.waits)),
		.threads = arena_array(arena, from->thread_cnt, sizeof(*excerpt.threads)),
	};
	uint32_t *new_places = arena_array(arena, from->thread_cnt, sizeof(*new_places));

	*to = *from;
	to->duration_ns = excerpt.end_ns - excerpt.start_ns;
	if (arena_has_failed(arena))
		return;
	for (size_t i = 0; i < from->segment_cnt; i++)
		add_segment(&excerpt, &from->segments[i]);
	add_rest(&excerpt);
	keep_threads(&excerpt, new_places);
	take_processes(&excerpt, arena);
	take_rows(&excerpt, arena);
	take_program_time(&excerpt);
	take_neighbours(&excerpt, arena);
	take_slices(&excerpt, arena);
	take_segments(&excerpt, new_places, arena);
	forget_the_rest(&excerpt);
}
