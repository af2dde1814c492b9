/* See exports.h. */
#include "exports.h"

#include <errno.h>
#include <stddef.h>

#include "message.h"
#include "options.h"
#include "report.h"

/* Of what is on CPUs and waits: a smaller part without a stack is not worth a word. */
#define WORTH_A_WORD 0.05

static const char *first_note(const struct report *report, const char *otherwise)
{
	return report->stack_quality.note_cnt ? report->stack_quality.notes[0] : otherwise;
}

/* Only a recording: a run can't be repeated at will, so that what came of it is written. */
int exports_refuse(const struct options *options, const struct report *report)
{
	if (!options_export_stacks(options) || options->mode != RUN_REPLAY ||
	    report->stack_quality.are_taken)
		return 0;
	say("cannot export stacks of %s: %s (record anew, as root and without --no-stacks)",
	    options->replay_path, first_note(report, "it was recorded without"));
	return -ENODATA;
}

static void mention_emptiness(const struct options *options, const struct report *report)
{
	const char *format = report_format_name(options->format);

	if (report->stack_quality.are_taken)
		say("the %s export is empty: %s (observe for longer)", format,
		    first_note(report, "nothing ran or waited for long enough"));
	else
		say("the %s export is empty: %s (-f text says what else is missing)", format,
		    first_note(report, "no stacks could be taken"));
}

void exports_mention_gaps(const struct options *options, const struct report *report)
{
	const struct report_stack_quality *quality = &report->stack_quality;
	double unknown_share = 1 - quality->known_share;

	if (!options_export_stacks(options))
		return;
	if (!report->stack_cnt) {
		mention_emptiness(options, report);
		return;
	}
	if (!options->is_quiet && unknown_share >= WORTH_A_WORD)
		say("the export lacks the stacks of %.0f%% of the time on CPUs and waiting",
		    100 * unknown_share);
	for (size_t i = 0; options->is_verbose && i < quality->note_cnt; i++)
		say("%s", quality->notes[i]);
}
