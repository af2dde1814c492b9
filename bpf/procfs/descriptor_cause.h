/*
 * What a wait on a descriptor of the target is for. Private to procfs.
 */
#ifndef CLASSIFY_DESCRIPTOR_CAUSE_H
#define CLASSIFY_DESCRIPTOR_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

struct wait_cause;
struct wait_context;

/* Fills @cause for a wait to read from or write to descriptor @fd. False when there is no such
 * descriptor, or it may not be looked at. */
bool descriptor_cause(const struct wait_context *context, int fd, bool is_write,
		      struct wait_cause *cause);

/* Interns @name into the cause. */
void wait_cause_set_name(const struct wait_context *context, struct wait_cause *cause,
			 const char *name);

#endif
