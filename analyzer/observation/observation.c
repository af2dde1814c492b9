/* The observation's memory: arrays that double and strings that are stored once. */
#include "observation/observation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observation/string_pool.h"

void observation_init(struct observation *obs)
{
	*obs = (struct observation){
		.host.kernel = "",
		.target.cgroup = "",
		.quality.source_note = "",
	};
}

void observation_release(struct observation *obs)
{
	for (size_t i = 0; i < obs->process_cnt; i++)
		free(obs->processes[i].modules);
	free(obs->processes);
	free(obs->threads);
	free(obs->waits);
	free(obs->lock_holders);
	free(obs->neighbours);
	free(obs->segments);
	free(obs->slices);
	free(obs->far_ends);
	free(obs->frames);
	free(obs->calls);
	free(obs->stack_times);
	free(obs->stack_quality.notes);
	free(obs->target.argv);
	free(obs->quality.missing_probes);
	if (!obs->has_borrowed_strings)
		string_pool_free(obs->strings);
	observation_init(obs);
}

const char *observation_intern(struct observation *obs, const char *bytes, size_t len)
{
	if (!obs->strings)
		obs->strings = string_pool_new(0);
	if (!obs->strings)
		return NULL;
	return string_pool_intern(obs->strings, bytes, len);
}

/* Room for one more element. The capacity is the next power of two from @cnt on, so it need not be
 * stored: a full array is one whose count is a power of two. */
static void *make_room(void *array, size_t cnt, size_t element_bytes)
{
	if (cnt & (cnt - 1))
		return array;
	return reallocarray(array, cnt ? cnt * 2 : 1, element_bytes);
}

struct obs_process *observation_add_process(struct observation *obs)
{
	struct obs_process *all = make_room(obs->processes, obs->process_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->processes = all;
	all[obs->process_cnt] =
		(struct obs_process){ .comm = "", .exe = "", .command = "", .toolchain = "" };
	return &all[obs->process_cnt++];
}

struct obs_thread *observation_add_thread(struct observation *obs)
{
	struct obs_thread *all = make_room(obs->threads, obs->thread_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->threads = all;
	all[obs->thread_cnt] = (struct obs_thread){ .comm = "", .poll_call = "" };
	return &all[obs->thread_cnt++];
}

struct obs_wait *observation_add_wait(struct observation *obs)
{
	struct obs_wait *all = make_room(obs->waits, obs->wait_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->waits = all;
	all[obs->wait_cnt] =
		(struct obs_wait){ .name = "", .call = "", .device = "", .far_end = "" };
	return &all[obs->wait_cnt++];
}

struct obs_lock_holder *observation_add_lock_holder(struct observation *obs)
{
	struct obs_lock_holder *all =
		make_room(obs->lock_holders, obs->lock_holder_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->lock_holders = all;
	all[obs->lock_holder_cnt] = (struct obs_lock_holder){ .name = "", .comm = "" };
	return &all[obs->lock_holder_cnt++];
}

struct obs_neighbour *observation_add_neighbour(struct observation *obs)
{
	struct obs_neighbour *all = make_room(obs->neighbours, obs->neighbour_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->neighbours = all;
	all[obs->neighbour_cnt] = (struct obs_neighbour){ .comm = "" };
	return &all[obs->neighbour_cnt++];
}

struct obs_segment *observation_add_segment(struct observation *obs)
{
	struct obs_segment *all = make_room(obs->segments, obs->segment_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->segments = all;
	all[obs->segment_cnt] = (struct obs_segment){ 0 };
	return &all[obs->segment_cnt++];
}

struct obs_slice *observation_add_slice(struct observation *obs)
{
	struct obs_slice *all = make_room(obs->slices, obs->slice_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->slices = all;
	all[obs->slice_cnt] = (struct obs_slice){ 0 };
	return &all[obs->slice_cnt++];
}

struct obs_far_end *observation_add_far_end(struct observation *obs)
{
	struct obs_far_end *all = make_room(obs->far_ends, obs->far_end_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->far_ends = all;
	all[obs->far_end_cnt] = (struct obs_far_end){ .name = "" };
	return &all[obs->far_end_cnt++];
}

struct obs_frame *observation_add_frame(struct observation *obs)
{
	struct obs_frame *all = make_room(obs->frames, obs->frame_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->frames = all;
	all[obs->frame_cnt] = (struct obs_frame){ .function = "", .file = "", .module = "" };
	return &all[obs->frame_cnt++];
}

struct obs_call *observation_add_call(struct observation *obs)
{
	struct obs_call *all = make_room(obs->calls, obs->call_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->calls = all;
	all[obs->call_cnt] = (struct obs_call){ .caller = NO_CALLER };
	return &all[obs->call_cnt++];
}

struct obs_stack_time *observation_add_stack_time(struct observation *obs)
{
	struct obs_stack_time *all = make_room(obs->stack_times, obs->stack_time_cnt, sizeof(*all));

	if (!all)
		return NULL;
	obs->stack_times = all;
	all[obs->stack_time_cnt] = (struct obs_stack_time){ .thread = "", .task = "" };
	return &all[obs->stack_time_cnt++];
}

/* A copy with as much room as make_room() would have made for it. */
static void *copy_array(const void *array, size_t cnt, size_t element_bytes, bool *has_failed)
{
	size_t room = 1;
	void *copy;

	if (!cnt)
		return NULL;
	while (room < cnt)
		room *= 2;
	copy = reallocarray(NULL, room, element_bytes);
	if (copy)
		memcpy(copy, array, cnt * element_bytes);
	else
		*has_failed = true;
	return copy;
}

/* A count without its array would be followed. */
#define COPY_ARRAY(to, from, array, cnt)                                                     \
	do {                                                                                 \
		(to)->array = copy_array((from)->array, (from)->cnt, sizeof(*(from)->array), \
					 &has_failed);                                       \
		(to)->cnt = (to)->array ? (from)->cnt : 0;                                   \
	} while (0)

int observation_draft(struct observation *draft, struct observation *from)
{
	bool has_failed = !observation_intern(from, "", 0); /* so that there is a pool to share */

	*draft = *from;
	draft->has_borrowed_strings = true;
	COPY_ARRAY(draft, from, processes, process_cnt);
	for (size_t i = 0; i < draft->process_cnt; i++)
		COPY_ARRAY(&draft->processes[i], &from->processes[i], modules, module_cnt);
	COPY_ARRAY(draft, from, threads, thread_cnt);
	COPY_ARRAY(draft, from, waits, wait_cnt);
	COPY_ARRAY(draft, from, lock_holders, lock_holder_cnt);
	COPY_ARRAY(draft, from, neighbours, neighbour_cnt);
	COPY_ARRAY(draft, from, segments, segment_cnt);
	COPY_ARRAY(draft, from, slices, slice_cnt);
	COPY_ARRAY(draft, from, far_ends, far_end_cnt);
	COPY_ARRAY(draft, from, frames, frame_cnt);
	COPY_ARRAY(draft, from, calls, call_cnt);
	COPY_ARRAY(draft, from, stack_times, stack_time_cnt);
	COPY_ARRAY(draft, from, stack_quality.notes, stack_quality.note_cnt);
	COPY_ARRAY(draft, from, target.argv, target.argc);
	COPY_ARRAY(draft, from, quality.missing_probes, quality.missing_probe_cnt);
	return has_failed ? -ENOMEM : 0;
}

int observation_add_string(struct observation *obs, const char ***array, size_t *cnt,
			   const char *text)
{
	const char *copy = observation_intern(obs, text, strlen(text));
	const char **all = copy ? make_room(*array, *cnt, sizeof(*all)) : NULL;

	if (!all)
		return -ENOMEM;
	*array = all;
	all[(*cnt)++] = copy;
	return 0;
}

int observation_add_missing_probe(struct observation *obs, const char *text)
{
	return observation_add_string(obs, &obs->quality.missing_probes,
				      &obs->quality.missing_probe_cnt, text);
}

int observation_add_stack_note(struct observation *obs, const char *text)
{
	return observation_add_string(obs, &obs->stack_quality.notes, &obs->stack_quality.note_cnt,
				      text);
}

struct obs_process *observation_find_process(const struct observation *obs, pid_t pid)
{
	for (size_t i = 0; i < obs->process_cnt; i++)
		if (obs->processes[i].pid == pid)
			return &obs->processes[i];
	return NULL;
}

uint64_t obs_thread_wait_ns(const struct obs_thread *thread)
{
	uint64_t sum_ns = 0;

	for (int reason = 0; reason < WAIT_REASON_CNT; reason++)
		sum_ns += thread->wait_ns[reason];
	return sum_ns;
}
