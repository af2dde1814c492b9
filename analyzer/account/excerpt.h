/*
 * An excerpt: the part of an observation that lies between two instants, as an observation of its
 * own, so that everything that judges a run can judge a part of it.
 */
#ifndef CLASSIFY_EXCERPT_H
#define CLASSIFY_EXCERPT_H

#include <stddef.h>
#include "observation/observation.h"

struct arena;
struct windows;

/*
 * Fills @to with what happened from the beginning of window @first to the end of window @last, with
 * instants that count from there. What each thread did and waited for by reason, and when the
 * program was quiet, comes from segments and slices. A row of waits gets of its time what its
 * process's waits for that reason have of theirs: which object was waited for when isn't known, and
 * neither are operations in flight. All processes stay in it, those that lived at another time
 * with a life of 0: roles of waits turn on who is of the tree.
 *
 * Arrays are of @arena and strings those of windows->obs: not for observation_release().
 */
void excerpt_take(const struct windows *windows, size_t first, size_t last, struct arena *arena,
		  struct observation *to);

#endif
