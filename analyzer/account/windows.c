/* Lays slices and segments over windows, and fits the waits to the quiet time. */
#include "account/windows.h"
#include "account/thread_time.h"
#include "arena.h"

#define WINDOWS_MAX   200
#define WINDOW_MIN_NS 20000000ULL /* program time is read that often */

/* What the weight of a wait is at least: where no charged wait is open, the others tell. */
#define LEAST_WEIGHT 1e-6

/* It converges by then to 0.1% on runs of two phases; a window's own quiet always comes out. */
#define FITTING_ROUNDS 12

uint64_t overlap_ns(uint64_t start_ns, uint64_t end_ns, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t first_ns = start_ns > from_ns ? start_ns : from_ns;
	uint64_t last_ns = end_ns < to_ns ? end_ns : to_ns;

	return last_ns > first_ns ? last_ns - first_ns : 0;
}

static double overlap_share(uint64_t start_ns, uint64_t end_ns, uint64_t from_ns, uint64_t to_ns)
{
	if (end_ns <= start_ns) /* an instant */
		return start_ns >= from_ns && start_ns < to_ns ? 1 : 0;
	return share_of(overlap_ns(start_ns, end_ns, from_ns, to_ns), end_ns - start_ns);
}

struct segment_share segment_share_of(const struct obs_segment *segment, uint64_t start_ns,
				      uint64_t end_ns)
{
	uint64_t cnt = 0, run_ns = segment->on_cpu_ns + segment->queue_ns;
	uint64_t wait_from_ns = segment->start_ns + run_ns;
	struct segment_share share;

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		cnt += segment->wait_cnt[reason];
	share.run = overlap_share(segment->start_ns, segment->end_ns, start_ns, end_ns);
	share.wait = share.run;
	if (cnt > 1 || wait_from_ns > segment->end_ns)
		return share;
	if (run_ns)
		share.run = overlap_share(segment->start_ns, wait_from_ns, start_ns, end_ns);
	if (wait_from_ns < segment->end_ns)
		share.wait = overlap_share(wait_from_ns, segment->end_ns, start_ns, end_ns);
	return share;
}

static size_t window_cnt(const struct observation *obs)
{
	uint64_t cnt = obs->duration_ns / WINDOW_MIN_NS;

	if (!obs->slice_cnt || !obs->segment_cnt)
		return 0;
	return cnt < WINDOWS_MAX ? (size_t)cnt : WINDOWS_MAX;
}

double wait_weight(const struct wait_weight *weight)
{
	double part = share_of(weight->quiet_ns, weight->wait_ns);

	return part > LEAST_WEIGHT ? part : LEAST_WEIGHT;
}

size_t window_at(const struct windows *windows, uint64_t ns)
{
	uint64_t at = scale_ns(ns, windows->cnt, windows->obs->duration_ns);

	/* Borders are rounded down, so it may be the one before. */
	while (at && (at >= windows->cnt || windows->windows[at].start_ns > ns))
		at--;
	while (at + 1 < windows->cnt && windows->windows[at].end_ns <= ns)
		at++;
	return (size_t)at;
}

static void lay_out(struct windows *windows)
{
	uint64_t whole_ns = windows->obs->duration_ns;

	for (size_t i = 0; i < windows->cnt; i++) {
		windows->windows[i].start_ns = scale_ns(whole_ns, i, windows->cnt);
		windows->windows[i].end_ns = scale_ns(whole_ns, i + 1, windows->cnt);
	}
}

static void add_slice(struct windows *windows, const struct obs_slice *slice)
{
	uint64_t length_ns = slice->end_ns > slice->start_ns ? slice->end_ns - slice->start_ns : 0;

	if (!length_ns || slice->start_ns >= windows->obs->duration_ns)
		return;
	for (size_t i = window_at(windows, slice->start_ns);
	     i < windows->cnt && windows->windows[i].start_ns < slice->end_ns; i++) {
		struct window *window = &windows->windows[i];
		uint64_t part_ns = overlap_ns(slice->start_ns, slice->end_ns, window->start_ns,
					      window->end_ns);

		window->computing_ns += scale_ns(slice->computing_ns, part_ns, length_ns);
		window->starved_ns += scale_ns(slice->starved_ns, part_ns, length_ns);
	}
}

/* Both are parts of the window, whatever was read from a recording. */
static void keep_within(struct window *window)
{
	uint64_t left_ns = window->end_ns - window->start_ns;

	if (window->computing_ns > left_ns)
		window->computing_ns = left_ns;
	left_ns -= window->computing_ns;
	if (window->starved_ns > left_ns)
		window->starved_ns = left_ns;
}

static double quiet_of(const struct window *window)
{
	return (double)(window->end_ns - window->start_ns - window->computing_ns -
			window->starved_ns);
}

static enum quiet_cause cause_of(const struct wait_roles *roles, const struct obs_wait *row)
{
	switch (quiet_role(roles, row)) {
	case WAITS_FOR_RESULT:
		return row->reason == WAIT_DISK || row->reason == WAIT_PAGING ? QUIET_FILE
									      : QUIET_RESULT;
	case WAITS_FOR_TIME:
		return QUIET_TIME;
	case WAITS_FOR_WORK:
		return QUIET_WORK;
	default:
		return QUIET_TREE;
	}
}

/* Sums up the rows; returns the quiet time of each cause in @quiet_ns. */
static void weigh_rows(struct windows *windows, const struct wait_roles *roles,
		       double quiet_ns[QUIET_CAUSE_CNT])
{
	const struct observation *obs = windows->obs;

	for (size_t i = 0; i < obs->wait_cnt; i++) {
		const struct obs_wait *row = &obs->waits[i];
		size_t at = process_index_find(&roles->index, row->pid);
		struct wait_weight *weight =
			at == NO_PROCESS ? NULL : &windows->weights[at][row->reason];
		/* Quiet time decides; where none was charged, how long it waited. */
		uint64_t rank_ns = row->quiet_ns ? (1ULL << 62) + row->quiet_ns : row->wait_ns;

		if (!weight)
			continue;
		if (rank_ns >= weight->top_ns) {
			weight->top_ns = rank_ns;
			weight->cause = cause_of(roles, row);
		}
		weight->wait_ns += row->wait_ns;
		weight->quiet_ns += row->quiet_ns;
	}
	for (size_t i = 0; i < obs->process_cnt; i++)
		for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
			quiet_ns[windows->weights[i][reason].cause] +=
				(double)windows->weights[i][reason].quiet_ns;
}

static void add_segment(struct windows *windows, const struct obs_segment *segment)
{
	uint32_t process = segment->thread < windows->obs->thread_cnt
				   ? windows->process_of[segment->thread]
				   : UINT32_MAX;
	double weight[QUIET_CAUSE_CNT] = { 0 };

	if (segment->start_ns >= windows->obs->duration_ns)
		return;
	for (int reason = 0; process != UINT32_MAX && reason < WAIT_REASON_CNT; reason++) {
		const struct wait_weight *of = &windows->weights[process][reason];

		weight[of->cause] += (double)segment->wait_ns[reason] * wait_weight(of);
	}
	for (size_t i = window_at(windows, segment->start_ns); i < windows->cnt; i++) {
		struct window *window = &windows->windows[i];
		struct segment_share share;

		if (window->start_ns > segment->end_ns)
			break;
		share = segment_share_of(segment, window->start_ns, window->end_ns);
		window->runnable_ns += share.run * (double)(segment->on_cpu_ns + segment->queue_ns);
		for (int cause = 0; cause < QUIET_CAUSE_CNT; cause++)
			window->quiet_ns[cause] += share.wait * weight[cause];
	}
}

static void scale_cause(struct windows *windows, int cause, double whole_ns)
{
	double sum_ns = 0;

	for (size_t i = 0; i < windows->cnt; i++)
		sum_ns += windows->windows[i].quiet_ns[cause];
	for (size_t i = 0; sum_ns > 0 && i < windows->cnt; i++)
		windows->windows[i].quiet_ns[cause] *= whole_ns / sum_ns;
}

static void scale_window(struct window *window)
{
	double sum_ns = 0;

	for (int cause = 0; cause < QUIET_CAUSE_CNT; cause++)
		sum_ns += window->quiet_ns[cause];
	for (int cause = 0; sum_ns > 0 && cause < QUIET_CAUSE_CNT; cause++)
		window->quiet_ns[cause] *= quiet_of(window) / sum_ns;
	if (sum_ns <= 0) /* nobody was there to wait */
		window->quiet_ns[QUIET_TREE] = quiet_of(window);
}

static void fit(struct windows *windows, const double quiet_ns[QUIET_CAUSE_CNT])
{
	for (size_t i = 0; i < windows->cnt; i++)
		for (int cause = 0; cause < QUIET_CAUSE_CNT; cause++)
			windows->windows[i].quiet_rate[cause] = windows->windows[i].quiet_ns[cause];
	for (int round = 0; round < FITTING_ROUNDS; round++) {
		for (int cause = 0; cause < QUIET_CAUSE_CNT; cause++)
			if (quiet_ns[cause] > 0)
				scale_cause(windows, cause, quiet_ns[cause]);
		for (size_t i = 0; i < windows->cnt; i++)
			scale_window(&windows->windows[i]);
	}
	for (size_t i = 0; i < windows->cnt; i++)
		for (int cause = 0; cause < QUIET_CAUSE_CNT; cause++) {
			struct window *window = &windows->windows[i];
			double weight = window->quiet_rate[cause];

			window->quiet_rate[cause] =
				weight > 0 ? window->quiet_ns[cause] / weight : 0;
		}
}

static void find_processes(struct windows *windows, const struct wait_roles *roles)
{
	for (size_t i = 0; i < windows->obs->thread_cnt; i++) {
		size_t at = process_index_find(&roles->index, windows->obs->threads[i].pid);

		windows->process_of[i] = at == NO_PROCESS ? UINT32_MAX : (uint32_t)at;
	}
}

static void fill_rest(const struct obs_thread *thread, uint32_t number, struct obs_segment *rest)
{
	*rest = (struct obs_segment){
		.thread = number,
		.start_ns = thread->start_ns,
		.end_ns = thread->end_ns,
		.on_cpu_ns = thread->on_cpu_ns,
		.queue_ns = thread->run_queue_ns + thread->preempted_ns + thread->throttled_ns,
	};
	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		rest->wait_ns[reason] = thread->wait_ns[reason];
		rest->wait_cnt[reason] = thread->wait_cnt[reason];
	}
}

/* Of very many threads only those that computed most have segments. */
static void find_rest(struct windows *windows, struct arena *arena)
{
	const struct observation *obs = windows->obs;
	bool *has_segment = arena_array(arena, obs->thread_cnt, sizeof(*has_segment));
	size_t cnt = obs->thread_cnt;

	for (size_t i = 0; has_segment && i < obs->segment_cnt; i++) {
		uint32_t thread = obs->segments[i].thread;

		if (thread < obs->thread_cnt && !has_segment[thread]) {
			has_segment[thread] = true;
			cnt--;
		}
	}
	windows->rest = arena_array(arena, cnt, sizeof(*windows->rest));
	for (size_t i = 0; has_segment && windows->rest && i < obs->thread_cnt; i++)
		if (!has_segment[i])
			fill_rest(&obs->threads[i], (uint32_t)i,
				  &windows->rest[windows->rest_cnt++]);
}

void windows_account(const struct observation *obs, const struct wait_roles *roles,
		     struct arena *arena, struct windows *windows)
{
	double quiet_ns[QUIET_CAUSE_CNT] = { 0 };
	size_t cnt = window_cnt(obs);

	*windows = (struct windows){ .obs = obs, .roles = roles };
	windows->windows = arena_array(arena, cnt, sizeof(*windows->windows));
	if (!windows->windows)
		return;
	windows->weights = arena_array(arena, obs->process_cnt, sizeof(*windows->weights));
	windows->process_of = arena_array(arena, obs->thread_cnt, sizeof(*windows->process_of));
	if (arena_has_failed(arena))
		return;
	windows->cnt = cnt;
	lay_out(windows);
	for (size_t i = 0; i < obs->slice_cnt; i++)
		add_slice(windows, &obs->slices[i]);
	for (size_t i = 0; i < cnt; i++)
		keep_within(&windows->windows[i]);
	find_processes(windows, roles);
	find_rest(windows, arena);
	weigh_rows(windows, roles, quiet_ns);
	for (size_t i = 0; i < obs->segment_cnt; i++)
		add_segment(windows, &obs->segments[i]);
	for (size_t i = 0; i < windows->rest_cnt; i++)
		add_segment(windows, &windows->rest[i]);
	fit(windows, quiet_ns);
}
