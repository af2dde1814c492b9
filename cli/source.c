/* Opening observers, falling back from one to the next, and remembering why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup_members.h"
#include "observation/observation.h"
#include "observer.h"
#include "options.h"
#include "source.h"

typedef struct observer *observer_maker(const struct observer_options *options, int *error,
					char *why, size_t why_size);

static int track(struct source *source, observer_maker *maker,
		 const struct observer_options *options, pid_t pid, char *why, size_t why_size)
{
	int error = 0;

	source->observer = maker(options, &error, why, why_size);
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

/* Begins with the first of a cgroup's processes that is still there, and adopts the others. */
static int track_cgroup(struct source *source, observer_maker *maker,
			const struct observer_options *options, const struct cgroup_members *cgroup,
			char *why, size_t why_size)
{
	int error = -ESRCH;
	size_t i;

	for (i = 0; i < cgroup->newcomer_cnt && error == -ESRCH; i++)
		error = track(source, maker, options, cgroup->newcomers[i], why, why_size);
	if (error)
		return error;
	source->pid = cgroup->newcomers[i - 1];
	error = source->observer->ops->adopt(source->observer, cgroup->newcomers + i,
					     cgroup->newcomer_cnt - i);
	if (error) {
		snprintf(why, why_size, "cannot observe cgroup %s: %s (try --source procfs)",
			 cgroup->directory, strerror(-error));
		source_release(source);
	}
	return error;
}

static int open_observer(struct source *source, observer_maker *maker,
			 const struct options *options, const struct source_target *target,
			 char *why, size_t why_size)
{
	const struct observer_options observer_options = {
		.follow_children = !options->no_children,
		.begins_at_exec = options->mode == RUN_WRAP,
		.cgroup = target->cgroup ? target->cgroup->directory : NULL,
		.sample_hz = options->frequency_hz,
		.is_verbose = options->is_verbose,
	};

	if (target->cgroup)
		return track_cgroup(source, maker, &observer_options, target->cgroup, why,
				    why_size);
	source->pid = target->pid;
	return track(source, maker, &observer_options, target->pid, why, why_size);
}

int source_open(struct source *source, const struct options *options,
		const struct source_target *target, char *why, size_t why_size)
{
	memset(source, 0, sizeof(*source));
	if (options->source != CHOOSE_PROCFS) {
		int error =
			open_observer(source, ebpf_observer_new, options, target, why, why_size);

		if (!error || options->source == CHOOSE_EBPF)
			return error;
		snprintf(source->why_not_full, sizeof(source->why_not_full), "%s", why);
	}
	return open_observer(source, procfs_observer_new, options, target, why, why_size);
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
