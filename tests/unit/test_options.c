/* Options: what each word of the command line means, and one line for what means nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "options.h"

#define ARG_MAX_CNT 32

/* The words are kept: struct options points to them. */
struct command_line {
	char text[1024];
	char *argv[ARG_MAX_CNT];
	int argc;
	struct options options;
	char why[1024];
};

/* Splits @words at blanks; "classify" goes first. */
static int parse(struct command_line *line, const char *words)
{
	snprintf(line->text, sizeof(line->text), "classify %s", words);
	line->argc = 0;
	for (char *word = strtok(line->text, " "); word; word = strtok(NULL, " "))
		line->argv[line->argc++] = word;
	line->argv[line->argc] = NULL;
	return options_parse(&line->options, line->argc, line->argv, line->why, sizeof(line->why));
}

static void assert_refused(const char *words, const char *part)
{
	struct command_line line;

	assert_int_equal(parse(&line, words), -EINVAL);
	if (!strstr(line.why, part))
		fail_msg("'%s': '%s' is not in '%s'", words, part, line.why);
	assert_null(strchr(line.why, '\n'));
	assert_non_null(strchr(line.why, '(')); /* the remedy */
}

static void test_defaults(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "true"), 0);
	assert_int_equal(line.options.mode, RUN_WRAP);
	assert_int_equal(line.options.format, FORMAT_TEXT);
	assert_int_equal(line.options.source, CHOOSE_AUTO);
	assert_int_equal(line.options.color, COLOR_AUTO);
	assert_int_equal(line.options.duration_ns, 0);
	assert_null(line.options.output_path);
	assert_false(line.options.no_children);
	assert_string_equal(line.options.command[0], "true");
	assert_null(line.options.command[1]);
}

static void test_command_keeps_its_options(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "-q sort -r --json -d x"), 0);
	assert_true(line.options.is_quiet);
	assert_int_equal(line.options.format, FORMAT_TEXT);
	assert_string_equal(line.options.command[0], "sort");
	assert_string_equal(line.options.command[4], "x");
	assert_null(line.options.command[5]);
}

static void test_expectations_add_up(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "--expect io-bound,mixed --expect cpu<=0.4 -- true"), 0);
	assert_int_equal(line.options.expectations.cnt, 3);
	assert_true(line.options.expectations.list[2].bound == 0.4);
	assert_refused("--expect io-bond true", "--expect 'io-bond'");
	assert_refused("--expect", "lacks its value");
}

static void test_two_dashes_end_options(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "--json -- -odd -- -q"), 0);
	assert_int_equal(line.options.format, FORMAT_JSON);
	assert_false(line.options.is_quiet);
	assert_string_equal(line.options.command[0], "-odd");
	assert_string_equal(line.options.command[1], "--");
	assert_string_equal(line.options.command[2], "-q");
}

static void test_every_option(void **state)
{
	struct command_line line;
	const struct options *options = &line.options;

	(void)state;
	assert_int_equal(parse(&line, "-p 41 -d 1.5 -o out -f json --concurrency 200 "
				      "--no-children --no-stacks -F 99 --source procfs"),
			 0);
	assert_int_equal(options->mode, RUN_ATTACH);
	assert_int_equal(options->pid, 41);
	assert_int_equal(options->duration_ns, 1500000000);
	assert_string_equal(options->output_path, "out");
	assert_int_equal(options->format, FORMAT_JSON);
	assert_int_equal(options->concurrency, 200);
	assert_true(options->no_children && options->no_stacks);
	assert_int_equal(options->frequency_hz, 99);
	assert_int_equal(options->source, CHOOSE_PROCFS);

	assert_int_equal(parse(&line, "--save-recording=rec --as-root -qv --color=never ls"), 0);
	assert_string_equal(options->recording_path, "rec");
	assert_true(options->as_root && options->is_quiet && options->is_verbose);
	assert_int_equal(options->color, COLOR_NEVER);
}

static void test_modes(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "--replay file --json"), 0);
	assert_int_equal(line.options.mode, RUN_REPLAY);
	assert_string_equal(line.options.replay_path, "file");
	assert_int_equal(parse(&line, "--cgroup a/b --json"), 0);
	assert_int_equal(line.options.mode, RUN_CGROUP);
	assert_string_equal(line.options.cgroup, "a/b");
	assert_int_equal(parse(&line, "--json-schema"), 0);
	assert_int_equal(line.options.mode, RUN_JSON_SCHEMA);
	assert_int_equal(parse(&line, "-p 3 --help"), 0);
	assert_int_equal(line.options.mode, RUN_HELP);
	assert_int_equal(parse(&line, "--version"), 0);
	assert_int_equal(line.options.mode, RUN_VERSION);
}

static void test_durations(void **state)
{
	static const struct {
		const char *words;
		uint64_t duration_ns;
	} good[] = {
		{ "-d 2 ls", UINT64_C(2000000000) },	{ "-d .5 ls", 500000000 },
		{ "-d 0.25s ls", 250000000 },		{ "-d 2m ls", UINT64_C(120000000000) },
		{ "-d1h ls", UINT64_C(3600000000000) }, { "--duration=0.001 ls", 1000000 },
	};
	static const char *const bad[] = { "-d 0 ls",	  "-d -1 ls",	     "-d 1e5 ls",
					   "-d 0x10 ls",  "-d nan ls",	     "-d inf ls",
					   "-d 2d ls",	  "-d 1.5.5 ls",     "-d . ls",
					   "-d 1e999 ls", "-d 9999999999 ls" };
	struct command_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse(&line, good[i].words), 0);
		assert_int_equal(line.options.duration_ns, good[i].duration_ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], "--duration is not a duration");
}

static void test_counts(void **state)
{
	(void)state;
	assert_refused("-p 0", "--pid");
	assert_refused("-p -4", "--pid");
	assert_refused("-p 99999999999", "'99999999999'");
	assert_refused("-p 12x", "'12x'");
	assert_refused("--concurrency 1.5 ls", "--concurrency");
}

static void test_unknown_options_are_named(void **state)
{
	(void)state;
	assert_refused("--foo ls", "unknown option '--foo'");
	assert_refused("-Z ls", "unknown option '-Z'");
	assert_refused("-q -Zq ls", "unknown option '-Zq'");
	assert_refused("-d 3 -qZv ls", "unknown option '-qZv'");
	assert_refused("--no ls", "unknown option '--no'"); /* ambiguous */
	assert_refused("--json=3 ls", "unknown option '--json=3'");
}

static void test_missing_values_are_told(void **state)
{
	(void)state;
	assert_refused("-p", "'-p' lacks its value");
	assert_refused("-q -vd", "'-vd' lacks its value");
	assert_refused("--output", "'--output' lacks its value");
	assert_refused("--replay=", "--replay is empty");
}

static void test_choices_are_listed(void **state)
{
	(void)state;
	assert_refused("--source bpf ls", "'bpf', only auto");
	assert_refused("-f xml ls", "'xml', only text");
}

static void test_exports(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "-f folded ls"), 0);
	assert_int_equal(line.options.format, FORMAT_FOLDED);
	assert_true(options_export_stacks(&line.options));
	assert_int_equal(parse(&line, "-f speedscope -p 3"), 0);
	assert_int_equal(line.options.format, FORMAT_SPEEDSCOPE);
	assert_int_equal(parse(&line, "-f pprof -p 3"), 0);
	assert_int_equal(parse(&line, "-f pprof --replay f"), 0);
	assert_int_equal(parse(&line, "-f pprof -o - ls"), 0);
	assert_string_equal(report_format_name(line.options.format), "pprof");
	assert_int_equal(parse(&line, "-f json --no-stacks ls"), 0);
	assert_false(options_export_stacks(&line.options));
	assert_refused("-f pprof ls", "binary");
	assert_refused("-f folded --no-stacks ls", "--format=folded is made of the stacks");
	assert_refused("-f pprof --no-stacks -p 3", "--no-stacks");
	assert_refused("-f speedscope --source procfs ls", "--source=procfs");
}

static void test_contradictions(void **state)
{
	struct command_line line;

	(void)state;
	assert_refused("", "nothing to observe");
	assert_refused("--", "nothing to observe");
	assert_refused("-p 3 --pid 4", "--pid is given twice, the second time as '4' (one process");
	assert_refused("--cgroup c --cgroup d", "--cgroup is given twice");
	assert_refused("--replay f --replay f", "--replay is given twice");
	assert_int_equal(parse(&line, "-d 3 -d 4 -q -q ls"), 0);
	assert_int_equal(line.options.duration_ns, 4000000000ull);
	assert_refused("-p 3 ls", "both a PID and the command 'ls'");
	assert_refused("--cgroup c -p 3", "both a cgroup and a PID");
	assert_refused("--cgroup c ls", "both a cgroup and a command");
	assert_refused("--cgroup c --no-children", "--no-children");
	assert_refused("--cgroup c --replay f", "--replay observes nothing");
	assert_refused("--cgroup=", "--cgroup is empty");
	assert_refused("--replay f ls", "--replay observes nothing");
	assert_refused("--replay f -p 3", "--replay observes nothing");
	assert_refused("--replay f --save-recording g", "--replay observes nothing");
	assert_refused("--replay f -d 3", "leave out --duration");
	assert_refused("--replay f --no-children", "--no-children");
	assert_refused("--replay f --source procfs", "--source");
	assert_refused("--replay f --as-root", "--as-root");
}

static void test_help_names_every_option(void **state)
{
	static const char *const names[] = {
		"--pid",       "--cgroup",  "--duration",	"--output",
		"--format",    "--json",    "--json-schema",	"--replay",
		"--no-stacks", "--source",  "--save-recording", "--concurrency",
		"--frequency", "--as-root", "--quiet",		"--no-children",
		"--verbose",   "--color",   "--version",	"--help"
	};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_print_help(out);
	fclose(out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(text, names[i]));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_command_keeps_its_options),
		cmocka_unit_test(test_expectations_add_up),
		cmocka_unit_test(test_two_dashes_end_options),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_unknown_options_are_named),
		cmocka_unit_test(test_missing_values_are_told),
		cmocka_unit_test(test_choices_are_listed),
		cmocka_unit_test(test_exports),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
