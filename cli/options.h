/*
 * The command line: one typed table gives the options, their help and how each value is read.
 * Parsing is pure: it prints nothing, exits nowhere and keeps pointers into argv.
 */
#ifndef CLASSIFY_OPTIONS_H
#define CLASSIFY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "expect/expectation.h"

enum run_mode {
	RUN_WRAP,
	RUN_ATTACH,
	RUN_CGROUP,
	RUN_REPLAY,
	RUN_HELP,
	RUN_VERSION,
	RUN_JSON_SCHEMA
};
/* Samples of each CPU a second, where nothing else is asked for. Not a divisor of what programs and
 * kernels do 100 or 1000 times a second, so that no sample keeps meeting the same beat. */
#define DEFAULT_FREQUENCY_HZ 99

/* From folded on: exports of stacks. */
enum report_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_FOLDED, FORMAT_SPEEDSCOPE, FORMAT_PPROF };
enum source_choice { CHOOSE_AUTO, CHOOSE_EBPF, CHOOSE_PROCFS };
enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* What the user asked for. Every default but frequency_hz is zero: the first of each enum, no
 * limit, not given. */
struct options {
	enum run_mode mode;
	pid_t pid;
	const char *cgroup;
	char **command; /* NULL-terminated, into argv; NULL: none given */
	const char *replay_path;
	const char *output_path; /* "-": stdout */
	const char *recording_path;
	uint64_t duration_ns;  /* 0: until the target ends */
	uint32_t concurrency;  /* operations the user wants in flight; 0: not said */
	uint32_t frequency_hz; /* samples of each CPU; 0: none */
	enum report_format format;
	enum source_choice source;
	enum color_choice color;
	struct expectations expectations;
	bool no_children;
	bool no_stacks;
	bool as_root;
	bool is_quiet;
	bool is_verbose;
};

/*
 * Reads @argv (unchanged; NULL-terminated) into @options. Options end at the first word that is
 * not one, or after "--": from there on it is the command. Returns 0, or -EINVAL with one line of
 * cause and remedy in @why.
 */
int options_parse(struct options *options, int argc, char **argv, char *why, size_t why_size);

/* Whether the report is to be of stacks alone. */
bool options_export_stacks(const struct options *options);

/* "text", "pprof": as --format has it. */
const char *report_format_name(enum report_format format);

/* Writes the text of --help to @out. */
void options_print_help(FILE *out);

#endif
