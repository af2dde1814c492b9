/* Groups of stack times that share one exact time; see stack_times.h and docs/rules.md, "Lines". */
#include "explain/stack_times.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "account/process_index.h"
#include "account/thread_time.h"
#include "arena.h"
#include "decide/thresholds.h"

#define NO_GROUP UINT32_MAX

/* Time that is known exactly and the samples that tell what it went to. */
struct group {
	uint64_t exact_ns;
	uint64_t sampled_ns;
	uint64_t sample_cnt;
	uint64_t done_ns; /* of sampled_ns: scaled already */
	uint32_t heir;	  /* has too few samples of its own: is part of that one; or NO_GROUP */
};

struct cpu_thread {
	pid_t pid, tid;
	uint64_t exact_ns, sampled_ns, sample_cnt;
	uint32_t group;
};

struct scaling {
	const struct observation *obs;
	struct group *groups; /* those of waits first, by row */
	uint32_t group_cnt;
	struct cpu_thread *threads; /* by pid and tid, each once */
	size_t thread_cnt;
};

static int by_thread(const void *a, const void *b)
{
	const struct cpu_thread *left = a, *right = b;

	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return (left->tid > right->tid) - (left->tid < right->tid);
}

/* Puts what is of one thread into one. Returns how many are left. */
static size_t merge_threads(struct cpu_thread *threads, size_t cnt)
{
	size_t kept = 0;

	if (cnt)
		qsort(threads, cnt, sizeof(*threads), by_thread);
	for (size_t i = 0; i < cnt; i++) {
		if (kept && !by_thread(&threads[kept - 1], &threads[i])) {
			threads[kept - 1].exact_ns += threads[i].exact_ns;
			threads[kept - 1].sampled_ns += threads[i].sampled_ns;
			threads[kept - 1].sample_cnt += threads[i].sample_cnt;
		} else {
			threads[kept++] = threads[i];
		}
	}
	return kept;
}

static void collect_threads(struct scaling *scaling, struct arena *arena)
{
	const struct observation *obs = scaling->obs;
	size_t cnt = 0;

	scaling->threads = arena_array(arena, obs->thread_cnt + obs->stack_time_cnt,
				       sizeof(*scaling->threads));
	if (!scaling->threads)
		return;
	for (size_t i = 0; i < obs->thread_cnt; i++)
		scaling->threads[cnt++] =
			(struct cpu_thread){ .pid = obs->threads[i].pid,
					     .tid = obs->threads[i].tid,
					     .exact_ns = obs->threads[i].on_cpu_ns };
	for (size_t i = 0; i < obs->stack_time_cnt; i++) {
		const struct obs_stack_time *time = &obs->stack_times[i];

		if (time->is_on_cpu)
			scaling->threads[cnt++] =
				(struct cpu_thread){ .pid = time->pid,
						     .tid = time->tid,
						     .sampled_ns = time->time_ns,
						     .sample_cnt = time->sample_cnt };
	}
	scaling->thread_cnt = merge_threads(scaling->threads, cnt);
}

static uint32_t add_group(struct scaling *scaling)
{
	struct group *group = &scaling->groups[scaling->group_cnt];

	*group = (struct group){ .heir = NO_GROUP };
	return scaling->group_cnt++;
}

static void add_to_group(struct group *group, uint64_t exact_ns, uint64_t sampled_ns,
			 uint64_t sample_cnt)
{
	group->exact_ns += exact_ns;
	group->sampled_ns += sampled_ns;
	group->sample_cnt += sample_cnt;
}

/* A thread with samples enough of its own is a group; the others of its process are one together.
 * Returns that one. */
static uint32_t group_process(struct scaling *scaling, struct cpu_thread *threads, size_t cnt)
{
	uint32_t rest = add_group(scaling);

	for (size_t i = 0; i < cnt; i++) {
		struct cpu_thread *thread = &threads[i];

		thread->group =
			thread->sample_cnt >= SCALED_SAMPLES_MIN ? add_group(scaling) : rest;
		add_to_group(&scaling->groups[thread->group], thread->exact_ns, thread->sampled_ns,
			     thread->sample_cnt);
	}
	return rest;
}

struct small_process {
	const char *program;
	uint32_t group;
};

static int by_program(const void *a, const void *b)
{
	const struct small_process *left = a, *right = b;
	int order = strcmp(left->program, right->program);

	return order ? order : (left->group > right->group) - (left->group < right->group);
}

/* Many processes that are too short to be sampled often are one group if they run one program: what
 * a compiler spends its time on is told by all its runs. */
static void group_programs(struct scaling *scaling, struct small_process *processes, size_t cnt)
{
	struct group *groups = scaling->groups;
	uint32_t heir = NO_GROUP;

	if (cnt)
		qsort(processes, cnt, sizeof(*processes), by_program);
	for (size_t i = 0; i < cnt; i++) {
		struct group *group = &groups[processes[i].group];

		if (!i || strcmp(processes[i - 1].program, processes[i].program)) {
			heir = processes[i].group;
			continue;
		}
		add_to_group(&groups[heir], group->exact_ns, group->sampled_ns, group->sample_cnt);
		group->heir = heir;
	}
}

static const char *program_of(const struct process_index *index, pid_t pid)
{
	const struct obs_process *process = process_index_get(index, pid);

	if (!process)
		return "";
	return process->exe[0] ? process->exe : process->comm;
}

static void group_threads(struct scaling *scaling, struct arena *arena)
{
	struct small_process *small = arena_array(arena, scaling->thread_cnt, sizeof(*small));
	struct process_index index;
	size_t small_cnt = 0, next;

	process_index_init(&index, scaling->obs, arena);
	for (size_t first = 0; small && first < scaling->thread_cnt; first = next) {
		pid_t pid = scaling->threads[first].pid;
		uint32_t rest;

		for (next = first; next < scaling->thread_cnt; next++)
			if (scaling->threads[next].pid != pid)
				break;
		rest = group_process(scaling, &scaling->threads[first], next - first);
		if (scaling->groups[rest].sample_cnt < SCALED_SAMPLES_MIN)
			small[small_cnt++] =
				(struct small_process){ program_of(&index, pid), rest };
	}
	group_programs(scaling, small, small_cnt);
}

static void group_waits(struct scaling *scaling)
{
	const struct observation *obs = scaling->obs;

	for (size_t i = 0; i < obs->wait_cnt; i++)
		scaling->groups[add_group(scaling)].exact_ns = obs->waits[i].wait_ns;
	for (size_t i = 0; i < obs->stack_time_cnt; i++) {
		const struct obs_stack_time *time = &obs->stack_times[i];

		if (!time->is_on_cpu && time->wait < obs->wait_cnt)
			add_to_group(&scaling->groups[time->wait], 0, time->time_ns,
				     time->sample_cnt);
	}
}

/* Chance alone doesn't miss more than half of what there is, and two standard errors more where
 * samples are few: what is beyond that has stacks that are not known. */
static void limit_group(struct group *group)
{
	double most = SCALE_MAX * (1 + 2 / sqrt(fmax((double)group->sample_cnt, 1)));

	if ((double)group->exact_ns > most * (double)group->sampled_ns)
		group->exact_ns = (uint64_t)(most * (double)group->sampled_ns);
}

static uint32_t group_of(const struct scaling *scaling, const struct obs_stack_time *time)
{
	struct cpu_thread key = { .pid = time->pid, .tid = time->tid };
	const struct cpu_thread *thread;
	uint32_t group;

	if (!time->is_on_cpu)
		return time->wait < scaling->obs->wait_cnt ? time->wait : NO_GROUP;
	thread = bsearch(&key, scaling->threads, scaling->thread_cnt, sizeof(key), by_thread);
	if (!thread)
		return NO_GROUP;
	group = thread->group;
	return scaling->groups[group].heir == NO_GROUP ? group : scaling->groups[group].heir;
}

/* Scales running sums, so that the parts sum to the whole without a rest. */
static uint64_t take_share(struct group *group, uint64_t time_ns)
{
	uint64_t before_ns = scale_ns(group->done_ns, group->exact_ns, group->sampled_ns);

	group->done_ns += time_ns;
	return scale_ns(group->done_ns, group->exact_ns, group->sampled_ns) - before_ns;
}

static double seen_part(const struct observation *obs, const struct obs_stack_time *time,
			const struct group *group)
{
	const struct obs_wait *row;

	if (time->is_on_cpu)
		return 0;
	row = &obs->waits[time->wait];
	return row->wait_cnt ? fmin((double)group->sample_cnt / (double)row->wait_cnt, 1) : 0;
}

static void scale_all(struct scaling *scaling, struct stack_share *shares)
{
	const struct observation *obs = scaling->obs;

	for (uint32_t i = 0; i < scaling->group_cnt; i++)
		limit_group(&scaling->groups[i]);
	for (size_t i = 0; i < obs->stack_time_cnt; i++) {
		const struct obs_stack_time *time = &obs->stack_times[i];
		uint32_t group = group_of(scaling, time);

		if (group == NO_GROUP)
			continue;
		shares[i].time_ns = take_share(&scaling->groups[group], time->time_ns);
		shares[i].seen_part = seen_part(obs, time, &scaling->groups[group]);
	}
}

struct stack_share *stack_times_scale(const struct observation *obs, struct arena *arena)
{
	struct scaling scaling = { .obs = obs };
	struct stack_share *shares = arena_array(arena, obs->stack_time_cnt, sizeof(*shares));

	if (!shares)
		return NULL;
	collect_threads(&scaling, arena);
	if (!scaling.threads)
		return NULL;
	/* Each thread's own, and the rest of each process, which has a thread at least. */
	scaling.groups =
		arena_array(arena, obs->wait_cnt + 2 * scaling.thread_cnt, sizeof(*scaling.groups));
	if (!scaling.groups)
		return NULL;
	group_waits(&scaling);
	group_threads(&scaling, arena);
	scale_all(&scaling, shares);
	return shares;
}
