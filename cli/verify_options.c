/* The table of options of "classify verify", and which program is which. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "option_table.h"
#include "verification/speedup.h"
#include "verify_options.h"

/* What one run does by chance is told from what three do alike. */
#define RUN_CNT 3

enum long_key {
	KEY_BEFORE = 0x100,
	KEY_AFTER,
	KEY_RUNS,
	KEY_AS_ADVISED,
	KEY_SAME_WORK,
	KEY_SOURCE,
	KEY_AS_ROOT,
	KEY_CONCURRENCY,
	KEY_JSON,
	KEY_JSON_SCHEMA,
	KEY_COLOR,
};

static const char *const format_names[] = { "text", "json", NULL };
static const char *const source_names[] = { "auto", "ebpf", "procfs", NULL };
static const char *const color_names[] = { "auto", "always", "never", NULL };

#define HEADING(text, number) OPTION_HEADING(text, number)
#define ROW(...)	      OPTION_ROW(struct verify_options, __VA_ARGS__)

static const struct option_row rows[] = {
	HEADING("What to compare:", 1),
	ROW("before", KEY_BEFORE, "COMMAND",
	    "Run the program as it was, instead of reading a report; one word for the shell, as in "
	    "--before 'python3 old.py'",
	    VALUE_TEXT, before.line, .noun = "command"),
	ROW("after", KEY_AFTER, "COMMAND", "The same for the program as it is now", VALUE_TEXT,
	    after.line, .noun = "command"),
	ROW("runs", KEY_RUNS, "N", "How often to run each command, in turns (default 3)",
	    VALUE_COUNT, run_cnt),
	ROW("as-advised", KEY_AS_ADVISED, NULL,
	    "The program is now what was advised, even if it doesn't look so (as when threads run "
	    "commands): hold it against that prediction",
	    VALUE_TRUE, is_as_advised),
	ROW("same-work", KEY_SAME_WORK, NULL,
	    "Both do the same work, even if it doesn't look so: compare them anyway", VALUE_TRUE,
	    is_same_work),
	ROW("source", KEY_SOURCE, "SOURCE",
	    "auto (default), ebpf (exact, needs rights) or procfs (samples /proc, needs none)",
	    VALUE_CHOICE, source, .choices = source_names),
	ROW("as-root", KEY_AS_ROOT, NULL,
	    "Under sudo, run the commands as root instead of as the user who called sudo",
	    VALUE_TRUE, as_root),
	ROW("concurrency", KEY_CONCURRENCY, "N",
	    "Advise for N operations at once instead of for the number seen", VALUE_COUNT,
	    concurrency),

	HEADING("What to report:", 2),
	ROW("output", 'o', "FILE", "Write the result to FILE instead of stdout ('-')", VALUE_TEXT,
	    output_path),
	ROW("format", 'f', "FORMAT", "text (default) or json", VALUE_CHOICE, format,
	    .choices = format_names),
	ROW("json", KEY_JSON, NULL, "The same as --format=json", VALUE_CONSTANT, format,
	    .constant = FORMAT_JSON),
	ROW("color", KEY_COLOR, "WHEN", "auto (default), always or never", VALUE_CHOICE, color,
	    .choices = color_names),
	ROW("quiet", 'q', NULL, "Nothing but the result and errors", VALUE_TRUE, is_quiet),
	ROW("verbose", 'v', NULL, "All rows of the result, and what classify does meanwhile",
	    VALUE_TRUE, is_verbose),
	ROW("json-schema", KEY_JSON_SCHEMA, NULL, "Print the JSON Schema of the JSON result",
	    VALUE_CONSTANT, mode, .constant = VERIFY_JSON_SCHEMA),
	ROW("help", 'h', NULL, "Print this text", VALUE_CONSTANT, mode, .constant = VERIFY_HELP),
};

static const char usage_lines[] = "BEFORE.json AFTER.json\nBEFORE.json -- COMMAND [ARGUMENT...]\n"
				  "--before COMMAND --after COMMAND";
static const char help_text[] =
	"Did it help? Compares a program as it was with what it has become: what was gained, "
	"whether the prediction held that 'classify --json' made before, and what is next."
	"\v"
	"Each of the two is a report of 'classify --json -o FILE -- COMMAND', or a command that is "
	"run under classify: without stdin, and without its stdout.\n\n"
	"Exits with 0 when the prediction held (where there was none: when it got faster), 123 "
	"when that isn't shown, when it got slower, or when the two can't be compared; with the "
	"code of a command that failed; with 125 when classify itself failed.";

static struct verify_side *free_side(struct verify_options *options)
{
	const struct verify_side *before = &options->before;

	return before->report_path || before->line ? &options->after : &options->before;
}

static int refuse(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return -EINVAL;
}

/* A report, or after "--" the command to compare with. */
static int take_program(void *data, char **words, bool is_after_dashes, char *why, size_t why_size)
{
	struct verify_options *options = data;
	int cnt = 0;

	if (is_after_dashes) {
		options->after.words = words;
		while (words[cnt])
			cnt++;
		return cnt;
	}
	struct verify_side *side = free_side(options);

	if (side->report_path)
		return refuse(why, why_size,
			      "more than two reports (give one from before and one from after; a "
			      "command to run goes after '--')");
	side->report_path = words[0];
	return 1;
}

static const struct option_table table = {
	.program = "classify verify",
	.rows = rows,
	.row_cnt = sizeof(rows) / sizeof(rows[0]),
	.usage = usage_lines,
	.text = help_text,
	.take_words = take_program,
};

static int given_cnt(const struct verify_side *side)
{
	return !!side->report_path + !!side->line + !!side->words;
}

/* "verify --before X report.json": the report came to be the one from before. */
static void sort_out(struct verify_options *options)
{
	struct verify_side *before = &options->before, *after = &options->after;

	if (before->report_path && before->line && !given_cnt(after)) {
		after->report_path = before->report_path;
		before->report_path = NULL;
	}
}

static int check(struct verify_options *options, char *why, size_t why_size)
{
	sort_out(options);
	if (given_cnt(&options->before) > 1)
		return refuse(why, why_size,
			      "two programs from before (give one: a report, or --before COMMAND)");
	if (given_cnt(&options->after) > 1)
		return refuse(why, why_size,
			      "two programs from after (give one: a report, --after COMMAND, or a "
			      "command after '--')");
	if (!given_cnt(&options->before))
		return refuse(why, why_size,
			      "nothing to compare with (give a report from before, or --before "
			      "COMMAND; see 'classify verify --help')");
	if (!given_cnt(&options->after))
		return refuse(why, why_size,
			      "nothing to compare (give a report from after, --after COMMAND, or a "
			      "command after '--'; see 'classify verify --help')");
	if (options->run_cnt > VERIFIED_RUN_MAX)
		return refuse(why, why_size, "more runs than make sense (at most 100)");
	return 0;
}

int verify_options_parse(struct verify_options *options, int argc, char **argv, char *why,
			 size_t why_size)
{
	*options = (struct verify_options){ .run_cnt = RUN_CNT };
	if (option_table_parse(&table, options, argc, argv, why, why_size))
		return -EINVAL;
	return options->mode == VERIFY_COMPARE ? check(options, why, why_size) : 0;
}

void verify_options_print_help(FILE *out)
{
	option_table_print_help(&table, out);
}
