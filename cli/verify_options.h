/* The command line of "classify verify". */
#ifndef CLASSIFY_VERIFY_OPTIONS_H
#define CLASSIFY_VERIFY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "options.h"

enum verify_mode { VERIFY_COMPARE, VERIFY_HELP, VERIFY_JSON_SCHEMA };

/* One of the two programs: exactly one of these is given. */
struct verify_side {
	const char *report_path; /* "-": stdin */
	const char *line;	 /* of a shell */
	char **words;		 /* NULL-terminated, into argv */
};

struct verify_options {
	enum verify_mode mode;
	struct verify_side before, after;
	uint32_t run_cnt;
	uint32_t concurrency;
	const char *output_path;
	enum report_format format;
	enum source_choice source;
	enum color_choice color;
	bool is_as_advised;
	bool is_same_work;
	bool as_root;
	bool is_quiet;
	bool is_verbose;
};

/*
 * Reads @argv, whose first word is "verify". Returns 0, or -EINVAL with one line of cause and
 * remedy in @why.
 */
int verify_options_parse(struct verify_options *options, int argc, char **argv, char *why,
			 size_t why_size);

void verify_options_print_help(FILE *out);

#endif
