/* From the observation to files: analyse, choose form and place, write. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "analyze.h"
#include "delivery.h"
#include "exports.h"
#include "message.h"
#include "observation/observation.h"
#include "observation/recording.h"
#include "options.h"
#include "render/render.h"
#include "report.h"
#include "style.h"

/*
 * Text is for people and goes to stderr. All else is for programs and goes to stdout, unless a
 * wrapped command writes there.
 */
static int default_descriptor(const struct options *options)
{
	return options->format != FORMAT_TEXT && options->mode != RUN_WRAP ? STDOUT_FILENO
									   : STDERR_FILENO;
}

static int refuse_terminal(const struct options *options, const struct output *report)
{
	if (options->format != FORMAT_PPROF || report->fd < 0 || !isatty(report->fd))
		return 0;
	say("a profile for pprof is binary, nothing for a terminal (name a file with -o, or use a "
	    "pipe)");
	return -EINVAL;
}

int delivery_prepare(struct delivery *delivery, const struct options *options)
{
	int error = output_prepare(&delivery->report, options->output_path,
				   default_descriptor(options));

	delivery->recording = (struct output){ .fd = -1 };
	delivery->is_unexpected = false;
	if (error) {
		output_explain(&delivery->report, options->output_path, -error);
		return error;
	}
	error = refuse_terminal(options, &delivery->report);
	if (error || !options->recording_path)
		return error;
	error = output_prepare(&delivery->recording, options->recording_path, STDOUT_FILENO);
	if (error) {
		output_explain(&delivery->recording, options->recording_path, -error);
	} else if (output_is_same(&delivery->report, &delivery->recording)) {
		say("the report and the recording would both go to %s (name another file for one "
		    "of them)",
		    options->recording_path);
		error = -EINVAL;
	}
	return error;
}

static int render(const struct report *report, const struct options *options, int fd, FILE *out)
{
	struct text_style style;

	switch (options->format) {
	case FORMAT_TEXT:
		break;
	case FORMAT_JSON:
		return render_json(report, out);
	case FORMAT_FOLDED:
		return render_folded(report, out);
	case FORMAT_SPEEDSCOPE:
		return render_speedscope(report, out);
	case FORMAT_PPROF:
		return render_pprof(report, out);
	}
	style = style_choose(options->color, options->is_verbose, fd);
	return render_text(report, &style, out);
}

static int write_report(struct delivery *delivery, const struct options *options,
			const struct report *report)
{
	FILE *out = output_begin(&delivery->report);
	int error = out ? render(report, options, delivery->report.fd, out) : -errno;

	return error ? error : output_commit(&delivery->report);
}

static int write_recording(struct delivery *delivery, const struct observation *obs)
{
	FILE *out = output_begin(&delivery->recording);
	int error = out ? recording_write(obs, out) : -errno;

	return error ? error : output_commit(&delivery->recording);
}

/* Holds @report against what the user expects of it. */
static int check_expectations(struct delivery *delivery, const struct options *options,
			      struct report *report)
{
	if (!options->expectations.cnt)
		return 0;
	int error = expectations_check(&options->expectations, report);

	for (size_t i = 0; !error && i < report->expectation_cnt; i++)
		delivery->is_unexpected |= !report->expectations[i].is_met;
	return error;
}

static void complain(const struct report *report)
{
	for (size_t i = 0; i < report->expectation_cnt; i++)
		if (report->expectations[i].complaint)
			say("%s", report->expectations[i].complaint);
}

static int write_all_of(struct delivery *delivery, const struct options *options,
			const struct report *report)
{
	int error = exports_refuse(options, report);

	if (error)
		return error;
	error = write_report(delivery, options, report);
	if (error)
		output_explain(&delivery->report, options->output_path, -error);
	else
		exports_mention_gaps(options, report);
	complain(report);
	return error;
}

static int analyze_and_write(struct delivery *delivery, const struct options *options,
			     const struct observation *obs)
{
	const struct analyze_options analyze_options = {
		.planned_concurrency = options->concurrency,
		.is_replay = options->mode == RUN_REPLAY,
	};
	struct report report;
	int error = analyze(obs, &analyze_options, &report);

	if (!error)
		error = check_expectations(delivery, options, &report);
	if (error) {
		say("cannot analyse what was observed: %s (keep it with --save-recording)",
		    strerror(-error));
	} else {
		error = write_all_of(delivery, options, &report);
	}
	report_release(&report);
	return error;
}

int delivery_send(struct delivery *delivery, const struct options *options,
		  const struct observation *obs)
{
	int recording_error = 0;

	if (options->recording_path) {
		recording_error = write_recording(delivery, obs);
		if (recording_error)
			output_explain(&delivery->recording, options->recording_path,
				       -recording_error);
	}
	int error = analyze_and_write(delivery, options, obs);

	return error ? error : recording_error;
}

void delivery_release(struct delivery *delivery)
{
	output_release(&delivery->report);
	output_release(&delivery->recording);
}
