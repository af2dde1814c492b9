/* Looks who is in the observed cgroup; see members.h. */
#include "members.h"
#include "process.h"

int members_look(struct members *members)
{
	struct cgroup_members *cgroup = &members->cgroup;
	int error = cgroup_members_look(cgroup);
	size_t kept = 0;

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
