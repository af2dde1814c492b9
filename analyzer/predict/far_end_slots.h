/* How many a far end serves at once, where workers were seen to queue there. */
#ifndef CLASSIFY_FAR_END_SLOTS_H
#define CLASSIFY_FAR_END_SLOTS_H

#include <stdint.h>
#include "predict/workload.h"

/*
 * Fills far_end_slots and far_end_part of @workload, whose stretches are cut and in order: of
 * @model's workers, all of which ask at once, those served first wait for as long as one takes, and
 * all later ones for those before them, too. @busy_ns: of the run.
 */
void far_end_slots_find(struct workload *workload, const struct model *model, uint64_t busy_ns);

#endif
