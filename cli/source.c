/* Opening observers, falling back from one to the next, and remembering why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_members.h"
#include "clock.h"
#include "observation/observation.h"
#include "observer.h"
#include "options.h"
#include "source.h"

/* A finish that is over sooner needs no word. */
#define PATIENCE_NS UINT64_C(500000000)

static void tell_progress(void *context, const char *what)
{
	const struct source *source = context;

	if (source->tells_progress && source->finish_began_ns &&
	    clock_ns(CLOCK_MONOTONIC) - source->finish_began_ns >= PATIENCE_NS)
		say_progress("%s ...", what);
}

static int open_observer(struct source *source, enum source_choice which,
			 const struct options *options, const char *cgroup, char *why,
			 size_t why_size)
{
	const struct observer_options observer_options = {
		.follow_children = !options->no_children,
		.begins_at_exec = options->mode == RUN_WRAP,
		.cgroup = cgroup,
		.sample_hz = options->frequency_hz,
		.takes_stacks = !options->no_stacks,
		.is_verbose = options->is_verbose,
		.progress = tell_progress,
		.progress_context = source,
	};
	int error = 0;

	source->which = which;
	source->observer = which == CHOOSE_EBPF
				   ? ebpf_observer_new(&observer_options, &error, why, why_size)
				   : procfs_observer_new(&observer_options, &error, why, why_size);
	return source->observer ? 0 : error;
}

/* Whether to do without rather than sample /proc. */
static bool needs_ebpf(const struct options *options)
{
	return options->source == CHOOSE_EBPF || options_export_stacks(options);
}

int source_open(struct source *source, const struct options *options, const char *cgroup, char *why,
		size_t why_size)
{
	char cause[REASON_SIZE];

	memset(source, 0, sizeof(*source));
	source->tells_progress = !options->is_quiet && isatty(STDERR_FILENO);
	if (options->source != CHOOSE_PROCFS) {
		int error =
			open_observer(source, CHOOSE_EBPF, options, cgroup, cause, sizeof(cause));

		if (!error)
			return 0;
		if (needs_ebpf(options)) {
			snprintf(why, why_size, "%s%s",
				 options_export_stacks(options) ? "only eBPF sees stacks: " : "",
				 cause);
			return error;
		}
		snprintf(source->why_not_full, sizeof(source->why_not_full), "%s", cause);
	}
	return open_observer(source, CHOOSE_PROCFS, options, cgroup, why, why_size);
}

static int track_process(struct source *source, pid_t pid, char *why, size_t why_size)
{
	int error = source->observer->ops->track(source->observer, pid);

	source->pid = pid;
	if (error)
		snprintf(why, why_size, "cannot observe process %d: %s (is it still there?)", pid,
			 strerror(-error));
	return error;
}

/* Begins with the first of a cgroup's processes and adopts the others. */
static int track_cgroup(struct source *source, const struct cgroup_members *cgroup, char *why,
			size_t why_size)
{
	int error = track_process(source, cgroup->newcomers[0], why, why_size);

	if (error)
		return error;
	error = source->observer->ops->adopt(source->observer, cgroup->newcomers + 1,
					     cgroup->newcomer_cnt - 1);
	if (error)
		snprintf(why, why_size, "cannot observe cgroup %s: %s (try --source procfs)",
			 cgroup->directory, strerror(-error));
	return error;
}

static int track(struct source *source, const struct source_target *target, char *why,
		 size_t why_size)
{
	return target->cgroup ? track_cgroup(source, target->cgroup, why, why_size)
			      : track_process(source, target->pid, why, why_size);
}

int source_track(struct source *source, const struct options *options,
		 const struct source_target *target, char *why, size_t why_size)
{
	const char *cgroup = target->cgroup ? target->cgroup->directory : NULL;
	int error = track(source, target, why, why_size);

	if (!error || error == -ESRCH || source->which == CHOOSE_PROCFS || needs_ebpf(options))
		return error;
	snprintf(source->why_not_full, sizeof(source->why_not_full), "%s", why);
	source_release(source);
	error = open_observer(source, CHOOSE_PROCFS, options, cgroup, why, why_size);
	return error ? error : track(source, target, why, why_size);
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
	source->finish_began_ns = clock_ns(CLOCK_MONOTONIC);
	int error = source->observer->ops->finish(source->observer, obs);

	erase_progress();
	return error ? error : note_reason(source, obs);
}

void source_release(struct source *source)
{
	if (source->observer)
		source->observer->ops->free(source->observer);
	source->observer = NULL;
}
