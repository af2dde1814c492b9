/* The table of options, and which of them go together. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "option_table.h"
#include "options.h"

/* Options without a letter of their own. */
enum long_key {
	KEY_JSON = 0x100,
	KEY_JSON_SCHEMA,
	KEY_CONCURRENCY,
	KEY_NO_CHILDREN,
	KEY_NO_STACKS,
	KEY_SOURCE,
	KEY_SAVE_RECORDING,
	KEY_REPLAY,
	KEY_CGROUP,
	KEY_AS_ROOT,
	KEY_COLOR,
	KEY_EXPECT,
	KEY_VERSION,
};

static const char *const format_names[] = { "text", "json", "folded", "speedscope", "pprof", NULL };
static const char *const source_names[] = { "auto", "ebpf", "procfs", NULL };
static const char *const color_names[] = { "auto", "always", "never", NULL };

#define HEADING(text, number) OPTION_HEADING(text, number)
#define ROW(...)	      OPTION_ROW(struct options, __VA_ARGS__)

static int parse_expectation(void *field, const char *text, char *why, size_t why_size)
{
	return expectations_add(field, text, why, why_size);
}

static const struct option_row rows[] = {
	HEADING("What to observe:", 1),
	ROW("pid", 'p', "PID",
	    "Attach to a running process, which goes on untouched, until the verdict is settled "
	    "(2 s for a steady program, 30 s at most), --duration is over, or Ctrl-C",
	    VALUE_COUNT, pid, .hint = "'ps -e' lists process ids",
	    .instead = "one process is observed, with those that it starts; all of a service: "
		       "--cgroup"),
	ROW("cgroup", KEY_CGROUP, "PATH",
	    "Observe all that is in a cgroup or comes into it, as a systemd unit or a container: "
	    "its directory, or its path as /proc/PID/cgroup has it",
	    VALUE_TEXT, cgroup, .noun = "cgroup",
	    .instead = "one cgroup is observed, with those below it"),
	ROW("replay", KEY_REPLAY, "FILE",
	    "Analyse a recording instead of a program; needs no rights", VALUE_TEXT, replay_path,
	    .instead = "one recording is analysed"),
	ROW("duration", 'd', "SECONDS",
	    "Stop observing after this long (fractions, and the suffixes s, m and h, are fine); "
	    "the "
	    "program goes on",
	    VALUE_SECONDS, duration_ns),
	ROW("no-children", KEY_NO_CHILDREN, NULL, "Leave out the processes it starts", VALUE_TRUE,
	    no_children),
	ROW("source", KEY_SOURCE, "SOURCE",
	    "auto (default), ebpf (exact, needs rights) or procfs (samples /proc, needs none)",
	    VALUE_CHOICE, source, .choices = source_names),
	ROW("as-root", KEY_AS_ROOT, NULL,
	    "Under sudo, run the command as root instead of as the user who called sudo",
	    VALUE_TRUE, as_root),
	ROW("frequency", 'F', "HZ",
	    "Look so many times a second what runs on each CPU, and with which stack (default 99; "
	    "0: never), which tells hot lines, and polling and spinning from work",
	    VALUE_RATE, frequency_hz),
	ROW("no-stacks", KEY_NO_STACKS, NULL,
	    "Take no stacks: the report names no lines of code, and costs the program less",
	    VALUE_TRUE, no_stacks),

	HEADING("What to report:", 2),
	ROW("output", 'o', "FILE",
	    "Write the report to FILE, '-' for stdout. Default: stderr; but all formats other than "
	    "text go to stdout with --pid, --cgroup and --replay",
	    VALUE_TEXT, output_path),
	ROW("format", 'f', "FORMAT",
	    "text (default), json, or for other tools just the stacks: folded (flamegraph.pl), "
	    "speedscope, pprof",
	    VALUE_CHOICE, format, .choices = format_names),
	ROW("json", KEY_JSON, NULL, "The same as --format=json", VALUE_CONSTANT, format,
	    .constant = FORMAT_JSON),
	ROW("concurrency", KEY_CONCURRENCY, "N",
	    "Advise for N operations at once instead of for the number seen", VALUE_COUNT,
	    concurrency),
	ROW("expect", KEY_EXPECT, "WHAT",
	    "Exit with 123 unless the report shows it: a class (io-bound, io-bound/network; of "
	    "several given any one), a bound on a number (wait>=0.6), finding=ID or no-finding=ID; "
	    "may be repeated, or list them with commas",
	    VALUE_PARSED, expectations, .parse = parse_expectation),
	ROW("save-recording", KEY_SAVE_RECORDING, "FILE", "Keep what was observed, for --replay",
	    VALUE_TEXT, recording_path),
	ROW("color", KEY_COLOR, "WHEN", "auto (default), always or never", VALUE_CHOICE, color,
	    .choices = color_names),
	ROW("quiet", 'q', NULL, "Nothing but the report and errors", VALUE_TRUE, is_quiet),
	ROW("verbose", 'v', NULL, "All rows of the report, and what classify does meanwhile",
	    VALUE_TRUE, is_verbose),
	ROW("json-schema", KEY_JSON_SCHEMA, NULL, "Print the JSON Schema of the JSON report",
	    VALUE_CONSTANT, mode, .constant = RUN_JSON_SCHEMA),
	ROW("help", 'h', NULL, "Print this text", VALUE_CONSTANT, mode, .constant = RUN_HELP),
	ROW("version", KEY_VERSION, NULL, "Print the version", VALUE_CONSTANT, mode,
	    .constant = RUN_VERSION),
};

#define ROW_CNT (sizeof(rows) / sizeof(rows[0]))

static const char usage_lines[] = "-- COMMAND [ARGUMENT...]\n-p PID\n--cgroup PATH\n--replay FILE";
static const char help_text[] =
	"Tells whether a program waits or computes, and which concurrency model suits it."
	"\v"
	"The command keeps its stdin, stdout, terminal, signals and exit code. classify exits with "
	"the command's code, 128+N when signal N ended it, 126 when it could not be executed, 127 "
	"when it was not found, and 125 when classify itself failed; with --pid, --cgroup "
	"and --replay it exits with 0 or 125. Where that would be 0 it is 123 when something that "
	"--expect asks for isn't so.";

/* From the first word that is not an option on, it is the command. */
static int take_command(void *options, char **words, bool is_after_dashes, char *why,
			size_t why_size)
{
	int cnt = 0;

	(void)is_after_dashes;
	(void)why;
	(void)why_size;
	((struct options *)options)->command = words;
	while (words[cnt])
		cnt++;
	return cnt;
}

static const struct option_table table = {
	.program = "classify",
	.rows = rows,
	.row_cnt = ROW_CNT,
	.usage = usage_lines,
	.text = help_text,
	.take_words = take_command,
};

/* What the checks of the whole share. */
struct checked {
	struct options *options;
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct checked *checked, const char *format,
							...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(checked->why, checked->why_size, format, values);
	va_end(values);
	return -EINVAL;
}

static bool shapes_observation(const struct options *options)
{
	return options->duration_ns || options->no_children || options->source != CHOOSE_AUTO ||
	       options->as_root;
}

/* A cgroup is one target like any other, and taken as a whole. */
static int check_cgroup(struct checked *checked)
{
	const struct options *options = checked->options;

	if (!options->cgroup)
		return 0;
	if (options->pid || options->command)
		return refuse(checked, "both a cgroup and %s given (use one of them)",
			      options->pid ? "a PID" : "a command");
	if (options->no_children)
		return refuse(checked,
			      "--no-children leaves out what --cgroup asks for: all that is "
			      "in it (leave out one of them)");
	return 0;
}

bool options_export_stacks(const struct options *options)
{
	return options->format >= FORMAT_FOLDED;
}

const char *report_format_name(enum report_format format)
{
	return format_names[format];
}

/* A format that is all stacks, of an observation that takes none. */
static int check_export(struct checked *checked)
{
	const struct options *options = checked->options;
	const char *format = format_names[options->format];

	if (!options_export_stacks(options))
		return 0;
	if (options->no_stacks)
		return refuse(
			checked,
			"--format=%s is made of the stacks that --no-stacks leaves out (leave "
			"out one of them)",
			format);
	if (options->source == CHOOSE_PROCFS)
		return refuse(checked,
			      "--format=%s is made of stacks, and --source=procfs sees none (use "
			      "ebpf)",
			      format);
	if (options->format == FORMAT_PPROF && options->mode == RUN_WRAP && !options->output_path)
		return refuse(checked,
			      "--format=pprof is binary, and does not go where the command writes "
			      "(name a file with -o)");
	return 0;
}

/* Decides what to run, once every word is known. */
static int settle_mode(struct checked *checked)
{
	struct options *options = checked->options;

	if (options->mode != RUN_WRAP)
		return 0;
	if (options->pid && options->command)
		return refuse(checked, "both a PID and the command '%s' given (use one of them)",
			      options->command[0]);
	if (options->replay_path &&
	    (options->pid || options->cgroup || options->command || options->recording_path))
		return refuse(checked,
			      "--replay observes nothing (leave out the PID, --cgroup, the command "
			      "and --save-recording)");
	if (options->replay_path && shapes_observation(options))
		return refuse(checked, "a recording can't be observed anew (leave out --duration, "
				       "--no-children, --source and --as-root)");
	if (!options->replay_path && !options->pid && !options->cgroup && !options->command)
		return refuse(checked,
			      "nothing to observe (give a command, -p PID, --cgroup PATH or "
			      "--replay FILE; see 'classify --help')");
	if (check_cgroup(checked))
		return -EINVAL;
	if (options->pid)
		options->mode = RUN_ATTACH;
	if (options->cgroup)
		options->mode = RUN_CGROUP;
	if (options->replay_path)
		options->mode = RUN_REPLAY;
	return check_export(checked);
}

int options_parse(struct options *options, int argc, char **argv, char *why, size_t why_size)
{
	struct checked checked = { .options = options, .why = why, .why_size = why_size };

	memset(options, 0, sizeof(*options));
	options->frequency_hz = DEFAULT_FREQUENCY_HZ;
	if (option_table_parse(&table, options, argc, argv, why, why_size))
		return -EINVAL;
	return settle_mode(&checked);
}

void options_print_help(FILE *out)
{
	option_table_print_help(&table, out);
}
