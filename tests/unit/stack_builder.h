/* Builds stacks of small observations for the tests of analyzer/explain. */
#ifndef CLASSIFY_STACK_BUILDER_H
#define CLASSIFY_STACK_BUILDER_H

#include "observation_builder.h"

/* A frame of each language: where it is, and what it is in. */
struct obs_frame python_at(const char *file, uint32_t line, const char *function);
struct obs_frame native_at(const char *module, const char *function);
struct obs_frame source_at(const char *module, const char *file, uint32_t line,
			   const char *function, enum frame_language language);

/* Adds a stack, its innermost frame first; those that begin alike at the root share calls. Returns
 * the innermost call. */
uint32_t build_stack(struct observation *obs, const struct obs_frame *frames, size_t cnt);

#define STACK(obs, ...)                                       \
	build_stack(obs, (struct obs_frame[]){ __VA_ARGS__ }, \
		    sizeof((struct obs_frame[]){ __VA_ARGS__ }) / sizeof(struct obs_frame))

/* Adds @ms that thread @tid computed with that stack, seen in @sample_cnt samples; or that it
 * waited for what the row with index @wait is about. Valid until the next one is added. */
struct obs_stack_time *build_computing(struct observation *obs, pid_t tid, uint32_t call,
				       uint64_t ms, uint64_t sample_cnt);
struct obs_stack_time *build_waiting(struct observation *obs, pid_t tid, uint32_t call,
				     uint32_t wait, uint64_t ms, uint64_t sample_cnt);

#endif
