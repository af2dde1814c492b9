/* The choice of an observer: the exact one where it may run, else the one that always can. */
#ifndef CLASSIFY_SOURCE_H
#define CLASSIFY_SOURCE_H

#include <stddef.h>
#include <sys/types.h>

#include "message.h"

struct observation;
struct observer;
struct options;

struct source {
	struct observer *observer;
	char why_not_full[REASON_SIZE]; /* why it is not the exact one, and what helps; or "" */
};

/*
 * Opens the observer that @options ask for and lets it track @pid. Returns 0, or -errno with one
 * line of cause and remedy in @why. Release it either way.
 */
int source_open(struct source *source, const struct options *options, pid_t pid, char *why,
		size_t why_size);

/* Ends the observation into @obs, which notes why it comes from this source. 0 or -errno. */
int source_finish(struct source *source, struct observation *obs);

void source_release(struct source *source);

#endif
