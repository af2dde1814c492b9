/* CPU time that isn't work: threads that ask again and again for what isn't there, and threads that
 * spin until another one is done. Told by samples, so only where there are enough of them. */
#ifndef CLASSIFY_POLLING_H
#define CLASSIFY_POLLING_H

#include "decide/facts.h"

/* The threads that do it, together. */
struct vain_work {
	uint32_t thread_cnt; /* 0: nobody does */
	uint64_t on_cpu_ns;  /* all they ran for, which is no work as a whole */
	double tree_share;   /* of the tree's on-CPU time */
	uint64_t sample_cnt;
	double sample_share; /* of their samples: in such calls, or in such loops */
	const char *call;    /* polling: which call it mostly is */
};

struct vain_work polling_find(const struct facts *facts);
struct vain_work spinning_find(const struct facts *facts);

/* Whether that is what most of the tree's on-CPU time goes into. */
bool polling_leads(const struct facts *facts);

/* Whether @thread polls or spins. */
bool thread_works_in_vain(const struct thread_facts *thread);

#endif
