/* A part of the run, judged by the rules of the run as if it were all there is. */
#ifndef CLASSIFY_PART_H
#define CLASSIFY_PART_H

#include "account/windows.h"
#include "decide/facts.h"
#include "decide/model.h"

/* Of @report only what follows from the times is filled: times, verdict, and after part_advise()
 * concurrency and recommendation. */
struct part {
	struct observation obs;
	struct wait_roles roles;
	struct report report;
	struct facts facts;
	struct model model;
	struct arena *arena; /* owns all of this */
};

/* Judges windows @first to @last of the run that @facts and @whole are about. Returns whether there
 * was the memory for it; part_release() in any case. */
bool part_judge(const struct facts *facts, const struct report *whole,
		const struct windows *windows, size_t first, size_t last, struct part *part);

/* Adds what to do about it. */
void part_advise(struct part *part);

/* Copies that to @phase, into @arena. */
void part_copy_advice(const struct part *part, struct arena *arena, struct report_phase *phase);

void part_release(struct part *part);

#endif
