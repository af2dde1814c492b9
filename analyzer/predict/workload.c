/* Cuts the observed run into operations. docs/rules.md, "Prediction", says how and why. */
#include "predict/workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/thresholds.h"
#include "predict/costs.h"
#include "predict/far_end_slots.h"
#include "predict/limits.h"

/* The state of the cutting. */
struct cutter {
	const struct facts *facts;
	struct workload *to;
	size_t room;		/* stretches that there is room for */
	double neighbour_share; /* of waits for the network */
	double stream_share;	/* of waits for other processes: those at pipes */
	double chunk_ns;	/* computing without a wait is cut into pieces of this length */
};

double stretch_own_ns(const struct stretch *stretch)
{
	return stretch->computed_ns + stretch->delay_ns + stretch->disk_ns + stretch->neighbour_ns +
	       stretch->stream_ns;
}

static void stretch_add(struct stretch *to, const struct stretch *from)
{
	double computed_ns = to->computed_ns + from->computed_ns;

	if (computed_ns > 0)
		to->gil_part =
			(to->gil_part * to->computed_ns + from->gil_part * from->computed_ns) /
			computed_ns;
	to->at_ns = from->at_ns;
	to->cnt += from->cnt;
	to->computed_ns = computed_ns;
	to->delay_ns += from->delay_ns;
	to->disk_ns += from->disk_ns;
	to->neighbour_ns += from->neighbour_ns;
	to->stream_ns += from->stream_ns;
}

/* How much of its computing a thread does under the global lock: by samples where there are some,
 * else all of it, but for threads that were seen to compute at the same time. */
static double gil_part(const struct facts *facts, const struct thread_facts *thread)
{
	if (!thread->process || thread->process->process->is_free_threaded ||
	    runtime_global_lock(thread->process->runtime) == GLOBAL_LOCK_NONE)
		return 0;
	/* Copying in system calls goes to memory that was just mapped, and is unmapped again:
	 * threads of one process meet there as they do at the lock. */
	if (thread->thread->sample_cnt >= GIL_SAMPLES_MIN &&
	    share_of(thread->thread->io_sample_cnt, thread->thread->sample_cnt) >= COPYING_SHARE)
		return 1;
	if (thread->thread->gil_sample_cnt >= GIL_SAMPLES_MIN)
		return share_of(thread->thread->gil_held_sample_cnt,
				thread->thread->gil_sample_cnt);
	return thread->process == facts->dominant && facts_works_outside_lock(facts) ? 0 : 1;
}

/* What part of a thread's waits for @reason is its own: for results or for time, not for work or
 * for others of the tree, as its process's rows have it. */
static double own_part(const struct thread_facts *thread, enum wait_reason reason)
{
	const struct process_facts *process = thread->process;
	double row_ns = process ? (double)process->row_ns[reason] : 0;

	if (row_ns <= 0)
		return 0;
	if (reason == WAIT_TIMER)
		return 1 - (double)process->work_wait_ns[reason] / row_ns;
	return (double)process->result_ns[reason] / row_ns;
}

static void add_wait(const struct cutter *cutter, const struct thread_facts *thread,
		     enum wait_reason reason, double wait_ns, double wait_cnt, struct stretch *to)
{
	double part = own_part(thread, reason), own_ns = part * wait_ns;
	double stream = reason == WAIT_IPC ? cutter->stream_share : 0;

	if (own_ns <= 0)
		return;
	to->cnt += part * wait_cnt;
	if (reason == WAIT_DISK || reason == WAIT_PAGING) {
		to->disk_ns += own_ns;
	} else if (reason == WAIT_NETWORK || reason == WAIT_IPC) {
		to->stream_ns += stream * own_ns;
		to->neighbour_ns += (1 - stream) * cutter->neighbour_share * own_ns;
		to->delay_ns += (1 - stream) * (1 - cutter->neighbour_share) * own_ns;
	} else {
		to->delay_ns += own_ns;
	}
}

static struct stretch stretch_of(const struct cutter *cutter, const struct thread_facts *thread,
				 const struct obs_segment *segment)
{
	struct stretch stretch = {
		.at_ns = segment->end_ns,
		.computed_ns = (double)segment->on_cpu_ns,
		.gil_part = gil_part(cutter->facts, thread),
	};

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		add_wait(cutter, thread, reason, (double)segment->wait_ns[reason],
			 (double)segment->wait_cnt[reason], &stretch);
	return stretch;
}

/* Takes @stretch into the workload, as at least one operation. */
static void keep(struct cutter *cutter, struct stretch *stretch)
{
	struct workload *to = cutter->to;

	if (stretch_own_ns(stretch) <= 0)
		return;
	/* What hardly waits comes in more pieces than its few waits tell. */
	if (stretch->computed_ns >= CPU_SHARE * stretch_own_ns(stretch))
		stretch->cnt = fmax(stretch->cnt, ceil(stretch->computed_ns / cutter->chunk_ns));
	stretch->cnt = fmax(round(stretch->cnt), 1);
	if (to->stretch_cnt < cutter->room)
		to->stretches[to->stretch_cnt++] = *stretch;
	to->operation_cnt += stretch->cnt;
	stretch_add(&to->sum, stretch);
}

/* Segments of a thread that are still to be cut. */
struct range {
	const struct obs_segment *segments;
	size_t cnt;
};

#define AS_SEEN -1.0

/* How long waits of the thread are, each weighted by its length. */
static double typical_wait_ns(const struct cutter *cutter, const struct thread_facts *thread,
			      const struct range *range)
{
	double squares = 0, sum_ns = 0;

	for (size_t i = 0; i < range->cnt; i++) {
		struct stretch next = stretch_of(cutter, thread, &range->segments[i]);
		double waited_ns = stretch_own_ns(&next) - next.computed_ns;

		sum_ns += waited_ns;
		squares += waited_ns * waited_ns / fmax(next.cnt, 1);
	}
	return sum_ns > 0 ? squares / sum_ns : 0;
}

/*
 * What the thread computes up to a wait belongs to that operation, unless it computes for long.
 * Much shorter waits than others are no operations: to connect, for the rest of an answer.
 * @first_ns: what it computes up to the first, or AS_SEEN.
 */
static void cut_segments(struct cutter *cutter, const struct thread_facts *thread,
			 const struct range *range, double first_ns)
{
	double least_ns = SHORT_WAIT * typical_wait_ns(cutter, thread, range);
	struct stretch open = { 0 };

	for (size_t i = 0; i < range->cnt; i++) {
		struct stretch next = stretch_of(cutter, thread, &range->segments[i]);
		double waited_ns;

		if (!i && first_ns >= 0)
			next.computed_ns = first_ns;
		stretch_add(&open, &next);
		waited_ns = stretch_own_ns(&open) - open.computed_ns;
		if (waited_ns <= least_ns && open.computed_ns < cutter->chunk_ns)
			continue;
		if (next.cnt <= 1)
			open.cnt = 1;
		keep(cutter, &open);
		open = (struct stretch){ 0 };
	}
	keep(cutter, &open);
}

/* Where the course of a thread wasn't recorded, all operations are as the mean one. */
static struct obs_segment whole_life(const struct obs_thread *thread)
{
	struct obs_segment segment = {
		.start_ns = thread->start_ns,
		.end_ns = thread->end_ns,
		.on_cpu_ns = thread->on_cpu_ns,
	};

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++) {
		segment.wait_ns[reason] = thread->wait_ns[reason];
		segment.wait_cnt[reason] = thread->wait_cnt[reason];
	}
	return segment;
}

/* The segments of each thread: segments[first[i]] to segments[first[i + 1]]. */
static size_t *find_segments(const struct facts *facts)
{
	const struct observation *obs = facts->obs;
	size_t *first = arena_array(facts->scratch, obs->thread_cnt + 1, sizeof(*first));

	if (!first)
		return NULL;
	for (size_t i = 0; i < obs->segment_cnt; i++)
		first[obs->segments[i].thread + 1]++;
	for (size_t i = 0; i < obs->thread_cnt; i++)
		first[i + 1] += first[i];
	return first;
}

static bool waits_for_others(const struct stretch *stretch)
{
	return stretch->delay_ns + stretch->neighbour_ns + stretch->stream_ns > 0;
}

/*
 * A program that starts, then computes and waits in turns n times, then ends, computes n + 1 times:
 * what it does before the first and after the last of these waits is its start, its end and one
 * operation's computing, which is as long as between the others. Waits for the disk don't count:
 * what a program reads first may be its modules.
 */
struct edges {
	size_t first, last; /* segments with such waits; first > last: there are none */
	double outside_ns;  /* before and after */
	double inside_ns;   /* computed between, and in the pieces of: */
	double inside_cnt;
};

static struct edges find_edges(const struct cutter *cutter, const struct thread_facts *thread,
			       const struct range *range)
{
	struct edges edges = { .first = 1, .last = 0 };

	for (size_t i = 0; i < range->cnt; i++) {
		struct stretch next = stretch_of(cutter, thread, &range->segments[i]);

		if (!waits_for_others(&next))
			continue;
		if (edges.first > edges.last)
			edges.first = i;
		edges.last = i;
	}
	for (size_t i = 0; i < range->cnt; i++) {
		struct stretch next = stretch_of(cutter, thread, &range->segments[i]);

		if (i > edges.first && i <= edges.last) {
			edges.inside_ns += next.computed_ns;
			edges.inside_cnt += next.cnt;
		} else {
			edges.outside_ns += next.computed_ns + next.disk_ns;
		}
	}
	return edges;
}

/* Takes a process's start and end, which no other model spreads, off its first thread's @range,
 * unless they are too long to be no work. Returns what it then computes up to its first wait. */
static double take_start(struct cutter *cutter, const struct thread_facts *thread,
			 struct range *range)
{
	struct edges edges = find_edges(cutter, thread, range);
	double piece_ns = edges.inside_cnt > 0 ? edges.inside_ns / edges.inside_cnt : 0;
	double start_ns = edges.outside_ns - piece_ns;

	if (thread->thread->tid != thread->thread->pid || !thread->process ||
	    !thread->process->process->is_exec)
		return AS_SEEN;
	if (edges.first > edges.last && thread->process->thread_cnt < 2)
		return AS_SEEN;
	if (start_ns <= 0 || start_ns > START_MAX_NS ||
	    start_ns > START_MAX_SHARE * (double)thread->life_ns)
		return AS_SEEN;
	cutter->to->start_ns += start_ns;
	if (edges.first > edges.last) {
		range->cnt = 0;
	} else {
		range->segments += edges.first;
		range->cnt = edges.last + 1 - edges.first;
	}
	return piece_ns;
}

/* Cuts each thread by itself: a thread's waits and computing follow each other. */
static void cut_threads(struct cutter *cutter)
{
	const struct facts *facts = cutter->facts;
	size_t *first = find_segments(facts);

	for (size_t i = 0; first && i < facts->obs->thread_cnt; i++) {
		const struct thread_facts *thread = &facts->threads[i];
		struct obs_segment whole = whole_life(thread->thread);
		struct range range = { &facts->obs->segments[first[i]], first[i + 1] - first[i] };

		double first_ns = AS_SEEN;

		if (range.cnt)
			first_ns = take_start(cutter, thread, &range);
		else
			range = (struct range){ &whole, 1 };
		cut_segments(cutter, thread, &range, first_ns);
	}
}

/* Commands: all that a process does is one operation, and what starts them hands them out. */
static void cut_commands(struct cutter *cutter)
{
	const struct facts *facts = cutter->facts;
	double started_cnt = 0, starting_ns = 0;

	for (size_t p = 0; p < facts->obs->process_cnt; p++) {
		const struct process_facts *process = &facts->processes[p];
		struct stretch sum = { 0 };

		for (size_t i = 0; i < process->thread_cnt; i++) {
			struct obs_segment whole = whole_life(process->threads[i]->thread);
			struct stretch part = stretch_of(cutter, process->threads[i], &whole);

			part.gil_part = 0; /* each process has its own */
			stretch_add(&sum, &part);
		}
		if (process->process->pid == facts->obs->target.pid) {
			starting_ns = sum.computed_ns;
			continue;
		}
		sum.cnt = 1;
		started_cnt++;
		keep(cutter, &sum);
	}
	cutter->to->dispatch_ns = started_cnt > 0 ? starting_ns / started_cnt : 0;
}

static int by_time(const void *a, const void *b)
{
	const struct stretch *left = a, *right = b;

	return (left->at_ns > right->at_ns) - (left->at_ns < right->at_ns);
}

/* The part of the waits for the network that far ends on this host computed in. */
static double neighbour_share(const struct facts *facts, uint32_t *slots)
{
	double cpu_ns = 0, wait_ns = 0;

	for (size_t i = 0; i < facts->obs->far_end_cnt; i++)
		cpu_ns += (double)facts->obs->far_ends[i].cpu_ns;
	/* Where it isn't the one that listens who serves, there may be more when they are asked for
	 * more. */
	*slots = facts->obs->far_end_cnt == 1 && facts->obs->far_ends[0].is_one_thread;
	for (size_t i = 0; i < facts->obs->process_cnt; i++)
		wait_ns += (double)(facts->processes[i].result_ns[WAIT_NETWORK] +
				    facts->processes[i].result_ns[WAIT_IPC]);
	return wait_ns > 0 ? fmin(cpu_ns / wait_ns, 1) : 0;
}

static double stream_share(const struct observation *obs)
{
	uint64_t all_ns = 0, pipe_ns = 0;

	for (size_t i = 0; i < obs->wait_cnt; i++) {
		if (obs->waits[i].reason != WAIT_IPC)
			continue;
		all_ns += obs->waits[i].wait_ns;
		if (obs->waits[i].kind == OBJECT_PIPE)
			pipe_ns += obs->waits[i].wait_ns;
	}
	return share_of(pipe_ns, all_ns);
}

/*
 * A lock that holds the threads up is held by one after another without a break: of what all of
 * them do at a time, one part is done under it.
 */
static double lock_part(const struct facts *facts, const struct model *model)
{
	double at_once = model->active_threads;

	if (model->turns_share <= 0) {
		if (!facts->lock.is_serialising || facts->lock.thread_share < LOCK_SHARE)
			return 0;
		at_once = share_of(facts->served_ns - facts->lock.wait_ns, facts->busy_ns);
	}
	return 1 / fmax(at_once, 1);
}

/* By the device that was waited for longest. */
static uint32_t disk_slots(const struct observation *obs)
{
	static const struct {
		const char *prefix;
		uint32_t slots;
	} devices[] = { { "nvme", NVME_SLOTS }, { "vd", VIRTUAL_SLOTS }, { "xvd", VIRTUAL_SLOTS } };
	const struct obs_wait *longest = NULL;

	for (size_t i = 0; i < obs->wait_cnt; i++) {
		const struct obs_wait *row = &obs->waits[i];

		if (row->reason == WAIT_DISK && row->device[0] &&
		    (!longest || row->wait_ns > longest->wait_ns))
			longest = row;
	}
	for (size_t i = 0; longest && i < sizeof(devices) / sizeof(devices[0]); i++)
		if (!strncmp(longest->device, devices[i].prefix, strlen(devices[i].prefix)))
			return devices[i].slots;
	return DISK_SLOTS;
}

/*
 * Whether nearly all that it syncs are the same few files, as a database's and its journal, and
 * that (with making and removing them) is most of what it waits for: its writers come one after
 * another, however many they are.
 */
static bool syncs_one_file(const struct facts *facts)
{
	const struct observation *obs = facts->obs;
	uint64_t cnt = 0, most[ONE_FILE_NAMES] = { 0 }, most_cnt = 0, wait_ns = 0;

	for (size_t i = 0; i < obs->wait_cnt; i++) {
		const struct obs_wait *row = &obs->waits[i];
		uint64_t here = row->wait_cnt;

		if (row->operation == OPERATION_SYNC || row->operation == OPERATION_METADATA)
			wait_ns += row->wait_ns;
		if (row->operation != OPERATION_SYNC)
			continue;
		cnt += here;
		for (size_t m = 0; m < ONE_FILE_NAMES && row->name[0]; m++) {
			uint64_t less = most[m];

			if (here <= less)
				continue;
			most[m] = here;
			here = less;
		}
	}
	for (size_t m = 0; m < ONE_FILE_NAMES; m++)
		most_cnt += most[m];
	return cnt >= ONE_FILE_SYNCS && share_of(most_cnt, cnt) >= ONE_FILE_SHARE &&
	       wait_ns > facts->outside_ns / 2;
}

static double computed_ns(const struct facts *facts)
{
	double sum_ns = 0;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++)
		sum_ns += (double)facts->obs->threads[i].on_cpu_ns;
	return sum_ns;
}

void workload_build(const struct facts *facts, const struct model *model, struct workload *workload)
{
	size_t room =
		facts->obs->segment_cnt + 2 * facts->obs->thread_cnt + facts->obs->process_cnt;
	struct cutter cutter = { .facts = facts, .to = workload, .room = room };

	*workload = (struct workload){ .lock_part = lock_part(facts, model),
				       .switch_interval_ns = SWITCH_INTERVAL_NS,
				       .is_commands = model->is_command_sequence };
	workload->stretches = arena_array(facts->scratch, room, sizeof(*workload->stretches));
	if (!workload->stretches || !facts->dominant)
		return;
	if (facts->dominant->runtime == RUNTIME_RUBY)
		workload->switch_interval_ns = RUBY_INTERVAL_NS;
	workload->disk_slots = disk_slots(facts->obs);
	workload->is_of_one_file = syncs_one_file(facts);
	if (workload->is_of_one_file)
		workload->lock_part = 1;
	cutter.stream_share = stream_share(facts->obs);
	cutter.neighbour_share = neighbour_share(facts, &workload->neighbour_slots);
	cutter.chunk_ns = fmax(computed_ns(facts) / CHUNKS, 1);
	if (workload->is_commands)
		cut_commands(&cutter);
	else
		cut_threads(&cutter);
	qsort(workload->stretches, workload->stretch_cnt, sizeof(*workload->stretches), by_time);
	workload->is_of_one_stream =
		workload->sum.stream_ns >
		(stretch_own_ns(&workload->sum) - workload->sum.computed_ns) / 2;
	far_end_slots_find(workload, model, facts->busy_ns);
	if (workload->start_ns <= 0 && facts->obs->target.mode == TARGET_WRAP)
		workload->start_ns = fmin(costs_of_start(facts->dominant->runtime),
					  START_MAX_SHARE * workload->sum.computed_ns);
}
