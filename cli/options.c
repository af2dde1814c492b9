/*
 * The table of options and its reading. argp walks the words and formats the help; the messages
 * are ours, because argp's take two lines and name no remedy.
 */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define NS_PER_S 1e9
/* Ten years: far from where nanoseconds overflow when added to a clock. */
#define DURATION_MAX_S (10.0 * 366 * 24 * 3600)
/* Not a divisor of what programs and kernels do 100 or 1000 times a second, so that no sample keeps
 * meeting the same beat. */
#define FREQUENCY_HZ	 99
#define FREQUENCY_MAX_HZ 1000

enum value_type {
	VALUE_HEADING,
	VALUE_TRUE,
	VALUE_CONSTANT,
	VALUE_TEXT,
	VALUE_COUNT,
	VALUE_RATE,
	VALUE_SECONDS,
	VALUE_CHOICE
};

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
	KEY_VERSION,
};

static const char *const format_names[] = { "text", "json", NULL };
static const char *const source_names[] = { "auto", "ebpf", "procfs", NULL };
static const char *const color_names[] = { "auto", "always", "never", NULL };

struct option_row {
	struct argp_option option;
	enum value_type type;
	size_t offset;		    /* of the field in struct options */
	int constant;		    /* VALUE_CONSTANT: what the field becomes */
	const char *const *choices; /* VALUE_CHOICE: names in the order of the enum */
};

#define HEADING(text, number)                             \
	{                                                 \
		.option = {.doc = text, .group = number } \
	}
#define ROW(long_name, letter, argument, help, value_type, field, ...)                        \
	{                                                                                     \
		.option = { .name = long_name, .key = letter, .arg = argument, .doc = help }, \
		.type = value_type, .offset = offsetof(struct options, field), __VA_ARGS__    \
	}

static const struct option_row rows[] = {
	HEADING("What to observe:", 1),
	ROW("pid", 'p', "PID",
	    "Attach to a running process; Ctrl-C or --duration ends it and leaves the process "
	    "untouched",
	    VALUE_COUNT, pid),
	ROW("cgroup", KEY_CGROUP, "PATH",
	    "Observe all that is in a cgroup or comes into it, as a systemd unit or a container: "
	    "its directory, or its path as /proc/PID/cgroup has it",
	    VALUE_TEXT, cgroup),
	ROW("replay", KEY_REPLAY, "FILE",
	    "Analyse a recording instead of a program; needs no rights", VALUE_TEXT, replay_path),
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
	    "Look so many times a second what runs on each CPU (default 99; 0: never), which tells "
	    "polling and spinning from work",
	    VALUE_RATE, frequency_hz),
	ROW("no-stacks", KEY_NO_STACKS, NULL, "Reserved: this version takes no stacks", VALUE_TRUE,
	    no_stacks),

	HEADING("What to report:", 2),
	ROW("output", 'o', "FILE",
	    "Write the report to FILE, '-' for stdout. Default: stderr; but JSON of --pid, "
	    "--cgroup and --replay goes to stdout",
	    VALUE_TEXT, output_path),
	ROW("format", 'f', "FORMAT", "text (default) or json", VALUE_CHOICE, format,
	    .choices = format_names),
	ROW("json", KEY_JSON, NULL, "The same as --format=json", VALUE_CONSTANT, format,
	    .constant = FORMAT_JSON),
	ROW("concurrency", KEY_CONCURRENCY, "N",
	    "Advise for N operations at once instead of for the number seen", VALUE_COUNT,
	    concurrency),
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
	"and --replay it exits with 0 or 125.";

struct parse_state {
	struct options *options;
	char *why;
	size_t why_size;
	int handled_until; /* index in argv after the last option that was understood */
};

__attribute__((format(printf, 2, 3))) static int refuse(struct parse_state *parse,
							const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(parse->why, parse->why_size, format, values);
	va_end(values);
	return EINVAL;
}

static bool parse_count(const char *text, uint32_t *count)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);

	if (errno || *end || value == 0 || value > INT_MAX)
		return false;
	*count = (uint32_t)value;
	return true;
}

/* Zero is a rate too. More than the kernel allows is its to refuse. */
static bool parse_rate(const char *text, uint32_t *rate)
{
	if (!strcmp(text, "0")) {
		*rate = 0;
		return true;
	}
	return parse_count(text, rate) && *rate <= FREQUENCY_MAX_HZ;
}

static double suffix_seconds(const char *suffix)
{
	if (!*suffix || !strcmp(suffix, "s"))
		return 1;
	if (!strcmp(suffix, "m"))
		return 60;
	return strcmp(suffix, "h") ? NAN : 3600;
}

static bool parse_seconds(const char *text, uint64_t *duration_ns)
{
	size_t number_len = strspn(text, "0123456789.");
	char *end;
	double seconds = strtod(text, &end) * suffix_seconds(text + number_len);

	/* No sign, exponent or hexadecimal; the bounds are written so that NaN fails. */
	if (number_len == 0 || end != text + number_len ||
	    !(seconds >= 1 / NS_PER_S && seconds <= DURATION_MAX_S))
		return false;
	*duration_ns = (uint64_t)(seconds * NS_PER_S);
	return true;
}

static bool parse_choice(const char *text, const char *const *choices, int *value)
{
	for (int i = 0; choices[i]; i++) {
		if (!strcmp(text, choices[i])) {
			*value = i;
			return true;
		}
	}
	return false;
}

/* The fields are of the types that the rows say; enums are as wide as an int. */
static int store_value(struct parse_state *parse, const struct option_row *row, char *text)
{
	void *field = (char *)parse->options + row->offset;

	switch (row->type) {
	case VALUE_HEADING:
		break;
	case VALUE_TRUE:
		*(bool *)field = true;
		break;
	case VALUE_CONSTANT:
		memcpy(field, &row->constant, sizeof(row->constant));
		break;
	case VALUE_TEXT:
		if (!*text)
			return refuse(parse, "the name given to --%s is empty (name a %s)",
				      row->option.name,
				      row->option.key == KEY_CGROUP ? "cgroup" : "file");
		memcpy(field, &text, sizeof(text));
		break;
	case VALUE_COUNT:
		if (!parse_count(text, field))
			return refuse(parse, "--%s is not a positive whole number: '%s' (%s)",
				      row->option.name, text,
				      row->option.key == 'p' ? "'ps -e' lists process ids"
							     : "for example 100");
		break;
	case VALUE_RATE:
		if (!parse_rate(text, field))
			return refuse(parse,
				      "--%s is not a whole number up to %d: '%s' (for example 99)",
				      row->option.name, FREQUENCY_MAX_HZ, text);
		break;
	case VALUE_SECONDS:
		if (!parse_seconds(text, field))
			return refuse(parse,
				      "--%s is not a duration: '%s' (for example 10, 0.5, 90s, 2m)",
				      row->option.name, text);
		break;
	case VALUE_CHOICE:
		if (!parse_choice(text, row->choices, field))
			return refuse(parse, "--%s cannot be '%s', only %s", row->option.name, text,
				      row->option.doc);
		break;
	}
	return 0;
}

static const struct option_row *find_row(int key)
{
	for (size_t i = 0; i < ROW_CNT; i++) {
		if (rows[i].option.key == key && rows[i].option.name)
			return &rows[i];
	}
	return NULL;
}

/* Whether @word, which getopt did not like, is an option that lacks its value. */
static bool lacks_value(const char *word)
{
	for (size_t i = 0; i < ROW_CNT; i++) {
		const struct argp_option *option = &rows[i].option;

		if (!option->arg)
			continue;
		if (!strncmp(word, "--", 2) ? !strcmp(word + 2, option->name)
					    : word[strlen(word) - 1] == option->key)
			return true;
	}
	return false;
}

/*
 * getopt rejected something and argp does not say what. Its index has moved past the culprit,
 * unless that is a letter inside a cluster such as -qZv: then it hasn't moved at all.
 */
static void explain_rejection(struct parse_state *parse, const struct argp_state *state)
{
	int culprit = state->next > parse->handled_until ? state->next - 1 : state->next;
	const char *word = state->argv[culprit];

	if (lacks_value(word))
		refuse(parse, "option '%s' lacks its value (see 'classify --help')", word);
	else
		refuse(parse, "unknown option '%s' (see 'classify --help')", word);
}

static error_t parse_word(int key, char *text, struct argp_state *state)
{
	struct parse_state *parse = state->input;
	const struct option_row *row;

	switch (key) {
	case ARGP_KEY_ARG:
		parse->options->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_ERROR:
		if (!parse->why[0])
			explain_rejection(parse, state);
		return 0;
	default:
		row = find_row(key);
		if (!row)
			return ARGP_ERR_UNKNOWN;
		parse->handled_until = state->next;
		return store_value(parse, row, text);
	}
}

static void build_argp(struct argp *argp, struct argp_option options[ROW_CNT + 1])
{
	for (size_t i = 0; i < ROW_CNT; i++)
		options[i] = rows[i].option;
	memset(&options[ROW_CNT], 0, sizeof(options[ROW_CNT]));
	*argp = (struct argp){
		.options = options, .parser = parse_word, .args_doc = usage_lines, .doc = help_text
	};
}

static bool shapes_observation(const struct options *options)
{
	return options->duration_ns || options->no_children || options->source != CHOOSE_AUTO ||
	       options->as_root;
}

/* A cgroup is one target like any other, and taken as a whole. */
static int check_cgroup(struct parse_state *parse)
{
	const struct options *options = parse->options;

	if (!options->cgroup)
		return 0;
	if (options->pid || options->command)
		return refuse(parse, "both a cgroup and %s given (use one of them)",
			      options->pid ? "a PID" : "a command");
	if (options->no_children)
		return refuse(parse, "--no-children leaves out what --cgroup asks for: all that is "
				     "in it (leave out one of them)");
	return 0;
}

/* Decides what to run, once every word is known. */
static int settle_mode(struct parse_state *parse)
{
	struct options *options = parse->options;

	if (options->mode != RUN_WRAP)
		return 0;
	if (options->pid && options->command)
		return refuse(parse, "both a PID and the command '%s' given (use one of them)",
			      options->command[0]);
	if (options->replay_path &&
	    (options->pid || options->cgroup || options->command || options->recording_path))
		return refuse(parse,
			      "--replay observes nothing (leave out the PID, --cgroup, the command "
			      "and --save-recording)");
	if (options->replay_path && shapes_observation(options))
		return refuse(parse, "a recording can't be observed anew (leave out --duration, "
				     "--no-children, --source and --as-root)");
	if (!options->replay_path && !options->pid && !options->cgroup && !options->command)
		return refuse(parse, "nothing to observe (give a command, -p PID, --cgroup PATH or "
				     "--replay FILE; see 'classify --help')");
	if (check_cgroup(parse))
		return EINVAL;
	if (options->pid)
		options->mode = RUN_ATTACH;
	if (options->cgroup)
		options->mode = RUN_CGROUP;
	if (options->replay_path)
		options->mode = RUN_REPLAY;
	return 0;
}

int options_parse(struct options *options, int argc, char **argv, char *why, size_t why_size)
{
	struct parse_state parse = {
		.options = options, .why = why, .why_size = why_size, .handled_until = 1
	};
	struct argp_option table[ROW_CNT + 1];
	struct argp argp;

	memset(options, 0, sizeof(*options));
	options->frequency_hz = FREQUENCY_HZ;
	why[0] = '\0';
	build_argp(&argp, table);
	if (argp_parse(&argp, argc, argv,
		       ARGP_IN_ORDER | ARGP_NO_HELP | ARGP_NO_EXIT | ARGP_NO_ERRS, NULL, &parse))
		return -EINVAL;
	return -settle_mode(&parse);
}

void options_print_help(FILE *out)
{
	struct argp_option table[ROW_CNT + 1];
	struct argp argp;
	char name[] = "classify";

	build_argp(&argp, table);
	argp_help(&argp, out, ARGP_HELP_SHORT_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
}
