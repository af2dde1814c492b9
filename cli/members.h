/* The processes of the cgroup that --cgroup names, as far as this user may observe them. */
#ifndef CLASSIFY_MEMBERS_H
#define CLASSIFY_MEMBERS_H

#include <stddef.h>

#include "cgroup_members.h"

/* How often to look who has come in since. */
#define MEMBERS_LOOK_MS 100

struct members {
	struct cgroup_members cgroup;
	size_t left_out_cnt; /* processes that this user may not inspect */
};

/* Looks who is in it; cgroup.newcomers are those that came since the last look and may be
 * inspected. Returns as cgroup_members_look() does. */
int members_look(struct members *members);

#endif
