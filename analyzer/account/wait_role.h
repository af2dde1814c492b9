/*
 * What a wait means for the program: the reason says on what a thread slept, the role says for
 * what. A socket that asks us for work and one that we ask for a result are both "network".
 */
#ifndef CLASSIFY_WAIT_ROLE_H
#define CLASSIFY_WAIT_ROLE_H

#include "observation/observation.h"
#include "report.h"

/* The role of @row in the life of its thread. @process is the row's, or NULL when not known. */
enum wait_role wait_role(const struct observation *obs, const struct obs_wait *row,
			 const struct obs_process *process);

/*
 * The role of the quiet time charged to @row: as above, but a wait for the tree that ended while
 * nobody of the tree ran was ended by its own timeout, or from outside.
 */
enum wait_role quiet_role(const struct observation *obs, const struct obs_wait *row,
			  const struct obs_process *process);

/*
 * Whether the cause of time charged to @reason in @role is unknown: nothing told what it was, or a
 * poll is all that is known. In program time (@is_quiet) also waits for each other: the tree waited
 * as a whole, so none of its threads can have been what it waited for.
 */
bool is_unexplained(enum wait_reason reason, enum wait_role role, bool is_quiet);

#endif
