/* See until_settled.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyze.h"
#include "clock.h"
#include "message.h"
#include "observation/observation.h"
#include "observer.h"
#include "options.h"
#include "report.h"
#include "until_settled.h"

/* No program is known earlier; and what attaching itself caused has become a small part by then. */
#define FIRST_LOOK_NS NS_PER_S
#define LOOK_EVERY_NS (NS_PER_S / 4)
/* Looks may take this part of one CPU. */
#define COST_INVERSE 20
/* Where it isn't overwritten, progress is told so often. */
#define TELL_EVERY_NS NS_PER_S

void until_settled_begin(struct until_settled *until, struct observer *observer,
			 const struct options *options)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	*until = (struct until_settled){
		.observer = observer,
		.options = options,
		.next_ns = now_ns + FIRST_LOOK_NS,
		.end_ns = now_ns + UNTIL_SETTLED_MAX_S * NS_PER_S,
	};
}

static void tell_progress(struct until_settled *until, const struct report *report, uint64_t now_ns)
{
	const struct report_verdict *verdict = &report->verdict;
	const char *lacks = settling_lacks(&until->settling);
	double seconds = (double)report->duration_ns / (double)NS_PER_S;

	if (until->options->is_quiet)
		return;
	if (isatty(STDERR_FILENO)) {
		say_progress("%.1f s: %s, confidence %.0f%%, %s", seconds,
			     verdict_class_name(verdict->verdict_class), 100 * verdict->confidence,
			     lacks ? "settling" : "settled");
	} else if (until->options->is_verbose &&
		   (!lacks || now_ns >= until->told_ns + TELL_EVERY_NS)) {
		say("%.1f s: %s, confidence %.0f%%, %s%s", seconds,
		    verdict_class_name(verdict->verdict_class), 100 * verdict->confidence,
		    lacks ? "not settled: " : "settled", lacks ? lacks : "");
		until->told_ns = now_ns;
	}
}

static void judge(struct until_settled *until, const struct observation *obs, uint64_t now_ns)
{
	const struct analyze_options options = { .planned_concurrency =
							 until->options->concurrency };
	struct report report;

	if (!analyze(obs, &options, &report)) {
		settling_look(&until->settling, &report);
		until->is_settled = !settling_lacks(&until->settling);
		tell_progress(until, &report, now_ns);
	}
	report_release(&report);
}

/* A look that fails is none: the next one, or the end, will tell. */
bool until_settled_look(struct until_settled *until, uint64_t now_ns)
{
	uint64_t began_ns, pause_ns;
	struct observation obs;

	if (now_ns < until->next_ns)
		return false;
	observation_init(&obs);
	began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (!until->observer->ops->peek(until->observer, &obs))
		judge(until, &obs, now_ns);
	observation_release(&obs);
	pause_ns = COST_INVERSE * (clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns);
	until->next_ns = now_ns + (pause_ns > LOOK_EVERY_NS ? pause_ns : LOOK_EVERY_NS);
	return until->is_settled;
}

static int note_why_not(const struct until_settled *until, struct observation *obs)
{
	const char *own = obs->quality.source_note;
	char *note;
	int len = asprintf(&note,
			   "%s%sthe verdict had not settled after %d s (%s): observe for longer "
			   "with -d SECONDS",
			   own, *own ? "; " : "", UNTIL_SETTLED_MAX_S,
			   settling_lacks(&until->settling));

	if (len < 0)
		return -ENOMEM;
	obs->quality.source_note = observation_intern(obs, note, (size_t)len);
	free(note);
	return obs->quality.source_note ? 0 : -ENOMEM;
}

int until_settled_note(const struct until_settled *until, bool was_given_up,
		       struct observation *obs)
{
	obs->quality.is_until_settled = true;
	obs->quality.has_settled = until->is_settled;
	return was_given_up ? note_why_not(until, obs) : 0;
}
