/* What a thread does, as far as roles tell threads apart: shares of its life. */
#ifndef CLASSIFY_BEHAVIOUR_H
#define CLASSIFY_BEHAVIOUR_H

#include "decide/facts.h"

enum doing {
	DOING_COMPUTE, /* on a CPU, or wanting one or the GIL */
	DOING_RESULT,  /* waits for results from outside */
	DOING_TIME,    /* sleeps */
	DOING_WORK,    /* waits to be asked */
	DOING_TREE,    /* waits for others of the tree */
	DOING_LOCK,
	DOING_CNT,
};

/* Of one thread, or of several together. */
struct behaviour {
	uint32_t thread_cnt;
	uint64_t life_ns;
	uint64_t on_cpu_ns;
	uint64_t doing_ns[DOING_CNT];
	uint64_t wait_ns[WAIT_REASON_CNT];
	uint64_t wait_cnt[WAIT_REASON_CNT];
	uint64_t result_ns[WAIT_REASON_CNT]; /* of wait_ns */
	uint64_t loop_ns;		     /* waits through an event loop */
	uint64_t vain_ns;		     /* life of those that spin or poll */
};

/* Returns that of @thread. */
struct behaviour behaviour_of_thread(const struct thread_facts *thread);

void behaviour_add(struct behaviour *to, const struct behaviour *more);

/* The share of its life. */
double behaviour_share(const struct behaviour *behaviour, enum doing doing);

/* How far apart two are, in the share in which they differ most: 0..1. */
double behaviour_distance(const struct behaviour *one, const struct behaviour *other);

/* The class, by the rules that judge the run; what it spends idle is no part of it. */
enum verdict_class behaviour_class(const struct behaviour *behaviour);

/* "computing", "waiting for the network": words for a name. */
const char *behaviour_words(const struct behaviour *behaviour);

/* As report_role.kind. */
const char *behaviour_kind(const struct behaviour *behaviour);

#endif
