/* A workload as the operations of one replay: all of them, or a sample that stands for all. */
#ifndef CLASSIFY_SAMPLE_H
#define CLASSIFY_SAMPLE_H

#include "predict/workload.h"
#include "replay/replay.h"

struct arena;

struct sample {
	struct replay_work work; /* without serial_ns and cpus */
	double part; /* of the whole: what one of the whole takes, times this is its share here */
};

/* How operations are thought to go in other company than they were seen in. */
struct turn {
	double wait_factor; /* waits for others take so many times as long, */
	double disk_factor; /* and those for the disk */
	double warm_ns;	    /* computing after a wait takes so much less, where more is going on */
};

/*
 * Draws the operations of @workload, which has some, into @sample, in order; they are repeated
 * until there are @cnt_min. Its arrays are of @arena. Returns 0 or -ENOMEM.
 */
int sample_draw(const struct workload *workload, size_t cnt_min, const struct turn *turn,
		struct arena *arena, struct sample *sample);

/* Draws as many operations as @from has out of these, with replacement, as a bootstrap does, into
 * @operations, which has room for them and has to last as long as @sample. */
void sample_resample(const struct sample *from, uint64_t seed, struct replay_operation *operations,
		     struct sample *sample);

#endif
