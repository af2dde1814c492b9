/* Opening observers, falling back from one to the next, and remembering why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observation/observation.h"
#include "observer.h"
#include "options.h"
#include "source.h"

static int open_observer(struct source *source,
			 struct observer *(*observer_new)(const struct observer_options *, int *,
							  char *, size_t),
			 const struct options *options, pid_t pid, char *why, size_t why_size)
{
	const struct observer_options observer_options = {
		.follow_children = !options->no_children,
		.begins_at_exec = !options->pid,
		.is_verbose = options->is_verbose,
	};
	int error = 0;

	source->observer = observer_new(&observer_options, &error, why, why_size);
	if (!source->observer)
		return error;
	error = source->observer->ops->track(source->observer, pid);
	if (error) {
		snprintf(why, why_size, "cannot observe process %d: %s (is it still there?)", pid,
			 strerror(-error));
		source_release(source);
	}
	return error;
}

int source_open(struct source *source, const struct options *options, pid_t pid, char *why,
		size_t why_size)
{
	memset(source, 0, sizeof(*source));
	if (options->source != CHOOSE_PROCFS) {
		int error = open_observer(source, ebpf_observer_new, options, pid, why, why_size);

		if (!error || options->source == CHOOSE_EBPF)
			return error;
		snprintf(source->why_not_full, sizeof(source->why_not_full), "%s", why);
	}
	return open_observer(source, procfs_observer_new, options, pid, why, why_size);
}

/* What the observer can't see, then why it was this one. */
static int note_reason(const struct source *source, struct observation *obs)
{
	const char *own = obs->quality.source_note ? obs->quality.source_note : "";
	char *note;

	if (!source->why_not_full[0])
		return 0;
	int len = asprintf(&note, "%s%s%s", own, *own ? "; " : "", source->why_not_full);

	if (len < 0)
		return -ENOMEM;
	obs->quality.source_note = observation_intern(obs, note, (size_t)len);
	free(note);
	return obs->quality.source_note ? 0 : -ENOMEM;
}

int source_finish(struct source *source, struct observation *obs)
{
	int error = source->observer->ops->finish(source->observer, obs);

	return error ? error : note_reason(source, obs);
}

void source_release(struct source *source)
{
	if (source->observer)
		source->observer->ops->free(source->observer);
	source->observer = NULL;
}
