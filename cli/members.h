/* The processes of the cgroup that --cgroup names, as far as this user may observe them. */
#ifndef CLASSIFY_MEMBERS_H
#define CLASSIFY_MEMBERS_H

#include <stddef.h>

#include "cgroup_members.h"

/* How often to look who has come in since: as often as that takes 1% of the time, within these. */
#define MEMBERS_LOOK_MIN_MS 10
#define MEMBERS_LOOK_MAX_MS 1000

struct members {
	struct cgroup_members cgroup;
	size_t left_out_cnt; /* processes that this user may not inspect */
	int look_ms;	     /* when to look again */
};

/* Looks who is in it; cgroup.newcomers are those that came since the last look and may be
 * inspected. Returns as cgroup_members_look() does. */
int members_look(struct members *members);

#endif
