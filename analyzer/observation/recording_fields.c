/* The tables of what a recording holds. */
#include "observation/recording_fields.h"

#include "observation/names.h"
#include "observation/observation.h"

/* Tells the kind by the member's type, so that the two can't differ. */
#define KIND_OF(type, member) \
	_Generic(((type *)NULL)->member, \
		bool: FIELD_BOOL, \
		int: FIELD_INT, \
		uint32_t: FIELD_UINT32, \
		uint64_t: FIELD_UINT64, \
		double: FIELD_DOUBLE, \
		const char *: FIELD_TEXT, \
		int64_t: FIELD_INSTANT)
#define FIELD(type, member)                                                                      \
	{                                                                                        \
		.name = #member, .kind = KIND_OF(type, member), .offset = offsetof(type, member) \
	}
/* A field that the first recordings didn't have. */
#define LATER(type, member)                                                                       \
	{                                                                                         \
		.name = #member, .kind = KIND_OF(type, member), .offset = offsetof(type, member), \
		.is_later = true                                                                  \
	}
#define ENUM(type, member, table)                                                      \
	{                                                                              \
		.name = #member, .kind = FIELD_ENUM, .offset = offsetof(type, member), \
		.names = &(table)                                                      \
	}
#define LATER_ENUM(type, member, table)                                                \
	{                                                                              \
		.name = #member, .kind = FIELD_ENUM, .offset = offsetof(type, member), \
		.names = &(table), .is_later = true                                    \
	}
#define TEXTS(type, member, cnt)                                                        \
	{                                                                               \
		.name = #member, .kind = FIELD_TEXTS, .offset = offsetof(type, member), \
		.cnt_offset = offsetof(type, cnt)                                       \
	}
#define PER_REASON(type, member)                                                            \
	{                                                                                   \
		.name = #member, .kind = FIELD_PER_REASON, .offset = offsetof(type, member) \
	}
#define LATER_PER_REASON(type, member)                                                       \
	{                                                                                    \
		.name = #member, .kind = FIELD_PER_REASON, .offset = offsetof(type, member), \
		.is_later = true                                                             \
	}

static const struct field observation_fields[] = {
	ENUM(struct observation, source, observation_source_names),
	FIELD(struct observation, started_at_unix_ns),
	FIELD(struct observation, duration_ns),
	FIELD(struct observation, processes_peak),
	FIELD(struct observation, threads_peak),
	LATER(struct observation, own_queue_ns),
};

static const struct field host_fields[] = {
	FIELD(struct obs_host, kernel),		  FIELD(struct obs_host, cpus_online),
	FIELD(struct obs_host, cpus_usable),	  FIELD(struct obs_host, cpu_quota),
	LATER(struct obs_host, threads_per_core), LATER(struct obs_host, others_cpu_ns),
};

static const struct field target_fields[] = {
	ENUM(struct obs_target, mode, target_mode_names),
	TEXTS(struct obs_target, argv, argc),
	FIELD(struct obs_target, pid),
	LATER(struct obs_target, pid_in_container),
	LATER(struct obs_target, cgroup),
	FIELD(struct obs_target, has_exited),
	FIELD(struct obs_target, was_signaled),
	FIELD(struct obs_target, exit_code),
};

static const struct field program_fields[] = {
	FIELD(struct obs_program, computing_ns),
	FIELD(struct obs_program, starved_ns),
	FIELD(struct obs_program, quiet_ns),
	FIELD(struct obs_program, quiet_open_ns),
};

static const struct field quality_fields[] = {
	FIELD(struct obs_quality, lost_events),
	FIELD(struct obs_quality, lost_threads),
	TEXTS(struct obs_quality, missing_probes, missing_probe_cnt),
	FIELD(struct obs_quality, source_note),
	FIELD(struct obs_quality, sample_cnt),
	FIELD(struct obs_quality, sample_interval_ns),
	LATER(struct obs_quality, is_until_settled),
	LATER(struct obs_quality, has_settled),
};

static const struct field process_fields[] = {
	FIELD(struct obs_process, pid),
	FIELD(struct obs_process, parent_pid),
	FIELD(struct obs_process, comm),
	FIELD(struct obs_process, exe),
	FIELD(struct obs_process, command),
	TEXTS(struct obs_process, modules, module_cnt),
	FIELD(struct obs_process, start_ns),
	FIELD(struct obs_process, end_ns),
	FIELD(struct obs_process, exited),
	FIELD(struct obs_process, is_exec),
	FIELD(struct obs_process, has_event_loop),
	FIELD(struct obs_process, listening_cnt),
	FIELD(struct obs_process, python_hexversion),
	FIELD(struct obs_process, gil_is_known),
	FIELD(struct obs_process, is_free_threaded),
	LATER(struct obs_process, toolchain),
	LATER(struct obs_process, pss_bytes),
	LATER(struct obs_process, private_bytes),
};

static const struct field thread_fields[] = {
	FIELD(struct obs_thread, tid),
	FIELD(struct obs_thread, pid),
	FIELD(struct obs_thread, comm),
	FIELD(struct obs_thread, start_ns),
	FIELD(struct obs_thread, end_ns),
	FIELD(struct obs_thread, exited),
	FIELD(struct obs_thread, on_cpu_ns),
	FIELD(struct obs_thread, run_queue_ns),
	FIELD(struct obs_thread, preempted_ns),
	FIELD(struct obs_thread, throttled_ns),
	PER_REASON(struct obs_thread, wait_ns),
	PER_REASON(struct obs_thread, wait_cnt),
	FIELD(struct obs_thread, event_loop_wait_ns),
	FIELD(struct obs_thread, event_loop_wait_cnt),
	FIELD(struct obs_thread, switch_cnt),
	FIELD(struct obs_thread, preempt_cnt),
	LATER(struct obs_thread, loop_late_ns),
	LATER(struct obs_thread, loop_late_cnt),
	LATER(struct obs_thread, loop_late_max_ns),
	LATER(struct obs_thread, loop_run_ns),
	LATER(struct obs_thread, loop_run_cnt),
	LATER(struct obs_thread, loop_run_max_ns),
	LATER(struct obs_thread, sample_cnt),
	LATER(struct obs_thread, poll_sample_cnt),
	LATER(struct obs_thread, spin_sample_cnt),
	LATER(struct obs_thread, io_sample_cnt),
	LATER(struct obs_thread, poll_call),
	LATER(struct obs_thread, gil_sample_cnt),
	LATER(struct obs_thread, gil_held_sample_cnt),
};

static const struct field wait_fields[] = {
	FIELD(struct obs_wait, pid),
	ENUM(struct obs_wait, reason, wait_reason_names),
	ENUM(struct obs_wait, kind, object_kind_names),
	ENUM(struct obs_wait, direction, wait_direction_names),
	FIELD(struct obs_wait, name),
	LATER(struct obs_wait, call),
	LATER(struct obs_wait, device),
	LATER(struct obs_wait, far_end),
	LATER_ENUM(struct obs_wait, operation, wait_operation_names),
	FIELD(struct obs_wait, via_event_loop),
	LATER(struct obs_wait, on_loop),
	FIELD(struct obs_wait, timed_out),
	FIELD(struct obs_wait, wait_ns),
	FIELD(struct obs_wait, wait_cnt),
	FIELD(struct obs_wait, max_ns),
	FIELD(struct obs_wait, quiet_ns),
	FIELD(struct obs_wait, woken_by_tree_cnt),
	FIELD(struct obs_wait, woken_by_other_cnt),
	FIELD(struct obs_wait, woken_by_interrupt_cnt),
};

static const struct field lock_holder_fields[] = {
	FIELD(struct obs_lock_holder, pid),
	ENUM(struct obs_lock_holder, kind, object_kind_names),
	FIELD(struct obs_lock_holder, name),
	FIELD(struct obs_lock_holder, tid),
	FIELD(struct obs_lock_holder, comm),
	FIELD(struct obs_lock_holder, wait_ns),
	FIELD(struct obs_lock_holder, handover_cnt),
};

static const struct field neighbour_fields[] = {
	FIELD(struct obs_neighbour, comm),
	FIELD(struct obs_neighbour, queue_ns),
	FIELD(struct obs_neighbour, cnt),
};

static const struct field flight_fields[] = {
	FIELD(struct obs_flight, sample_cnt),	  FIELD(struct obs_flight, mean),
	LATER(struct obs_flight, active_share),	  FIELD(struct obs_flight, peak),
	LATER(struct obs_flight, connection_cnt), LATER(struct obs_flight, received_cnt),
	LATER(struct obs_flight, unasked_cnt),
};

static const struct field segment_fields[] = {
	LATER(struct obs_segment, thread),
	LATER(struct obs_segment, start_ns),
	LATER(struct obs_segment, end_ns),
	LATER(struct obs_segment, on_cpu_ns),
	LATER(struct obs_segment, queue_ns),
	LATER_PER_REASON(struct obs_segment, wait_ns),
	LATER_PER_REASON(struct obs_segment, wait_cnt),
};

static const struct field slice_fields[] = {
	LATER(struct obs_slice, start_ns),
	LATER(struct obs_slice, end_ns),
	LATER(struct obs_slice, computing_ns),
	LATER(struct obs_slice, starved_ns),
};

static const struct field far_end_fields[] = {
	FIELD(struct obs_far_end, name),       FIELD(struct obs_far_end, cpu_ns),
	LATER(struct obs_far_end, since_ns),   LATER(struct obs_far_end, is_one_thread),
	FIELD(struct obs_far_end, thread_cnt),
};

static const struct field frame_fields[] = {
	FIELD(struct obs_frame, function),
	FIELD(struct obs_frame, file),
	FIELD(struct obs_frame, line),
	FIELD(struct obs_frame, first_line),
	FIELD(struct obs_frame, module),
	FIELD(struct obs_frame, address),
	ENUM(struct obs_frame, language, frame_language_names),
	FIELD(struct obs_frame, is_inlined),
};

static const struct field call_fields[] = {
	FIELD(struct obs_call, frame),
	FIELD(struct obs_call, caller),
	FIELD(struct obs_call, is_complete),
};

static const struct field stack_time_fields[] = {
	FIELD(struct obs_stack_time, call),	    FIELD(struct obs_stack_time, pid),
	FIELD(struct obs_stack_time, tid),	    FIELD(struct obs_stack_time, thread),
	FIELD(struct obs_stack_time, task),	    FIELD(struct obs_stack_time, is_on_cpu),
	FIELD(struct obs_stack_time, wait),	    FIELD(struct obs_stack_time, time_ns),
	FIELD(struct obs_stack_time, sample_cnt),   FIELD(struct obs_stack_time, gil_held_ns),
	FIELD(struct obs_stack_time, gil_known_ns), LATER(struct obs_stack_time, is_divided),
};

static const struct field stack_quality_fields[] = {
	FIELD(struct obs_stack_quality, are_taken),
	FIELD(struct obs_stack_quality, sample_cnt),
	FIELD(struct obs_stack_quality, wait_cnt),
	FIELD(struct obs_stack_quality, lost_cnt),
	FIELD(struct obs_stack_quality, unread_cnt),
	TEXTS(struct obs_stack_quality, notes, note_cnt),
};

static void *add_process(struct observation *obs)
{
	return observation_add_process(obs);
}

static void *add_thread(struct observation *obs)
{
	return observation_add_thread(obs);
}

static void *add_wait(struct observation *obs)
{
	return observation_add_wait(obs);
}

static void *add_lock_holder(struct observation *obs)
{
	return observation_add_lock_holder(obs);
}

static void *add_neighbour(struct observation *obs)
{
	return observation_add_neighbour(obs);
}

static void *add_segment(struct observation *obs)
{
	return observation_add_segment(obs);
}

static void *add_slice(struct observation *obs)
{
	return observation_add_slice(obs);
}

static void *add_far_end(struct observation *obs)
{
	return observation_add_far_end(obs);
}

static void *add_frame(struct observation *obs)
{
	return observation_add_frame(obs);
}

static void *add_call(struct observation *obs)
{
	return observation_add_call(obs);
}

static void *add_stack_time(struct observation *obs)
{
	return observation_add_stack_time(obs);
}

#define FIELDS(table) .fields = (table), .field_cnt = sizeof(table) / sizeof((table)[0])
#define LATER_STRUCT(member, table)                                                             \
	{                                                                                       \
		.name = #member, .offset = offsetof(struct observation, member), FIELDS(table), \
		.is_later = true                                                                \
	}
#define STRUCT(member, table)                                                                  \
	{                                                                                      \
		.name = #member, .offset = offsetof(struct observation, member), FIELDS(table) \
	}
#define LATER_ROWS(member, table, cnt, type, add_row)                                              \
	{                                                                                          \
		.name = #member, .offset = offsetof(struct observation, member), .add = (add_row), \
		.cnt_offset = offsetof(struct observation, cnt), .row_bytes = sizeof(type),        \
		FIELDS(table), .is_later = true                                                    \
	}
#define SPARSE_ROWS(member, table, cnt, type, add_row)                                             \
	{                                                                                          \
		.name = #member, .offset = offsetof(struct observation, member), .add = (add_row), \
		.cnt_offset = offsetof(struct observation, cnt), .row_bytes = sizeof(type),        \
		FIELDS(table), .is_later = true, .is_sparse = true                                 \
	}
#define ROWS(member, table, cnt, type, add_row)                                                    \
	{                                                                                          \
		.name = #member, .offset = offsetof(struct observation, member), .add = (add_row), \
		.cnt_offset = offsetof(struct observation, cnt), .row_bytes = sizeof(type),        \
		FIELDS(table)                                                                      \
	}

const struct section recording_sections[] = {
	{ .name = "observation", .offset = 0, FIELDS(observation_fields) },
	STRUCT(host, host_fields),
	STRUCT(target, target_fields),
	STRUCT(program, program_fields),
	STRUCT(quality, quality_fields),
	ROWS(processes, process_fields, process_cnt, struct obs_process, add_process),
	ROWS(threads, thread_fields, thread_cnt, struct obs_thread, add_thread),
	ROWS(waits, wait_fields, wait_cnt, struct obs_wait, add_wait),
	LATER_ROWS(lock_holders, lock_holder_fields, lock_holder_cnt, struct obs_lock_holder,
		   add_lock_holder),
	LATER_ROWS(neighbours, neighbour_fields, neighbour_cnt, struct obs_neighbour,
		   add_neighbour),
	LATER_STRUCT(flight, flight_fields),
	SPARSE_ROWS(segments, segment_fields, segment_cnt, struct obs_segment, add_segment),
	SPARSE_ROWS(slices, slice_fields, slice_cnt, struct obs_slice, add_slice),
	LATER_ROWS(far_ends, far_end_fields, far_end_cnt, struct obs_far_end, add_far_end),
	LATER_ROWS(frames, frame_fields, frame_cnt, struct obs_frame, add_frame),
	LATER_ROWS(calls, call_fields, call_cnt, struct obs_call, add_call),
	LATER_ROWS(stack_times, stack_time_fields, stack_time_cnt, struct obs_stack_time,
		   add_stack_time),
	LATER_STRUCT(stack_quality, stack_quality_fields),
};
const size_t recording_section_cnt = sizeof(recording_sections) / sizeof(recording_sections[0]);
