/*
 * What a wait means for the program: the reason says on what a thread slept, the role says for
 * what. A socket that asks us for work and one that we ask for a result are both "network".
 */
#ifndef CLASSIFY_WAIT_ROLE_H
#define CLASSIFY_WAIT_ROLE_H

#include "account/process_index.h"
#include "observation/observation.h"
#include "report.h"

struct arena;

/* What the roles of an observation's rows turn on beside the row itself. Made once, so that asking
 * for the role of each row takes no walk over the others. */
struct wait_roles {
	const struct observation *obs;
	struct process_index index;
	struct asked_sums *asked; /* parallel to obs->processes */
};

/* Sums @obs up, which must outlive @roles, in @arena; when out of memory (sticky there) no process
 * will be found. */
void wait_roles_init(struct wait_roles *roles, const struct observation *obs, struct arena *arena);

/* The role of @row, one of the observation's, in the life of its thread. */
enum wait_role wait_role(const struct wait_roles *roles, const struct obs_wait *row);

/*
 * The role of the quiet time charged to @row: as above, but a wait for the tree that ended while
 * nobody of the tree ran was ended by its own timeout, or from outside.
 */
enum wait_role quiet_role(const struct wait_roles *roles, const struct obs_wait *row);

/*
 * Whether the cause of time charged to @reason in @role is unknown: nothing told what it was, or a
 * poll is all that is known. In program time (@is_quiet) also waits for each other: the tree waited
 * as a whole, so none of its threads can have been what it waited for.
 */
bool is_unexplained(enum wait_reason reason, enum wait_role role, bool is_quiet);

#endif
