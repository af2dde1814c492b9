/* The choice of an observer: the exact one where it may run, else the one that always can. */
#ifndef CLASSIFY_SOURCE_H
#define CLASSIFY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "message.h"
#include "options.h"

struct cgroup_members;
struct observation;
struct observer;

struct source {
	struct observer *observer;
	enum source_choice which;	/* never CHOOSE_AUTO */
	pid_t pid;			/* of a cgroup, the one that was tracked first */
	char why_not_full[REASON_SIZE]; /* why it is not the exact one, and what helps; or "" */
	bool tells_progress;		/* of a long finish, on the terminal */
	uint64_t finish_began_ns;
};

/* What to observe: a process with its tree, or what has come into a cgroup (not NULL). */
struct source_target {
	pid_t pid;
	const struct cgroup_members *cgroup;
};

/*
 * Opens the observer that @options ask for; @cgroup: the directory of one that is to be observed,
 * or NULL. Returns 0, or -errno with one line of cause and remedy in @why. Release it either way;
 * until then it stays where it is.
 */
int source_open(struct source *source, const struct options *options, const char *cgroup, char *why,
		size_t why_size);

/* Lets it track @target. Returns as source_open() does; -ESRCH when @target (of a cgroup, the first
 * newcomer) is gone: then it can't track another, and is to be opened anew. */
int source_track(struct source *source, const struct options *options,
		 const struct source_target *target, char *why, size_t why_size);

/* Ends the observation into @obs, which notes why it comes from this source. 0 or -errno. */
int source_finish(struct source *source, struct observation *obs);

void source_release(struct source *source);

#endif
