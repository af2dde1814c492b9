/*
 * The last account: CPU time that a process used, by its own clock or its parent's, and that no
 * thread has been given yet. It belongs to threads whose counter lags, then to those that ended
 * between two samples, and what is left to threads and processes that were never seen.
 */
#include <stdlib.h>

#include "sampler.h"

/* A thread may be on its way out for a while after it was last looked at. */
#define EXIT_MAX_NS 1000000ULL
/* Less is the error of reading counters, not threads that were missed. */
#define UNSEEN_MIN_NS 100000ULL

void settle_note_end(struct sampler *sampler, const struct tracked_process *process,
		     const struct tracked_thread *thread, uint64_t now_ns)
{
	uint64_t since_ns =
		thread->is_seen ? thread->clock.now_ns : thread_row(sampler, thread)->start_ns;
	uint64_t room_ns = thread->clock.open_ns + EXIT_MAX_NS;

	if (now_ns > since_ns)
		room_ns += now_ns - since_ns;
	if (sampler->tail_cnt == sampler->tail_room) {
		size_t wanted = sampler->tail_room ? 2 * sampler->tail_room : 64;
		struct tail *grown = realloc(sampler->tails, wanted * sizeof(*grown));

		if (!grown)
			return; /* its tail will count as unseen */
		sampler->tails = grown;
		sampler->tail_room = wanted;
	}
	sampler->tails[sampler->tail_cnt++] = (struct tail){ process, thread->row, room_ns };
}

static uint64_t give_to_running(struct sampler *sampler, struct tracked_process *process,
				uint64_t rest_ns)
{
	for (size_t i = 0; i < process->thread_cnt && rest_ns; i++) {
		struct tracked_thread *thread = process->threads[i];
		uint64_t part_ns =
			rest_ns < thread->clock.open_ns ? rest_ns : thread->clock.open_ns;

		thread->clock.open_ns -= part_ns;
		thread_row(sampler, thread)->on_cpu_ns += part_ns;
		rest_ns -= part_ns;
	}
	return rest_ns;
}

static uint64_t give_to_tail(struct sampler *sampler, struct tail *tail, uint64_t rest_ns)
{
	struct obs_thread *row = &sampler->obs.threads[tail->row];
	uint64_t room_ns =
		sampler->obs.duration_ns > row->end_ns ? sampler->obs.duration_ns - row->end_ns : 0;
	uint64_t part_ns = rest_ns;

	if (room_ns > tail->room_ns)
		room_ns = tail->room_ns;
	if (part_ns > room_ns)
		part_ns = room_ns;
	tail->room_ns -= part_ns;
	row->on_cpu_ns += part_ns;
	row->end_ns += part_ns;
	return rest_ns - part_ns;
}

static uint64_t give_to_tails_of(struct sampler *sampler, const struct tracked_process *process,
				 uint64_t rest_ns)
{
	for (size_t i = 0; i < sampler->tail_cnt && rest_ns; i++)
		if (sampler->tails[i].process == process)
			rest_ns = give_to_tail(sampler, &sampler->tails[i], rest_ns);
	return rest_ns;
}

/* What the root's account of children has and theirs have not may be of grandchildren. */
static uint64_t give_to_tails_of_children(struct sampler *sampler,
					  const struct tracked_process *parent, uint64_t rest_ns)
{
	for (size_t i = 0; i < sampler->tail_cnt && rest_ns; i++) {
		struct tail *tail = &sampler->tails[i];

		if (tail->process != parent && tail->process->is_gone &&
		    (tail->process->parent == parent || !parent->parent))
			rest_ns = give_to_tail(sampler, tail, rest_ns);
	}
	return rest_ns;
}

static void add_unseen_thread(struct sampler *sampler, const struct obs_process *process,
			      uint64_t on_cpu_ns)
{
	struct obs_thread *row = observation_add_thread(&sampler->obs);

	if (!row)
		return;
	row->pid = process->pid;
	row->comm = "(unseen)";
	row->exited = true;
	row->start_ns = process->start_ns;
	row->end_ns = process->start_ns + on_cpu_ns;
	row->on_cpu_ns = on_cpu_ns;
}

static void add_unseen(struct sampler *sampler, const struct tracked_process *process,
		       uint64_t rest_ns)
{
	const struct obs_process *row = process_row(sampler, process);
	uint64_t room_ns = sampler->obs.duration_ns - row->start_ns;

	if (rest_ns < UNSEEN_MIN_NS || room_ns == 0)
		return;
	/* No thread can compute for longer than it lived: several, if need be. */
	for (; rest_ns > room_ns; rest_ns -= room_ns)
		add_unseen_thread(sampler, row, room_ns);
	add_unseen_thread(sampler, row, rest_ns);
}

static void settle_own(struct sampler *sampler, struct tracked_process *process)
{
	uint64_t own_ns = process_cpu_ns(process) - process->cpu_clock_base_ns;
	uint64_t rest_ns = own_ns - process->booked_on_cpu_ns;

	rest_ns = give_to_running(sampler, process, rest_ns);
	rest_ns = give_to_tails_of(sampler, process, rest_ns);
	add_unseen(sampler, process, rest_ns);
}

void settle(struct sampler *sampler)
{
	for (size_t i = 0; i < sampler->process_cnt; i++)
		settle_own(sampler, sampler->processes[i]);
	for (size_t i = 0; i < sampler->process_cnt; i++) {
		struct tracked_process *process = sampler->processes[i];

		sampler->unseen_ns += process->children_unseen_ns;
		add_unseen(
			sampler, process,
			give_to_tails_of_children(sampler, process, process->children_unseen_ns));
	}
}
