/* Looks who is in the observed cgroup; see members.h. */
#include <stdint.h>

#include "members.h"
#include "clock.h"
#include "process.h"

#define COST_INVERSE 100

static void plan_next_look(struct members *members, uint64_t cost_ns)
{
	uint64_t look_ms = cost_ns * COST_INVERSE / 1000000;

	if (look_ms < MEMBERS_LOOK_MIN_MS)
		look_ms = MEMBERS_LOOK_MIN_MS;
	if (look_ms > MEMBERS_LOOK_MAX_MS)
		look_ms = MEMBERS_LOOK_MAX_MS;
	members->look_ms = (int)look_ms;
}

int members_look(struct members *members)
{
	struct cgroup_members *cgroup = &members->cgroup;
	uint64_t began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int error = cgroup_members_look(cgroup);
	size_t kept = 0;

	plan_next_look(members, clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns);
	if (error)
		return error;
	for (size_t i = 0; i < cgroup->newcomer_cnt; i++) {
		if (process_may_be_inspected(cgroup->newcomers[i]))
			cgroup->newcomers[kept++] = cgroup->newcomers[i];
		else
			members->left_out_cnt++;
	}
	cgroup->newcomer_cnt = kept;
	return 0;
}
