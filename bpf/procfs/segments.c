/* What threads and the tree did from one sample to another; see sampler.h. */
#include <string.h>

#include "sampler.h"

/* Threads keep their place. */
static struct segment_key key_of_row(size_t row)
{
	return (struct segment_key){ row, 0 };
}

/* Time that is not booked yet is not in it: instants are those until which it is. */
void sampler_note_segment(struct sampler *sampler, const struct tracked_thread *thread)
{
	const struct obs_thread *row = thread_row(sampler, thread);
	struct segment_reading reading = { .start_ns = row->start_ns, .at_ns = row->start_ns };

	memcpy(reading.part_ns, row->wait_ns, sizeof(row->wait_ns));
	memcpy(reading.wait_cnt, row->wait_cnt, sizeof(row->wait_cnt));
	reading.part_ns[PART_ON_CPU] = row->on_cpu_ns;
	reading.part_ns[PART_QUEUE] = row->run_queue_ns + row->preempted_ns;
	for (int i = 0; i < PART_CNT; i++)
		reading.at_ns += reading.part_ns[i];
	segment_log_add(&sampler->segments, key_of_row(thread->row), &reading);
}

void sampler_note_slice(struct sampler *sampler)
{
	const struct program_clock *program = &sampler->program;
	const uint64_t part_ns[SLICE_PART_CNT] = {
		[SLICE_COMPUTING] = program->computing_ns,
		[SLICE_STARVED] = program->starved_ns,
		[SLICE_QUIET] = program->quiet_ns,
	};

	slice_log_add(&sampler->slices,
		      program->computing_ns + program->starved_ns + program->quiet_ns, part_ns);
}

static struct segment_key key_of_thread(const struct observation *obs,
					const struct obs_thread *thread, const void *none)
{
	(void)none;
	return key_of_row((size_t)(thread - obs->threads));
}

int sampler_sum_segments(const struct sampler *sampler, struct observation *obs)
{
	int error = slice_log_sum(&sampler->slices, obs);

	return error ? error : segment_log_sum(&sampler->segments, obs, 0, key_of_thread, NULL);
}
